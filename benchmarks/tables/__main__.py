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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from benchmarks.report import Check, at_least
from benchmarks.tables import made, packaged
from benchmarks.tables.table import LABEL, StudyTable
from core.files import REPOSITORY
from pipeline.report import summary

PACKAGED: tuple[Callable[[], StudyTable], ...] = (
    packaged.census,
    packaged.german,
    packaged.pima,
    packaged.reactions,
    packaged.taxi,
    packaged.sms,
    packaged.cancer,
    packaged.wine,
    packaged.digits,
    packaged.progression,
)
MADE: tuple[Callable[[int], StudyTable], ...] = (
    made.wide,
    made.linear,
    made.xor,
    made.places,
    made.rare,
    made.crossed,
)
NAMES = [make.__name__ for make in (*PACKAGED, *MADE)]
ALLOWED = {"server": 0.005, "edge": 0.01}
_NEEDED = ("pipeline", "components", "models", "core", "data", "configs", "schema", "environment")


def table_of(name: str, seed: int) -> StudyTable:
    """The table of a name; a made one by its seed."""
    by_name = {make.__name__: make for make in PACKAGED}
    if name in by_name:
        return by_name[name]()
    return {make.__name__: make for make in MADE}[name](seed)


def run(name: str, seed: int, folder: Path) -> dict[str, float]:
    """One run: AUC by target and reference, rows of the training and the test part, CPU seconds."""
    copy = folder / "repository"
    for part in _NEEDED:
        shutil.copytree(
            REPOSITORY / part, copy / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(REPOSITORY / "pyproject.toml", copy)
    table, file = table_of(name, seed), folder / "table.csv"
    table.frame.to_csv(file, index=False)
    pipeline, called = [sys.executable, "-m", "pipeline"], f"study_{name}"
    described = ["--csv", str(file), "--label", LABEL, "--positive", table.positive]
    measure.run([*pipeline, "init", *described, "--name", called, "--mode", "gold"], copy)
    cost = measure.run([*pipeline, "run", "--config", called, "--set", f"seed={seed}"], copy)
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
    parser.add_argument("--tables", type=lambda text: text.split(","), default=NAMES)
    arguments = parser.parse_args()
    if unknown := set(arguments.tables) - set(NAMES):
        parser.error(f"--tables: there is no {', '.join(sorted(unknown))}; there are {NAMES}")
    return report.run(
        "benchmarks.tables",
        "tables",
        arguments.results,
        lambda folder: measured(arguments.tables, arguments.seeds, folder),
    )


if __name__ == "__main__":
    sys.exit(main())
