"""Distances between sets of rows, by the comparators of the contract.

Drift: new rows against the rows that the served model was trained on. Skew: requests against them.
The contract names the distance of each feature and its bound; TensorFlow Data Validation measures.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.data.statistics_gen import statistics_of
from pipeline.retraining.evidence import Evidence, Measurement

Statistics: TypeAlias = statistics_pb2.DatasetFeatureStatisticsList
_Measures = Literal["drift", "skew"]
_STANDARD = statistics_pb2.Histogram.STANDARD


def statistics_like(batches: Sequence[pa.RecordBatch], other: Statistics) -> Statistics:
    """Statistics of rows, with histograms over the buckets of other statistics.

    Where two histograms have different buckets, TFDV spreads the rows of a bucket evenly over it
    before it compares: two independent draws of a column that is mostly 0 then are far apart
    because their largest values differ. Values outside the other buckets get buckets of their own.

    Args:
        batches: rows, each column a list.
        other: statistics whose buckets are taken.
    """
    found = statistics_of(batches)
    buckets = {_name(f): _edges(f) for f in other.datasets[0].features}
    for feature in found.datasets[0].features:
        edges = buckets.get(_name(feature))
        if edges is not None and feature.WhichOneof("stats") == "num_stats":
            _rebucket(feature.num_stats, _numbers(batches, _name(feature)), edges)
    return found


def _name(feature: statistics_pb2.FeatureNameStatistics) -> str:
    return feature.name or ".".join(feature.path.step)


def _standard(numbers: statistics_pb2.NumericStatistics) -> statistics_pb2.Histogram | None:
    return next((h for h in numbers.histograms if h.type == _STANDARD), None)


def _edges(feature: statistics_pb2.FeatureNameStatistics) -> np.ndarray | None:
    histogram = _standard(feature.num_stats) if feature.HasField("num_stats") else None
    if histogram is None or not histogram.buckets:
        return None
    lows = [bucket.low_value for bucket in histogram.buckets]
    return np.array([*lows, histogram.buckets[-1].high_value])


def _numbers(batches: Sequence[pa.RecordBatch], column: str) -> np.ndarray:
    parts = [batch.column(column).flatten().to_numpy() for batch in batches]
    return np.concatenate(parts).astype(np.float64)


def _rebucket(
    statistics: statistics_pb2.NumericStatistics, numbers: np.ndarray, edges: np.ndarray
) -> None:
    histogram = _standard(statistics)
    if histogram is None or len(numbers) == 0:
        return
    numbers = np.sort(numbers)
    below, above = numbers[0] < edges[0], numbers[-1] > edges[-1]
    edges = np.concatenate([numbers[:1][: int(below)], edges, numbers[-1:][: int(above)]])
    # As in TFDV, a value on an edge is of the bucket below it, the smallest of the first bucket.
    cumulative = np.searchsorted(numbers, edges, side="right")
    cumulative[0] = 0
    counts = np.diff(cumulative)
    del histogram.buckets[:]
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)


def measure_drift(
    new: Statistics,
    trained_on: Statistics,
    schema: schema_pb2.Schema,
    contract: str,
) -> list[Measurement]:
    """The distance of each feature that the contract gives a drift comparator.

    Args:
        new: statistics of new rows.
        trained_on: statistics of the rows that the served model was trained on.
        schema: the contract.
        contract: its path, to name bounds by.
    """
    found = tfdv.validate_statistics(new, schema, previous_statistics=trained_on)
    return _measurements(found, "drift", contract)


def measure_skew(
    requests: Statistics,
    trained_on: Statistics,
    schema: schema_pb2.Schema,
    contract: str,
) -> list[Measurement]:
    """The distance of each feature that the contract gives a skew comparator, as `measure_drift`.

    Features that no request has are left out.
    """
    found = tfdv.validate_statistics(trained_on, schema, serving_statistics=requests)
    sent = {_name(feature) for feature in requests.datasets[0].features}
    return [m for m in _measurements(found, "skew", contract) if m.feature in sent]


def _measurements(
    found: anomalies_pb2.Anomalies, which: _Measures, contract: str
) -> list[Measurement]:
    measured = []
    for info in found.drift_skew_info:
        feature = ".".join(info.path.step)
        for distance in getattr(info, f"{which}_measurements"):
            kind = anomalies_pb2.DriftSkewInfo.Measurement.Type.Name(distance.type).lower()
            measured.append(
                Measurement(
                    name=f"{feature} {kind}",
                    value=distance.value,
                    bound=distance.threshold,
                    exceeded=distance.value > distance.threshold,
                    key=f"{contract}: {feature}: {which}_comparator",
                    feature=feature,
                )
            )
    return sorted(measured, key=lambda m: m.bound - m.value)


def of_distances(
    kind: _Measures,
    what: str,
    rows: int,
    min_rows: int,
    measure: Callable[[], Sequence[Measurement]],
) -> Evidence:
    """Whether rows are further from the training data than the contract allows.

    Args:
        kind: drift or skew.
        what: the rows, in words.
        rows: how many there are.
        min_rows: fewer are not measured.
        measure: gives the distances.
    """
    if rows < min_rows:
        too_few = f"{what}: {rows} rows, retrain.min_rows={min_rows} are needed"
        return Evidence(kind, "unknown", too_few)
    measured = list(measure())
    if not measured:
        none = f"{what}: the contract has no {kind}_comparator for a feature that is there"
        return Evidence(kind, "unknown", none)
    over = [str(m.feature) for m in measured if m.exceeded]
    if over:
        text = f"{what}: {', '.join(over)} {'is' if len(over) == 1 else 'are'} beyond the bounds"
    else:
        text = f"{what}: all {len(measured)} features are within their bounds"
    return Evidence(kind, "reason" if over else "quiet", text, measured)
