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
from collections.abc import Iterator, Sequence

from benchmarks import curves, end_model, report
from benchmarks.curves import Point
from benchmarks.end_model import METRICS, Prepared
from pipeline.labels import analysis

BUDGETS = (50, 100, 200, 500, 1_628, 6_512)
MORE_SEEDS_AT = 200
SERIES = ("weak + gold", "gold alone", "logistic regression, gold alone")


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, (11, 12, 13))
    parser.add_argument("--budgets", type=report.seeds, default=BUDGETS, metavar="50,200")
    parser.add_argument("--more-seeds", type=report.seeds, default=(14, 15), metavar="14,15")
    return curves.main("gold_curve", parser, log=True, measured=measured, tables=tables)


def measured(prepared: Prepared, options: argparse.Namespace) -> Iterator[Point]:
    """The three models with each draw of gold rows."""
    for budget in options.budgets:
        more = options.more_seeds if budget == MORE_SEEDS_AT else ()
        for seed in (*options.seeds, *more):
            told = {"gold_choice": "random", "even_errors": 0.0}
            config = curves.configured(prepared.config, seed, budget, **told)
            applied = analysis.with_gold(prepared.applied, config, prepared.folder, prepared.staged)
            at, labels = list(applied.gold), list(applied.gold.values())
            rows = end_model.weak_labels(prepared, applied, seed)
            found = (
                end_model.train(prepared, rows, seed),
                end_model.train_on_gold(prepared, at, labels, seed),
                end_model.regression_on_gold(prepared, at, labels),
            )
            for name, metrics in zip(SERIES, found, strict=True):
                yield curves.point(name, seed, budget, metrics)


def tables(points: Sequence[Point]) -> str:
    """A table for each metric, a row for each budget."""
    parts = ["On `test` (16,281 rows). Mean ± sample standard deviation over the seeds.\n"]
    for metric in METRICS:
        rows = []
        for budget in curves.sizes(points):
            by_series = [curves.at(points, name, budget, metric) for name in SERIES]
            cells = [report.with_deviation(values, ".4f") for values in by_series]
            gains = [weak - gold for weak, gold in zip(*by_series[:2], strict=True)]
            cells.append(report.with_deviation(gains, "+.4f"))
            rows.append([f"{budget:,}", str(len(gains)), *cells])
        header = (f"{metric}, by gold rows", "seeds", *SERIES, "gain of weak over gold alone")
        parts.append(report.table(header, rows))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
