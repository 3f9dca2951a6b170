"""Distances by the contract's comparators: what is far, what only looks far, what is refused."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.data.statistics_gen import statistics_of
from core.contract import read_contract
from core.errors import InputError
from pipeline.retraining.drift import measure_drift, measure_skew, of_distances, statistics_like

CONTRACT = """
feature { name: "gain" type: INT
  drift_comparator { jensen_shannon_divergence { threshold: 0.05 } }
  skew_comparator { jensen_shannon_divergence { threshold: 0.05 } } }
feature { name: "job" type: BYTES
  drift_comparator { infinity_norm { threshold: 0.1 } } }
feature { name: "note" type: BYTES }
"""
SCHEMA = text_format.Parse(CONTRACT, schema_pb2.Schema())


def rows(seed: int, count: int, shift: int = 0, cooks: float = 0.5) -> list[pa.RecordBatch]:
    """Mostly zeros, a few usual amounts and rarely a larger one, as capital losses are."""
    draw = np.random.RandomState(seed)
    amounts = draw.choice([1485, 1887, 1902, 1977, 2415, 4000 + seed], count, p=[0.19] * 5 + [0.05])
    gain = np.where(draw.rand(count) < 0.8, 0, amounts) + shift
    job = np.where(draw.rand(count) < cooks, b"cook", b"clerk")
    columns = {"gain": pa.array([[int(n)] for n in gain]), "job": pa.array([[j] for j in job])}
    arrays = [column.cast(pa.large_list(column.type.value_type)) for column in columns.values()]
    return [pa.RecordBatch.from_arrays(arrays, list(columns))]


def test_two_draws_of_the_same_numbers_are_close_whatever_their_largest_value() -> None:
    trained_on = statistics_of(rows(1, 4000))
    for seed in range(2, 7):
        new = statistics_like(rows(seed, 1000), trained_on)
        measured = {m.name: m for m in measure_drift(new, trained_on, SCHEMA, "c.pbtxt")}
        assert not any(m.exceeded for m in measured.values()), measured
        assert measured["gain jensen_shannon_divergence"].value < 0.02, seed
    key = measured["job l_infty"].key
    assert key == "c.pbtxt: job: drift_comparator"
    # What this mends in TFDV's own comparison; where this fails, it can go.
    plain = statistics_of(rows(700, 1000))
    [apart] = [m for m in measure_drift(plain, trained_on, SCHEMA, "") if m.name[:4] == "gain"]
    assert apart.value > 0.05


def test_moved_numbers_and_other_shares_are_beyond_their_bounds() -> None:
    trained_on = statistics_of(rows(1, 4000))
    moved = statistics_like(rows(2, 1000, shift=700, cooks=0.8), trained_on)
    measured = measure_drift(moved, trained_on, SCHEMA, "c.pbtxt")
    assert {m.name.partition(" ")[0] for m in measured if m.exceeded} == {"gain", "job"}
    assert {m.feature for m in measured if m.exceeded} == {"gain", "job"}


def test_numbers_beyond_all_that_was_seen_are_as_far_as_can_be() -> None:
    trained_on = statistics_of(rows(1, 4000))
    beyond = statistics_like(rows(2, 1000, shift=10**6), trained_on)
    [gain] = [m for m in measure_drift(beyond, trained_on, SCHEMA, "") if m.name[0] == "g"]
    assert gain.value == pytest.approx(1.0)


def test_skew_goes_by_its_own_comparators_and_the_columns_that_were_sent() -> None:
    trained_on = statistics_of(rows(1, 4000))
    requests = statistics_like(rows(2, 1000, shift=700), trained_on)
    [gain] = measure_skew(requests, trained_on, SCHEMA, "c.pbtxt")
    assert (gain.exceeded, gain.key) == (True, "c.pbtxt: gain: skew_comparator")
    without = [pa.RecordBatch.from_arrays([b.column("job")], ["job"]) for b in rows(2, 1000)]
    assert measure_skew(statistics_like(without, trained_on), trained_on, SCHEMA, "") == []


def test_evidence_of_distances() -> None:
    trained_on = statistics_of(rows(1, 2000))

    def measure(shift: int) -> list:
        new = statistics_like(rows(2, 1000, shift), trained_on)
        return measure_drift(new, trained_on, SCHEMA, "c")

    quiet = of_distances("drift", "span 3", 1000, 500, lambda: measure(0))
    assert (quiet.state, quiet.message) == (
        "quiet",
        "span 3: all 2 features are within their bounds",
    )
    far = of_distances("drift", "span 3", 1000, 500, lambda: measure(700))
    assert (far.state, far.message) == ("reason", "span 3: gain is beyond the bounds")
    few = of_distances("drift", "span 3", 499, 500, lambda: measure(700))
    assert (few.state, few.message) == (
        "unknown",
        "span 3: 499 rows, retrain.min_rows=500 are needed",
    )
    assert of_distances("skew", "requests", 900, 500, list).state == "unknown"


@pytest.mark.parametrize("comparator", ["drift_comparator", "skew_comparator"])
def test_a_distance_of_categories_on_numbers_is_refused(tmp_path: Path, comparator: str) -> None:
    path = tmp_path / "schema.pbtxt"
    path.write_text(
        f'feature {{ name: "age" type: INT {comparator} {{ infinity_norm {{ threshold: 0.1 }} }} }}'
    )
    with pytest.raises(InputError, match=rf"'age': {comparator}.*use jensen_shannon_divergence"):
        read_contract(path)


def test_why_it_is_refused_infinity_norm_of_numbers_is_0() -> None:
    schema = schema_pb2.Schema()
    schema.CopyFrom(SCHEMA)
    gain = tfdv.get_feature(schema, "gain")
    gain.drift_comparator.ClearField("jensen_shannon_divergence")
    gain.drift_comparator.infinity_norm.threshold = 0.01
    trained_on, moved = statistics_of(rows(1, 2000)), statistics_of(rows(2, 2000, shift=700))
    [far] = [m for m in measure_drift(moved, trained_on, schema, "") if m.name.startswith("gain")]
    assert far.value == 0.0
