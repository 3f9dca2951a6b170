"""Columns as their statistics show them, and their distances beside those that TFDV measures."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data.statistics_gen import statistics_of
from pipeline.report.page import columns
from pipeline.report.page.columns import ColumnStatistics, Numbers, Values
from pipeline.retraining.drift import measure_drift, statistics_like

SCHEMA = text_format.Parse(
    """
    feature { name: "age" type: INT
      drift_comparator { jensen_shannon_divergence { threshold: 0.05 } } }
    feature { name: "gain" type: INT
      drift_comparator { jensen_shannon_divergence { threshold: 0.05 } } }
    feature { name: "work" type: BYTES drift_comparator { infinity_norm { threshold: 0.1 } } }
    feature { name: "place" type: BYTES
      drift_comparator { jensen_shannon_divergence { threshold: 0.1 } } }
    """,
    schema_pb2.Schema(),
)
FEATURES = {feature.name: feature for feature in SCHEMA.feature}
NAMES = np.array(["a", "b", "c", "d"])


def rows(seed: int, shift: float, shares: list[float]) -> pa.RecordBatch:
    """Rows of a few columns, one of them mostly 0 with a long tail."""
    draw = np.random.default_rng(seed)
    gain = np.where(draw.random(5000) < 0.92, 0, draw.lognormal(8, 1, 5000)).round()
    texts = [draw.choice(NAMES, 5000, p=shares) for _ in range(2)]
    found = {
        "age": draw.normal(40 + shift, 12, 5000).round().astype(np.int64),
        "gain": gain.astype(np.int64),
        "work": texts[0].astype(object),
        "place": texts[1].astype(object),
    }
    return pa.RecordBatch.from_pydict({name: [[v] for v in c] for name, c in found.items()})


def read(path: Path, batch: pa.RecordBatch) -> dict[str, ColumnStatistics]:
    path.write_bytes(statistics_of([batch]).SerializeToString())
    return columns.read_columns(path)


@pytest.mark.parametrize("shift", [0.0, 6.0])
def test_distances_are_near_those_that_tfdv_measures_on_the_rows(
    tmp_path: Path, shift: float
) -> None:
    then_rows = rows(1, 0.0, [0.4, 0.3, 0.2, 0.1])
    now_rows = rows(2, shift, [0.4 - shift / 40, 0.3, 0.2, 0.1 + shift / 40])
    then, now = read(tmp_path / "then", then_rows), read(tmp_path / "now", now_rows)
    trained_on = statistics_of([then_rows])
    exact = measure_drift(statistics_like([now_rows], trained_on), trained_on, SCHEMA, "contract")
    for measured in exact:
        name = str(measured.feature)
        found = columns.distance(now[name], then[name], FEATURES[name])
        assert found is not None
        assert found.bound == pytest.approx(measured.bound)
        assert found.value == pytest.approx(measured.value, abs=0.005), name
        assert found.exceeded == measured.exceeded, name
    assert {str(measured.feature) for measured in exact} == set(FEATURES)


def test_a_long_tail_that_ends_elsewhere_is_no_drift(tmp_path: Path) -> None:
    draw = np.random.default_rng(3).random(4000) < 0.95
    tails = [np.where(draw, 0, end).astype(np.int64) for end in (5000, 99999)]
    batches = [pa.RecordBatch.from_pydict({"gain": [[v] for v in tail]}) for tail in tails]
    then, now = (read(tmp_path / str(n), batch) for n, batch in enumerate(batches))
    found = columns.distance(now["gain"], then["gain"], FEATURES["gain"])
    assert found is not None
    assert found.value < 0.06, "the twentieth that lies elsewhere, and no more"


def test_numbers_are_not_compared_with_texts_and_nothing_not_with_something() -> None:
    texts = ColumnStatistics(2, 0.0, Values(1, {"a": 1.0}, 1.0))
    nothing = ColumnStatistics(2, 1.0, None)
    edges = np.array([0.0, 1.0])
    numbers = Numbers(0, 1, 0.5, 0.1, 0.5, edges, np.array([1.0]), (edges, np.array([0.0, 1.0])))
    for pair in ((texts, nothing), (nothing, texts), (texts, ColumnStatistics(2, 0, numbers))):
        assert columns.distance(*pair, None) is None


def test_a_column_without_a_comparator_has_a_distance_and_no_bound() -> None:
    texts = ColumnStatistics(2, 0.0, Values(1, {"a": 1.0}, 1.0))
    other = ColumnStatistics(2, 0.0, Values(2, {"a": 0.25, "b": 0.75}, 1.0))
    found = columns.distance(texts, other, None)
    assert found == columns.Distance("infinity norm", 0.75, None)
    assert not found.exceeded


def test_a_value_is_named_from_ten_rows_on() -> None:
    values = Values(3, {"a": 0.8, "b": 0.1, "c": 0.09}, 1.0)
    assert list(columns.named(values, 100)) == ["a", "b"]


def test_the_row_id_is_no_column_of_the_data(tmp_path: Path) -> None:
    batch = pa.RecordBatch.from_pydict({"row_id": [["span-1:1"]], "age": [[5]]})
    assert set(read(tmp_path / "statistics", batch)) == {"age"}


def test_a_constant_column_and_one_without_values_have_a_picture_or_none(tmp_path: Path) -> None:
    none = pa.array([None] * 20, pa.list_(pa.int64()))
    batch = pa.RecordBatch.from_pydict({"one": [[7]] * 20, "none": none})
    found = read(tmp_path / "statistics", batch)
    assert str(columns.picture(found["one"], found["one"])).count('class="now"') == 1
    assert columns.picture(found["none"], found["one"]) == ""
    same = columns.distance(found["one"], found["one"], None)
    assert same is not None
    assert same.value == 0.0


def test_tfdv_says_nothing_of_a_comparator_that_the_schema_lacks() -> None:
    """What `bound` goes by: without a comparator TFDV measures nothing either."""
    found = statistics_of([rows(1, 0.0, [0.4, 0.3, 0.2, 0.1])])
    none = schema_pb2.Schema()
    none.feature.add(name="age", type=schema_pb2.INT)
    measured = tfdv.validate_statistics(found, none, previous_statistics=found).drift_skew_info
    assert not measured
