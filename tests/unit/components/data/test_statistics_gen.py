"""StatisticsGen: the same statistics as TFDV's Beam pipeline, whatever the batches."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.beam import record_batches
from components.data.statistics_gen import statistics_of, write_statistics
from core.errors import InputError

ROWS = 3000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Rows with an id, a number, a category that is often missing, and a rare number."""
    draw = np.random.RandomState(1)
    ages = draw.randint(17, 90, ROWS)
    jobs = draw.choice(["cook", "clerk", ""], ROWS, p=[0.5, 0.2, 0.3])
    columns = {
        "row_id": pa.array([[f"span-1:{n}".encode()] for n in range(ROWS)]),
        "age": pa.array([[int(age)] for age in ages]),
        "job": pa.array([[job.encode()] if job else None for job in jobs]),
        "hours": pa.array([[1.5] if n == 7 else None for n in range(ROWS)], pa.list_(pa.float32())),
    }
    path = str(tmp_path_factory.mktemp("statistics") / "data.gz")
    record_batches.write(path, [pa.RecordBatch.from_pydict(columns)])
    return path


def features_of(
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
) -> dict[str, statistics_pb2.FeatureNameStatistics]:
    (dataset,) = statistics.datasets
    assert dataset.num_examples == ROWS
    return {feature.path.step[0]: feature for feature in dataset.features}


def test_statistics_are_those_of_tfdv(file: str, tmp_path: Path) -> None:
    write_statistics(file, str(tmp_path / "FeatureStats.pb"))
    ours = features_of(tfdv.load_stats_binary(str(tmp_path / "FeatureStats.pb")))
    theirs = features_of(
        tfdv.generate_statistics_from_tfrecord(file, output_path=str(tmp_path / "theirs"))
    )
    assert set(ours) == set(theirs) == {"row_id", "age", "job", "hours"}
    for name, feature in ours.items():
        other = theirs[name]
        kind = feature.WhichOneof("stats")
        assert (feature.type, kind) == (other.type, other.WhichOneof("stats"))
        mine, stock = getattr(feature, kind), getattr(other, kind)
        assert mine.common_stats.num_missing == stock.common_stats.num_missing
        assert mine.common_stats.tot_num_values == stock.common_stats.tot_num_values
        if kind == "string_stats":
            assert mine.unique == pytest.approx(stock.unique, rel=0.03)
            if name == "job":
                assert mine.top_values == stock.top_values
                assert mine.rank_histogram == stock.rank_histogram
        else:
            assert (mine.min, mine.max, mine.num_zeros) == (stock.min, stock.max, stock.num_zeros)
            assert mine.mean == pytest.approx(stock.mean)
            assert mine.histograms[0] == stock.histograms[0]
    assert ours["hours"].num_stats.common_stats.num_missing == ROWS - 1


def test_batches_make_no_difference(file: str) -> None:
    tables = [pa.Table.from_batches([batch]) for batch in record_batches.read(file)]
    table = pa.concat_tables(table.select(["age", "job"]) for table in tables)
    (batch,) = table.combine_chunks().to_batches()
    whole = features_of(statistics_of([batch]))
    parts = features_of(statistics_of(batch.slice(n, 1000) for n in range(0, ROWS, 1000)))
    assert whole["job"] == parts["job"]
    assert whole["age"].num_stats.histograms[0] == parts["age"].num_stats.histograms[0]


def test_damaged_file_is_named(file: str, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gz"
    records = gzip.decompress(Path(file).read_bytes())
    damaged.write_bytes(gzip.compress(records[:-20]))  # within the last record
    with pytest.raises(InputError, match=str(damaged)):
        write_statistics(str(damaged), str(tmp_path / "FeatureStats.pb"))
