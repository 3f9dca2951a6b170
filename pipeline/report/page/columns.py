"""Columns of the data as their statistics show them: values, distributions, distances.

Needs the statistics alone that StatisticsGen wrote, and no TensorFlow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from core.names import ROW_ID

FEW = 10  # rows: a value that fewer have is not named, it would tell of single rows
SHOWN = 8  # values of a column that are drawn one by one
_STANDARD = statistics_pb2.Histogram.STANDARD
_NORM, _DIVERGENCE = "infinity norm", "Jensen-Shannon divergence"
_WIDTH, _HEIGHT = 152, 42  # pixels of a small picture


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes:
      low, high, mean, spread, median: Of its values; spread is the standard deviation.
      edges: Of its histogram, ascending, one more than `shares`.
      shares: Of the values in each bucket.
      cumulative: Values and the share of rows that are not above them, ascending.
    """

    low: float
    high: float
    mean: float
    spread: float
    median: float
    edges: np.ndarray
    shares: np.ndarray
    cumulative: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Values:
    """A column of texts: how many different ones, and the share of each, the commonest first.

    `length`: of a text on average, in characters.
    """

    different: int
    shares: Mapping[str, float]
    length: float


@dataclass(frozen=True)
class ColumnStatistics:
    """A column in one part of the data; `missing` is the share of rows without a value."""

    rows: int
    missing: float
    content: Numbers | Values | None


def read_columns(path: Path) -> dict[str, ColumnStatistics]:
    """The columns in a file of statistics, by name, without the row id.

    Raises:
      OSError: It cannot be read.
      DecodeError: It is damaged.
    """
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes())
    columns = {}
    for feature in found.datasets[0].features if found.datasets else ():
        name = feature.name or ".".join(feature.path.step)
        if name != ROW_ID:
            columns[name] = _column(feature)
    return columns


def _column(feature: statistics_pb2.FeatureNameStatistics) -> ColumnStatistics:
    kind = str(feature.WhichOneof("stats"))
    common = getattr(feature, kind).common_stats
    rows = int(common.num_missing + common.num_non_missing)
    content: Numbers | Values | None = None
    if common.num_non_missing:
        if kind == "num_stats":
            content = _numbers(feature.num_stats)
        elif kind == "string_stats":
            content = _values(feature.string_stats)
    return ColumnStatistics(rows, common.num_missing / rows if rows else 0.0, content)


def _numbers(found: statistics_pb2.NumericStatistics) -> Numbers | None:
    histograms = {h.type: h for h in found.histograms if h.buckets}
    if _STANDARD not in histograms:
        return None
    edges, counts = _buckets(histograms[_STANDARD])
    if not counts.sum() or not np.isfinite(edges).all():
        return None
    points = [(edges[1:], np.cumsum(counts) / counts.sum())]
    for kind, histogram in histograms.items():
        ends, number = _buckets(histogram)
        if kind != _STANDARD and number.sum() and np.isfinite(ends).all():
            points.append((ends[1:], np.cumsum(number) / number.sum()))
    return Numbers(
        found.min,
        found.max,
        found.mean,
        found.std_dev,
        found.median,
        edges,
        counts / counts.sum(),
        _cumulative(points, found.min),
    )


def _buckets(histogram: statistics_pb2.Histogram) -> tuple[np.ndarray, np.ndarray]:
    buckets = histogram.buckets
    edges = np.array([*(bucket.low_value for bucket in buckets), buckets[-1].high_value])
    return edges, np.array([bucket.sample_count for bucket in buckets])


def _cumulative(
    points: Sequence[tuple[np.ndarray, np.ndarray]], low: float
) -> tuple[np.ndarray, np.ndarray]:
    """What the ends of all buckets say of the distribution, those of equal counts too.

    Where a value is that of many rows, several such ends are this value, and the last one tells.
    """
    at = np.concatenate([*(values for values, _ in points), [low]])
    share = np.concatenate([*(shares for _, shares in points), [0.0]])
    order = np.lexsort((share, at))
    at, share = at[order], np.maximum.accumulate(share[order])
    last = np.append(at[1:] != at[:-1], True)
    return at[last], share[last]


def _values(found: statistics_pb2.StringStatistics) -> Values:
    counts = {bucket.label: bucket.sample_count for bucket in found.rank_histogram.buckets}
    total = sum(counts.values()) or 1.0
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    shares = {value: counts[value] / total for value in ranked}
    return Values(int(found.unique), shares, found.avg_length)


@dataclass(frozen=True)
class Distance:
    """How far a column is from what it was, by the distance that the contract bounds.

    bound: Of the contract; None where it has none.
    """

    kind: str
    value: float
    bound: float | None

    @property
    def exceeded(self) -> bool:
        """Whether it is beyond its bound."""
        return self.bound is not None and self.value > self.bound


def distance(
    now: ColumnStatistics, then: ColumnStatistics, feature: schema_pb2.Feature | None
) -> Distance | None:
    """The distance of a column between two windows of data; None where there is nothing to compare.

    The contract's drift comparator says which: the largest difference of a value's share
    (infinity norm), or the Jensen-Shannon divergence. Of numbers it is reckoned over the buckets of
    `then`, into which the histograms of `now` are spread: near what the rows themselves would give.
    """
    comparator = (feature or schema_pb2.Feature()).drift_comparator
    norm, divergence = comparator.infinity_norm, comparator.jensen_shannon_divergence
    diverges = comparator.HasField("jensen_shannon_divergence")
    one, other = now.content, then.content
    if isinstance(one, Numbers) and isinstance(other, Numbers):
        found = _divergence(spread(one, other.edges), spread(other, other.edges))
        return Distance(_DIVERGENCE, found, divergence.threshold if diverges else None)
    if isinstance(one, Values) and isinstance(other, Values):
        known = [*{**one.shares, **other.shares}]
        shares = [np.array([each.shares.get(v, 0.0) for v in known]) for each in (one, other)]
        if diverges:
            return Distance(_DIVERGENCE, _divergence(*shares), divergence.threshold)
        bound = norm.threshold if comparator.HasField("infinity_norm") else None
        return Distance(_NORM, float(np.abs(shares[0] - shares[1]).max(initial=0.0)), bound)
    return None


def spread(numbers: Numbers, edges: np.ndarray) -> np.ndarray:
    """Shares of a column in buckets [n], and before and after them of what lies outside: [n + 2].

    A value on an edge is of the bucket below it, the smallest of the first one.
    """
    at, share = numbers.cumulative
    cumulative = np.interp(edges, at, share, left=0.0, right=1.0)
    below = cumulative[0] if numbers.low < edges[0] else 0.0
    inside = np.diff(cumulative)
    inside[0] += cumulative[0] - below
    return np.array([below, *inside, max(0.0, 1.0 - cumulative[-1])])


def _divergence(one: np.ndarray, other: np.ndarray) -> float:
    """Jensen-Shannon divergence in bits, 0 to 1."""
    middle = (one + other) / 2
    found = 0.0
    for shares in (one, other):
        there = shares > 0
        found += float((shares[there] * np.log2(shares[there] / middle[there])).sum()) / 2
    return max(0.0, found)


def named(values: Values, rows: int) -> dict[str, float]:
    """The shares of the values that are common enough to be named, the commonest first."""
    return {value: share for value, share in values.shares.items() if share * rows >= FEW}


def picture(now: ColumnStatistics, then: ColumnStatistics | None) -> Markup:
    """A small picture of a distribution, the one of before as an outline; empty without one."""
    before = then.content if then else None
    if isinstance(now.content, Numbers):
        edges = now.content.edges
        old = spread(before, edges)[1:-1] if isinstance(before, Numbers) else None
        label = f"equal steps from {now.content.low:g} to {now.content.high:g}"
        return _bars(now.content.shares, old, label)
    if isinstance(now.content, Values):
        shown = [*named(now.content, now.rows)][:SHOWN]
        if not shown:
            return Markup("")
        bars = np.array([now.content.shares[value] for value in shown])
        old = None
        if isinstance(before, Values):
            old = np.array([before.shares.get(value, 0.0) for value in shown])
        return _bars(bars, old, f"the {len(shown)} commonest values" if len(shown) > 1 else "one")
    return Markup("")


def _bars(shares: np.ndarray, old: np.ndarray | None, label: str) -> Markup:
    top = max(float(shares.max()), float(old.max()) if old is not None else 0.0) or 1.0
    step = _WIDTH / len(shares)
    high = (_HEIGHT - 2) / top
    bars = Markup("").join(
        Markup('<rect class="now" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            n * step + 0.5, _HEIGHT - 1 - share * high, max(step - 1, 1), share * high
        )
        for n, share in enumerate(shares)
    )
    line = Markup("")
    if old is not None:
        points = "".join(
            f"{'L' if n else 'M'}{n * step:.1f},{_HEIGHT - 1 - share * high:.1f}h{step:.1f}"
            for n, share in enumerate(old)
        )
        line = Markup('<path class="then" d="{}"/>').format(points)
    return Markup(
        '<svg class="spark" viewBox="0 0 {w} {h}" preserveAspectRatio="none" role="img" '
        'aria-label="{label}"><line class="base" x1="0" x2="{w}" y1="{y}" y2="{y}"/>{bars}{line}'
        "</svg>"
    ).format(w=_WIDTH, h=_HEIGHT, y=_HEIGHT - 0.5, label=f"Shares: {label}", bars=bars, line=line)
