"""What the benchmarks by number of gold rows share: a point for each seed, tables, SVG curves."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair

from benchmarks import end_model, report
from benchmarks.end_model import METRICS, Prepared
from core.config import Config

IMAGES = Path(__file__).parent.parent / "docs" / "images"
LABELS = {"auc": "AUC on test", "f1": "F1 on test"}

Point = Mapping[str, Any]
"""One model: `series`, `seed`, `gold_rows`, and METRICS on test."""


def main(
    name: str,
    parser: argparse.ArgumentParser,
    log: bool,
    measured: Callable[[Prepared, argparse.Namespace], Iterable[Point]],
    tables: Callable[[Sequence[Point]], str],
) -> int:
    """Measures, prints, writes and draws; 1 when a run failed.

    Args:
      name: Of the benchmark and of its files.
      parser: Of `report.parser`, with seeds.
      log: Whether the axis of gold rows is logarithmic.
      measured: The points, each printed as it comes.
      tables: From all points to Markdown.
    """
    parser.add_argument("--root", type=Path, metavar="DIR", help="take the rows of its last run")
    parser.add_argument("--images", type=Path, default=IMAGES, metavar="DIR")
    options = parser.parse_args()
    points: list[Point] = []

    def results(scratch: Path) -> tuple[str, dict[str, Any]]:
        prepared = end_model.prepare(options.root or scratch, finished=options.root is not None)
        for each in measured(prepared, options):
            print(each, file=sys.stderr, flush=True)
            points.append(each)
        return tables(points), {"seeds": options.seeds, "points": points}

    if failed := report.run(f"benchmarks.{name}", name, options.results, results):
        return failed
    draw(points, log, options.images / f"{name}.svg")
    return 0


def configured(config: Config, seed: int, gold_rows: int, **labeling: Any) -> Config:
    """The configuration with another seed, budget of gold rows, and other keys of `labeling`."""
    section = config.labeling.model_copy(update={"gold_rows": gold_rows, **labeling})
    return config.model_copy(update={"seed": seed, "labeling": section})


def point(series: str, seed: int, gold_rows: int, found: Mapping[str, float]) -> Point:
    """A point from the metrics of a model."""
    of_model = {metric: found[metric] for metric in METRICS}
    return {"series": series, "seed": seed, "gold_rows": gold_rows, **of_model}


def sizes(points: Sequence[Point]) -> list[int]:
    """Numbers of gold rows, the smallest first."""
    return sorted({each["gold_rows"] for each in points})


def at(points: Sequence[Point], series: str, size: int, metric: str) -> list[float]:
    """A metric of a series with so many gold rows, a value for each seed."""
    return [p[metric] for p in points if (p["series"], p["gold_rows"]) == (series, size)]


def draw(points: Sequence[Point], log: bool, path: Path) -> None:
    """Draws mean and standard deviation of AUC and F1 side by side, a line for each series.

    Args:
      points: One a seed and series.
      log: Whether the axis of gold rows is logarithmic.
      path: The SVG file; its folder is made.
    """
    base = altair.Chart(altair.Data(values=[dict(each) for each in points]))
    scale = altair.Scale(type="log" if log else "linear", nice=False, padding=10)
    across = altair.X("gold_rows", type="quantitative", title="gold rows", scale=scale).axis(
        values=sizes(points), labelAngle=-45, format=",d", grid=False
    )
    colour = altair.Color("series", type="nominal", title=None)
    panels = []
    for metric, label in LABELS.items():
        y = altair.Y(metric, type="quantitative", title=label, scale=altair.Scale(zero=False))
        spread = base.mark_errorbar(extent="stdev", opacity=0.5).encode(x=across, y=y, color=colour)
        mean = y.aggregate("mean")
        line = base.mark_line(point=True).encode(x=across, y=mean, color=colour)
        panels.append((spread + line).properties(width=300, height=220))
    chart = altair.hconcat(*panels).configure(background="white")
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.configure_legend(orient="bottom").save(str(path))
