"""Tables that nothing was tuned on: what `init` and the DAG make of them, beside the references.

    make benchmark BENCHMARK=tables                              # 16 tables, seeds 1 to 3: 48 runs
    make benchmark BENCHMARK=tables ARGS="--tables wine,xor --seeds 1"

Each table is a CSV file that `init` describes in a copy of the repository, in gold mode; then the
DAG runs with the defaults that `init` writes. The AUC of the server model, the edge model, logistic
regression and boosted trees are the summary's, on the test part that `init` drew. A made table is
drawn anew for each seed.

Writes tables.md and tables.json to benchmarks/results/.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from benchmarks.report import Check, at_least
from benchmarks.tables.described import NAMES, describe, repository_in, table_of
from pipeline.report import summary

ALLOWED = {"server": 0.005, "edge": 0.01}


def run(name: str, seed: int, folder: Path) -> dict[str, float]:
    """One run: AUC by target and reference, rows of the training and the test part, CPU seconds."""
    copy = repository_in(folder)
    called = describe(name, table_of(name, seed), copy, "--mode", "gold")
    command = [sys.executable, "-m", "pipeline", "run", "--config", called]
    cost = measure.run([*command, "--set", f"seed={seed}"], copy)
    [found] = (copy / "runs" / called / "reports").glob(f"*/{summary.FILE}")
    read = summary.read(found)
    values = {
        "cpu_seconds": cost.cpu_seconds,
        **{f"{k} rows": v for k, v in read.data.rows.items()},
    }
    for target, variant in read.targets.items():
        values[target] = read.models[variant].metrics["auc"] or 0.0
        values[f"{target} pushed"] = float(read.pushed[target].version is not None)
    return values | {n: r.metrics["auc"] or 0.0 for n, r in read.references.items()}


def measured(
    names: Sequence[str], seeds: Sequence[int], folder: Path
) -> tuple[str, dict[str, Any]]:
    """All runs: the table, and the values."""
    values: dict[str, list[dict[str, float]]] = {}
    for name in names:
        for seed in seeds:
            place = folder / f"{name}-{seed}"
            place.mkdir()
            values.setdefault(name, []).append(run(name, seed, place))
            shutil.rmtree(place)
            print(name, seed, values[name][-1], flush=True)
    return tabulated(values, seeds)


def tabulated(
    values: dict[str, list[dict[str, float]]], seeds: Sequence[int]
) -> tuple[str, dict[str, Any]]:
    """What `run` returned, by table and seed, as a table with its checks, and the values."""
    rows, checks = [], list[Check]()
    shown = ("server", "edge", "logistic_regression", "boosted_trees")
    for name, runs in values.items():
        means = {key: float(np.mean([found[key] for found in runs])) for key in runs[0]}
        cells = [report.with_deviation([found[key] for found in runs], ".4f") for key in shown]
        pushed = " / ".join(
            str(int(sum(found[f"{target} pushed"] for found in runs))) for target in ALLOWED
        )
        rows.append((name, f"{means['test rows']:,.0f}", *cells, f"{pushed} of {len(runs)}"))
        better = max(means[reference] for reference in shown[2:])
        for target, allowed in ALLOWED.items():
            asked = (
                f"{name}: AUC of the {target} model, at most {allowed} below the better reference"
            )
            checks.append(at_least(asked, means[target], better - allowed))
    header = ("table", "test rows", *shown, "pushed: server / edge")
    text = [report.table(header, rows), report.over(seeds), report.checks_table(checks)]
    return "\n\n".join(text), {"runs": values, "checks": checks}


def main() -> int:
    """Entry point."""
    parser = report.parser(__doc__, (1, 2, 3))
    parser.add_argument("--tables", type=report.listed, default=NAMES)
    arguments = parser.parse_args()
    report.check_known(parser, arguments.tables, NAMES)
    return report.run(
        "benchmarks.tables",
        "tables",
        arguments.results,
        lambda folder: measured(arguments.tables, arguments.seeds, folder),
    )


if __name__ == "__main__":
    sys.exit(main())
