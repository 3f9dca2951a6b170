"""How many gold rows are worth it: weak supervision with gold rows against gold rows alone.

    make benchmark BENCHMARK=gold_curve                          # 50 to 6,512 gold rows
    make benchmark BENCHMARK=gold_curve ARGS="--budgets 50,200"  # some of them

The census, the DAG's teacher on its own preprocessing (benchmarks/end_model.py), three times:
`weak + gold` on the soft labels of all rows with the gold rows at their weight, `gold alone` on the
gold rows, and as a second reference logistic regression on the gold rows. Seeds 11 to 13, at 200
gold rows 11 to 15; the seed draws the gold rows, the initial weights and the order of rows.

Writes gold_curve.md and gold_curve.json to benchmarks/results/, and docs/images/gold_curve.svg.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import end_model, measure, plot, report
from benchmarks.end_model import METRICS, Prepared

BUDGETS = (50, 100, 200, 500, 1_628, 6_512)
MORE_SEEDS_AT = 200
SERIES = ("weak + gold", "gold alone", "logistic regression, gold alone")


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budgets", type=report.seeds, default=BUDGETS, metavar="50,200")
    parser.add_argument("--seeds", type=report.seeds, default=(11, 12, 13), metavar="11,12,13")
    parser.add_argument("--more-seeds", type=report.seeds, default=(14, 15), metavar="14,15")
    parser.add_argument("--root", type=Path, metavar="DIR", help="take the rows of its last run")
    parser.add_argument("--results", type=Path, default=report.RESULTS, metavar="DIR")
    parser.add_argument("--images", type=Path, default=plot.IMAGES, metavar="DIR")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            root = options.root or Path(scratch)
            prepared = end_model.prepare(root, finished=options.root is not None)
            points = [
                point
                for budget in options.budgets
                for seed in _seeds(options, budget)
                for point in measured(prepared, budget, seed)
            ]
    except measure.MeasurementError as error:
        print(error, file=sys.stderr)
        return 1
    values = {**report.origin("benchmarks.gold_curve"), "seeds": options.seeds, "points": points}
    report.write(options.results, "gold_curve", tables(points), values)
    plot.curves(points, "gold_rows", "gold rows", True, options.images / "gold_curve.svg")
    return 0


def _seeds(options: argparse.Namespace, budget: int) -> tuple[int, ...]:
    more = options.more_seeds if budget == MORE_SEEDS_AT else ()
    return (*options.seeds, *more)


def measured(prepared: Prepared, budget: int, seed: int) -> list[dict[str, Any]]:
    """AUC and F1 of the three models with one draw of gold rows."""
    from pipeline.labels import analysis

    labeling = prepared.config.labeling.model_copy(update={"gold_rows": budget})
    config = prepared.config.model_copy(update={"seed": seed, "labeling": labeling})
    applied = analysis.with_gold(prepared.applied, config, prepared.folder, prepared.staged)
    at, labels = list(applied.gold), list(applied.gold.values())
    rows = end_model.weak_labels(prepared, applied, seed)
    found = (
        end_model.train(prepared, rows, seed),
        end_model.train_on_gold(prepared, at, labels, seed),
        end_model.regression_on_gold(prepared, at, labels),
    )
    points = [
        {"series": name, "seed": seed, "gold_rows": budget}
        | {metric: metrics[metric] for metric in METRICS}
        for name, metrics in zip(SERIES, found, strict=True)
    ]
    for point in points:
        print(point, file=sys.stderr, flush=True)
    return points


def tables(points: Sequence[Mapping[str, Any]]) -> str:
    """A table for each metric, a row for each budget."""
    text = "On `test` (16,281 rows). Mean ± sample standard deviation over the seeds.\n"
    budgets = sorted({point["gold_rows"] for point in points})
    parts = [text]
    for metric in METRICS:
        rows = []
        for budget in budgets:
            by_series = [
                [p[metric] for p in points if (p["series"], p["gold_rows"]) == (name, budget)]
                for name in SERIES
            ]
            cells = [report.with_deviation(values, ".4f") for values in by_series]
            gains = [weak - gold for weak, gold in zip(*by_series[:2], strict=True)]
            cells.append(report.with_deviation(gains, "+.4f"))
            rows.append([f"{budget:,}", str(len(gains)), *cells])
        header = (f"{metric}, by gold rows", "seeds", *SERIES, "gain of weak over gold alone")
        parts.append(report.table(header, rows))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
