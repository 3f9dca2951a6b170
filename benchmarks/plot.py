"""Curves as SVG files for the documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LABELS = {"auc": "AUC on test", "f1": "F1 on test"}


def curves(points: Sequence[Mapping[str, Any]], x: str, title: str, log: bool, path: Path) -> None:
    """Draws mean and standard deviation of AUC and F1 side by side, a line for each series.

    Args:
      points: One a seed and series: `series`, `auc`, `f1`, and the number on the x axis.
      x: Key of that number.
      title: Of the x axis.
      log: Whether the x axis is logarithmic.
      path: The SVG file; its folder is made.
    """
    values = altair.Data(values=[dict(point) for point in points])
    ticks = sorted({int(point[x]) for point in points})
    scale = altair.Scale(type="log" if log else "linear", nice=False, padding=10)
    at = altair.X(x, type="quantitative", title=title, scale=scale).axis(
        values=ticks, labelAngle=-45, format=",d", grid=False
    )
    panels = []
    for metric, label in LABELS.items():
        y = altair.Y(
            metric, type="quantitative", title=label, scale=altair.Scale(zero=False)
        ).aggregate("mean")
        colour = altair.Color("series", type="nominal", title=None)
        base = altair.Chart(values)
        spread = base.mark_errorbar(extent="stdev", opacity=0.5).encode(
            x=at,
            y=altair.Y(metric, type="quantitative", title=label, scale=altair.Scale(zero=False)),
            color=colour,
        )
        line = base.mark_line(point=True).encode(x=at, y=y, color=colour)
        panels.append((spread + line).properties(width=300, height=220))
    chart = altair.hconcat(*panels).configure(background="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.configure_legend(orient="bottom").save(str(path))
