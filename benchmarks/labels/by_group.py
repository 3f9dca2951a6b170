"""Labels by group: gaps between groups and AUC with and without, for columns and rates.

    make benchmark BENCHMARK=labels.by_group                       # seeds 31 to 35, 200 gold rows
    make benchmark BENCHMARK=labels.by_group ARGS="--gold 1000 --name labels_by_group_1000"
    make benchmark BENCHMARK=labels.by_group ARGS="--root DIR"     # on the last run of census there

The census, the DAG's teacher on its own preprocessing (benchmarks/end_model.py): once on the labels
as they are, and once for each column and rate on labels by group. The seed draws the gold rows, the
initial weights and the order of rows. Groups with fewer than 300 test rows, or fewer than 30 that
the rate is a share of, are left out of the gaps.

Writes labels_by_group.md and labels_by_group.json, or those of --name, to benchmarks/results/.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import curves, end_model, report
from benchmarks.end_model import Prepared
from core import csv_text
from core.sections.fairness import Rate
from models.labels import groups as label_groups
from models.labels.by_group.rows import counts_of_groups, rows_of_groups
from models.labels.by_group.shifts import find, shifted
from models.labels.rows import coded
from models.labels.votes import POSITIVE, Gold
from models.metrics.registry import OF_TWO, THRESHOLD
from pipeline.labels import analysis

CASES: tuple[tuple[str, Rate], ...] = (
    ("sex", "tpr"),
    ("sex", "fpr"),
    ("sex", "selection_rate"),
    ("race", "tpr"),
    ("age_group", "tpr"),
)
LEAST_ROWS, LEAST_OF_RATE = 300, 30
FIGURES = ("gap", "auc", "accuracy")
Labels = NDArray[np.float64]
Values = dict[str, dict[str, list[float]]]
"""Figures by case, before and after: a value for each seed."""


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, (31, 32, 33, 34, 35))
    parser.add_argument("--name", default="labels_by_group", help="of the files")
    parser.add_argument("--gold", type=int, default=200, help="gold rows (default: %(default)s)")
    parser.add_argument("--root", type=Path, metavar="DIR", help="its last run of census is taken")
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        prepared = end_model.prepare(options.root or scratch, options.root is not None)
        found = measure_all(prepared, options.seeds, options.gold)
        values = {"seeds": options.seeds, "gold_rows": options.gold, "results": found}
        return tables(found, options.seeds, options.gold), values

    return report.run("benchmarks.labels.by_group", options.name, options.results, measured)


def measure_all(prepared: Prepared, seeds: Sequence[int], gold_rows: int) -> Values:
    """Figures of each case, before and after, a value for each seed."""
    found: Values = {}
    groups = groups_of_test(prepared, sorted({column for column, _ in CASES}))
    truth = prepared.test.label[:, 0]
    for seed in seeds:
        config = curves.configured(prepared.config, seed, gold_rows)
        applied = analysis.with_gold(prepared.applied, config, prepared.folder, prepared.staged)
        rows = end_model.weak_labels(prepared, applied, seed)
        probability = analysis.probability(applied, config)
        before = end_model.answers(prepared, rows, seed)
        for column, rate in CASES:
            moved = labels_by_group(applied, probability, rows.label, column, rate)
            after = end_model.answers(prepared, replace(rows, label=moved), seed)
            of_case = found.setdefault(f"{rate} by {column}", {})
            for when, answers in (("before", before), ("after", after)):
                figures = {
                    **OF_TWO.overall(truth, answers),
                    "gap": gap(
                        answers.astype(np.float64), truth.astype(np.float64), groups[column], rate
                    ),
                }
                for name in FIGURES:
                    of_case.setdefault(f"{name} {when}", []).append(float(figures[name]))
    return found


def labels_by_group(
    applied: analysis.Applied, probability: Labels, label: Any, column: str, rate: Rate
) -> Any:
    """Labels float32 [rows, 1] moved as the labeler moves them: not those of gold rows."""
    at = list(applied.gold)
    every = np.arange(len(probability))  # columns tell rows with the same votes apart
    named = coded([label_groups.name_of(value) for value in applied.table.groups[column]])
    counts = counts_of_groups(named, every, len(every))
    labels = np.array(list(applied.gold.values()), dtype=np.int8)
    random = np.array([n not in applied.chosen for n in at])
    gold = Gold(applied.votes[at], labels, random)
    of_gold = [str(named.at(n)) for n in at]
    rows = rows_of_groups(counts, applied.votes, probability, gold, of_gold)
    names = [str(named.values[code]) for code in named.codes.tolist()]
    shifts = find(column, rate, rows).shifts(names, applied.votes)
    shifts[at] = 0.0
    return shifted(label, shifts[:, None]).astype(np.float32)


def groups_of_test(prepared: Prepared, columns: Sequence[str]) -> dict[str, NDArray[np.str_]]:
    """Groups of the test rows, by column."""
    path = Path(prepared.staged.path) / "test" / "data.csv"
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = csv_text.read(file, str(path))
    return {name: np.array([row[header.index(name)] for row in rows]) for name in columns}


def gap(answers: NDArray[Any], truth: NDArray[Any], groups: NDArray[np.str_], rate: Rate) -> float:
    """Largest difference of a rate between the groups that are large enough."""
    of_rates = {"tpr": truth == POSITIVE, "fpr": truth != POSITIVE}
    of_rate = of_rates.get(rate, np.ones(len(truth), dtype=bool))
    rates = [
        float((answers[of_rate & mine] > THRESHOLD).mean())
        for mine in (groups == name for name in np.unique(groups))
        if mine.sum() >= LEAST_ROWS and (of_rate & mine).sum() >= LEAST_OF_RATE
    ]
    return max(rates) - min(rates)


def tables(
    found: Mapping[str, Mapping[str, Sequence[float]]], seeds: Sequence[int], gold: int
) -> str:
    """A line for each case."""
    rows = []
    for case, values in found.items():
        cells = [
            report.with_deviation(values[f"{name} {when}"], ".3f" if name == "gap" else ".4f")
            for name in FIGURES
            for when in ("before", "after")
        ]
        rows.append((case, *cells))
    heads = [f"{name} {when}" for name in FIGURES for when in ("before", "after")]
    said = f"On `test` (16,281 rows), {gold:,} gold rows. {report.over(seeds)}\n"
    return "\n".join([said, report.table(("alike", *heads), rows)])


if __name__ == "__main__":
    sys.exit(main())
