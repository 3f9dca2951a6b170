"""The pictures of the threshold explorer, as they are before the slider moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from core.answers import THRESHOLD
from models.metrics.gates import OVERALL
from pipeline.report.page import html, specs
from pipeline.report.page.groups import SliceGroup, labels_of
from pipeline.report.page.score_counts import QUALITY, RATES, Counts
from pipeline.report.page.threshold_gates import ThresholdGates

TITLES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "tpr": "TPR",
    "fpr": "FPR",
    "selection_rate": "selection rate",
}
"""What metrics are called."""

_CURVES = "explorer-curves-"
_DOTS = "explorer-"
_CURVE_STEP = 4  # bins between two points of a curve
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3]]


@dataclass(frozen=True)
class Explored:
    """What the slider moves of a target.

    Attributes:
      counts: By group.
      places: Places of the groups in the page's data, "overall" first.
      gates: The gates of the target.
    """

    counts: Mapping[str, Counts]
    places: Mapping[str, int]
    gates: ThresholdGates


def charts_of(found: Mapping[str, Explored], single: Sequence[SliceGroup]) -> dict[str, specs.Spec]:
    """The pictures by their elements.

    Args:
      found: What is moved of each target.
      single: Groups of columns alone.
    """
    curves = {
        f"{_CURVES}{place}": _curves(target, explored.counts[OVERALL])
        for place, (target, explored) in enumerate(found.items())
    }
    dots = {f"{_DOTS}{rate}": _rates(found, single, rate) for rate in RATES if single}
    return {**curves, **dots}


def at_start(counts: Counts) -> dict[str, float | None]:
    """Quality and rates at the threshold that models decide at."""
    return counts.at(start(counts))


def start(counts: Counts) -> int:
    """The first bin above the threshold that models decide at."""
    return round(THRESHOLD * len(counts.negative))


def legend(found: Mapping[str, Explored]) -> Markup:
    """What stands above the pictures of groups."""
    heading = html.heading("Rates of the groups at this threshold")
    return heading + specs.legend(found, "lines: 95% intervals; dashed: all rows")


def pictures(
    found: Mapping[str, Explored], charts: Mapping[str, specs.Spec], groups: int
) -> Markup:
    """The places of the pictures; `groups`: how many groups they show."""
    made = [
        html.chart(f"{_DOTS}{rate}", f"{TITLES[rate]} of each group at the chosen threshold", "",
                   specs.height(groups, len(found)))
        for rate in RATES
        if f"{_DOTS}{rate}" in charts
    ]  # fmt: skip
    curves = [
        html.chart(f"{_CURVES}{n}", f"Quality of {target} at every threshold", "", 230)
        for n, target in enumerate(found)
    ]
    heading = html.heading("Quality at every threshold")
    return html.join([specs.grid(made, "small"), heading, specs.grid(curves)])


def _rates(found: Mapping[str, Explored], groups: Sequence[SliceGroup], rate: str) -> specs.Spec:
    called = labels_of(groups)
    drawn = []
    for group in groups:
        for target, explored in found.items():
            if (counts := explored.counts.get(group.name)) is not None:
                low, high = counts.interval(rate, start(counts)) or (None, None)
                told = {"value": at_start(counts)[rate], "low": low, "high": high}
                drawn.append({**point(called[group.name], group, target), **told})
    overall = [
        {"target": target, "value": value}
        for target, explored in found.items()
        if (value := at_start(explored.counts[OVERALL])[rate]) is not None
    ]
    return specs.dots(drawn, [*found], TITLES[rate], overall, {"domain": [0, 1]}, labels=125)


def point(called: str, group: SliceGroup, target: str) -> dict[str, Any]:
    """A dot of a group, which is called so in the picture, without its value."""
    return {"group": called, "target": target, "few": not group.gated}


def _curves(target: str, counts: Counts) -> specs.Spec:
    bins = len(counts.negative)
    values = [
        {"threshold": k / bins, **{TITLES[m]: v for m, v in counts.at(k).items() if m in QUALITY}}
        for k in range(0, bins + 1, _CURVE_STEP)
    ]
    names = [TITLES[metric] for metric in QUALITY]
    x = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": "threshold",
         "axis": {"format": ".1f", "tickCount": 6}}  # fmt: skip
    y = {"type": "quantitative", "scale": {"domain": [0, 1]}, "title": None,
         "axis": {"format": ".1f", "tickCount": 6}}  # fmt: skip
    series = {"field": "metric", "type": "nominal", "sort": None}
    return {
        "title": {"text": target, "anchor": "start", "frame": "bounds"},
        "width": "container",
        "height": 170,
        "params": [{"name": "threshold", "value": THRESHOLD}],
        "data": {"values": values},
        "layer": [
            {
                "transform": [{"fold": names, "as": ["metric", "value"]}],
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "threshold", **x},
                    "y": {"field": "value", **y},
                    "color": {**series, "scale": {"domain": names}},
                    "strokeDash": {**series, "scale": {"domain": names, "range": _DASHES}},
                    "tooltip": specs.tooltip({"metric": "", "threshold": ".2f", "value": ".4f"}),
                },
            },
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "strokeWidth": 2, "color": "var(--ink)", "aria": False},
                "encoding": {"x": {"datum": {"expr": "threshold"}, **x}},
            },
        ],
    }
