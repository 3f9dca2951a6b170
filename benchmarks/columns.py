"""Columns of many values and of dates: made tables whose whole signal is in one column.

    make benchmark BENCHMARK=columns                        # seeds 1 to 3: six runs
    make benchmark BENCHMARK=columns ARGS="--seeds 1"       # one run for each table

`categories`: 40,000 rows, one column of 3,000 categories, each with a probability of its own.
`dates`: 8,000 rows, a date within three years, the probability goes by its month. Both have a
number beside it that says nothing, and a quarter of their rows is the test part. The DAG is run in
gold mode with the default settings; the AUC is the summary's. Beside it stands what knows where the
signal is: the mean of each category, smoothed towards the mean of all (m = 5), and a boosted tree
that is given the month; both are fitted to all training rows.

Writes columns.md and columns.json to benchmarks/results/.
"""

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from benchmarks import measure, report
from benchmarks.report import Check, at_least
from core.files import REPOSITORY
from pipeline.report import summary
from pipeline.report.summary import Variant

TARGETS: dict[str, Variant] = {"server": "teacher_pruned", "edge": "student_int8"}
ALLOWED = 0.01
_TEST = 0.25
_SMOOTHING = 5.0
_CATEGORIES = 3000
_START = date(2021, 1, 1)
_DAYS = 3 * 365

CONTRACT = """
feature {{ name: "{column}" type: BYTES presence {{ min_fraction: 0.9 }} }}
feature {{ name: "amount" type: FLOAT presence {{ min_fraction: 0.9 }} }}
feature {{ name: "answer" type: BYTES not_in_environment: "SERVING" }}
feature {{ name: "row_id" type: BYTES not_in_environment: "SERVING" }}
"""


@dataclass(frozen=True)
class Table:
    """A made table.

    Attributes:
      cells: The column that tells, as text.
      known: What a model that knows where the signal is may see of it: category or month, int.
      label: bool [rows].
      test: Which rows are of the test part, bool [rows].
    """

    cells: list[str]
    known: NDArray[np.int64]
    label: NDArray[np.bool_]
    test: NDArray[np.bool_]


def categories(seed: int) -> Table:
    """40,000 rows of 3,000 categories."""
    draw = np.random.default_rng(seed)
    known = draw.integers(0, _CATEGORIES, 40_000)
    chance = 1 / (1 + np.exp(-draw.normal(0, 1.2, _CATEGORIES)))
    return _table([f"P{code:05}" for code in known], known, chance[known], draw)


def dates(seed: int) -> Table:
    """8,000 rows of dates within three years."""
    draw = np.random.default_rng(seed)
    days = [_START + timedelta(int(day)) for day in draw.integers(0, _DAYS, 8_000)]
    known = np.array([day.month - 1 for day in days])
    chance = 1 / (1 + np.exp(-draw.permutation(np.linspace(-2, 2, 12))))
    return _table([day.strftime("%d.%m.%Y") for day in days], known, chance[known], draw)


def _table(
    cells: list[str],
    known: NDArray[np.int64],
    chance: NDArray[np.float64],
    draw: np.random.Generator,
) -> Table:
    label, test = draw.random(len(cells)) < chance, draw.random(len(cells)) < _TEST
    return Table(cells, known, label, test)


def smoothed_mean(table: Table) -> float:
    """AUC on the test part of the smoothed mean by category of the others."""
    train = ~table.test
    hits = np.bincount(table.known[train], table.label[train], _CATEGORIES)
    rows = np.bincount(table.known[train], minlength=_CATEGORIES)
    mean = (hits + _SMOOTHING * table.label[train].mean()) / (rows + _SMOOTHING)
    return float(roc_auc_score(table.label[table.test], mean[table.known[table.test]]))


def boosted_tree(table: Table) -> float:
    """AUC on the test part of a boosted tree that is given the month of the others."""
    months = table.known[:, np.newaxis]
    tree = HistGradientBoostingClassifier(random_state=1)
    tree.fit(months[~table.test], table.label[~table.test])
    answers = tree.predict_proba(months[table.test])[:, 1]
    return float(roc_auc_score(table.label[table.test], answers))


@dataclass(frozen=True)
class MadeColumn:
    """A made table, what knows where its signal is, and how the configuration names its column."""

    make: Callable[[int], Table]
    reference: Callable[[Table], float]
    called: str
    columns: dict[str, Any]


MADE = {
    "categories": MadeColumn(
        categories, smoothed_mean, "smoothed mean", {"categorical": ["place"]}
    ),
    "dates": MadeColumn(
        dates,
        boosted_tree,
        "boosted tree",
        {"dates": {"place": {"format": "%d.%m.%Y", "timezone": "UTC"}}},
    ),
}


def write(table: Table, columns: Mapping[str, Any], name: str, seed: int, folder: Path) -> Path:
    """Writes raw data, contract and configuration; the configuration's path."""
    amounts = np.random.default_rng(seed + 1000).normal(100, 20, len(table.cells))
    for part, wanted in (("span-1", ~table.test), ("test", table.test)):
        (folder / "raw" / part).mkdir(parents=True)
        with open(folder / "raw" / part / "data.csv", "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("place", "amount", "answer"))
            for n in np.flatnonzero(wanted):
                answer = "yes" if table.label[n] else "no"
                rows.writerow((table.cells[n], f"{amounts[n]:.2f}", answer))
    (folder / "schema.pbtxt").write_text(CONTRACT.format(column="place"))
    values = {
        "name": name,
        "seed": seed,
        # A made table repeats: few cells, and many rows.
        "data": {"folder": str(folder / "raw"), "max_repeated": None},
        "schema": str(folder / "schema.pbtxt"),
        "columns": {
            "label": "answer",
            "classes": ["no", "yes"],
            "positive": "yes",
            "numeric": ["amount"],
            **columns,
        },
        "labeling": {"mode": "gold"},
        "evaluation": {t: {"min": {"auc": 0.5}} for t in TARGETS},
    }
    path = folder / f"{name}.yaml"
    YAML().dump(values, path)
    return path


def run(name: str, seed: int, folder: Path) -> dict[str, float]:
    """One run: AUC by target and of what knows where the signal is, and what it cost."""
    study = MADE[name]
    table = study.make(seed)
    path = write(table, study.columns, name, seed, folder)
    command = [sys.executable, "-m", "pipeline", "run", "--config", str(path)]
    cost = measure.run([*command, "--root", str(folder / "runs")], REPOSITORY)
    [found] = (folder / "runs" / name / "reports").glob(f"*/{summary.FILE}")
    read = summary.read(found)
    values = {"reference": study.reference(table), "cpu_seconds": cost.cpu_seconds}
    for target, variant in TARGETS.items():
        values[target] = read.models[variant].metrics["auc"] or 0.0
        values[f"{target} bytes"] = read.models[variant].bytes
    return values


def measured(seeds: Sequence[int], folder: Path) -> tuple[str, dict[str, Any]]:
    """All runs: the table, and the values."""
    values: dict[str, list[dict[str, float]]] = {}
    for name in MADE:
        for seed in seeds:
            values.setdefault(name, []).append(run(name, seed, folder / f"{name}-{seed}"))
            print(name, seed, values[name][-1], flush=True)
    rows, checks = [], list[Check]()
    for name, runs in values.items():
        means = {key: float(np.mean([found[key] for found in runs])) for key in runs[0]}
        shown = [
            report.with_deviation([found[key] for found in runs], form)
            for key, form in (
                ("server", ".4f"),
                ("edge", ".4f"),
                ("reference", ".4f"),
                ("server bytes", ",.0f"),
                ("edge bytes", ",.0f"),
                ("cpu_seconds", ".0f"),
            )
        ]
        rows.append((name, *shown[:3], MADE[name].called, *shown[3:]))
        target = f"{name}: AUC of the server, at most {ALLOWED} below the {MADE[name].called}"
        checks.append(at_least(target, means["server"], means["reference"] - ALLOWED))
    header = (
        "table", "auc, server", "auc, edge", "auc, reference", "reference", "bytes, server",
        "bytes, edge", "CPU s of a run",
    )  # fmt: skip
    text = [report.table(header, rows), report.checks_table(checks)]
    return "\n\n".join(text), {"runs": values, "checks": checks}


def main() -> int:
    """Entry point."""
    arguments = report.parser(__doc__, (1, 2, 3)).parse_args()
    return report.run(
        "benchmarks.columns",
        "columns",
        arguments.results,
        lambda folder: measured(arguments.seeds, folder),
    )


if __name__ == "__main__":
    sys.exit(main())
