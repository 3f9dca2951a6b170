"""What makes labels of 200 gold rows better: which rows, which method, which functions.

    make benchmark BENCHMARK=labels.ways                       # seeds 31 to 35, 200 gold rows
    make benchmark BENCHMARK=labels.ways ARGS="--root DIR"     # on the last run of census there

The census, the DAG's teacher on its own preprocessing (benchmarks/end_model.py), trained on the
labels of each way and measured on the test part. The seed draws the gold rows, the initial weights
and the order of rows. `few functions` are the first 25 of the module, `chosen` rows those of
`labeling.gold_choice: informative`.

Writes ways.md and ways.json to benchmarks/results/.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import curves, end_model, report
from benchmarks.end_model import Prepared
from pipeline.labels import analysis

FEW = 25  # functions
# By way: rows, method, whether all functions vote.
WAYS: dict[str, tuple[str, str, bool]] = {
    "chosen rows, votes and columns": ("informative", "votes_and_columns", True),
    "random rows, votes and columns": ("random", "votes_and_columns", True),
    "random rows, average": ("random", "average", True),
    "random rows, average, few functions": ("random", "average", False),
    "chosen rows, votes and columns, few functions": ("informative", "votes_and_columns", False),
}
METRICS = ("auc", "f1", "accuracy")
Values = dict[str, dict[str, list[float]]]
"""Metrics by way, a value for each seed."""


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, (31, 32, 33, 34, 35))
    parser.add_argument("--root", type=Path, metavar="DIR", help="its last run of census is taken")
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        prepared = end_model.prepare(options.root or scratch, options.root is not None)
        found = measure_all(prepared, options.seeds)
        return tables(found, options.seeds), {"seeds": options.seeds, "results": found}

    return report.run("benchmarks.labels.ways", "ways", options.results, measured)


def measure_all(prepared: Prepared, seeds: Sequence[int]) -> Values:
    """Metrics of each way, a value for each seed."""
    found: Values = {}
    for way, (choice, method, every) in WAYS.items():
        for seed in seeds:
            changes = {"gold_choice": choice, "method": method}
            config = curves.configured(prepared.config, seed, 200, **changes)
            mine = replace(prepared, config=config)
            applied = prepared.applied if every else with_few_functions(prepared.applied)
            applied = analysis.with_gold(applied, config, prepared.folder, prepared.staged)
            rows = end_model.weak_labels(mine, applied, seed)
            note(found, way, end_model.train(mine, rows, seed))
    return found


def with_few_functions(applied: analysis.Applied) -> analysis.Applied:
    """The same rows without the votes of the later functions."""
    return replace(applied, functions=applied.functions[:FEW], votes=applied.votes[:, :FEW])


def note(found: Values, way: str, metrics: Mapping[str, float]) -> None:
    """Adds the metrics of a seed, and prints them."""
    for name in METRICS:
        found.setdefault(way, {}).setdefault(name, []).append(float(metrics[name]))
    print(way, {name: round(values[-1], 4) for name, values in found[way].items()}, file=sys.stderr)


def tables(found: Mapping[str, Mapping[str, Sequence[float]]], seeds: Sequence[int]) -> str:
    """A line for each way."""
    rows = [
        (way, *(report.with_deviation(values[name], ".4f") for name in METRICS))
        for way, values in found.items()
    ]
    said = f"On `test` (16,281 rows), 200 gold rows. {report.over(seeds)}\n"
    return "\n".join([said, report.table(("labels", *METRICS), rows)])


if __name__ == "__main__":
    sys.exit(main())
