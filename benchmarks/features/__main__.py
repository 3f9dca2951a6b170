"""What `features.keep` keeps, and what that does to AUC, bytes and latency.

    make benchmark BENCHMARK=features                           # 16 tables, then 4 runs of the DAG
    make benchmark BENCHMARK=features ARGS="--run '' --seeds 1" # without the DAG
    make benchmark BENCHMARK=features ARGS="--run wide --run-seeds 1,2 --keep null,auto,2,0.9"

First, for the rule `auto` and each of the tables of the benchmark `tables`: how many columns it
keeps, and the AUC of logistic regression and boosted trees on rows that neither chose nor fitted,
with all columns and with those kept. Then the DAG, as `init` describes the table in gold mode, once
with each rule of `--keep`: AUC on the test part, bytes and latency of what would be pushed. Nothing
is explained: of 400 columns that takes several times as long as all other nodes. A made table is
drawn anew for each seed.

Writes features.md and features.json to benchmarks/results/.
"""

import dataclasses
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from benchmarks.features.choices import chosen
from benchmarks.report import Check, at_least
from benchmarks.tables.described import NAMES, describe, repository_in, table_of
from pipeline.report import summary

MODELS = {"logistic_regression": "logistic regression", "boosted_trees": "boosted trees"}
LOST = 0.003
"""Of AUC, at most, by what `auto` drops: the mean over seeds is uncertain by about as much."""

_TARGETS = "server", "edge"


def run(name: str, keep: str, seed: int, copy: Path) -> dict[str, float]:
    """One run of the DAG: columns read, AUC, bytes and microseconds by target, CPU seconds."""
    called, root = f"study_{name}", copy / f"runs-{keep}"
    command = [sys.executable, "-m", "pipeline", "run", "--config", called, "--root", str(root)]
    told = {"seed": seed, "features.keep": keep, "explain.enabled": "false"}
    options = [part for key, value in told.items() for part in ("--set", f"{key}={value}")]
    cost = measure.run([*command, *options], copy)
    [found] = (root / called / "reports").glob(f"*/{summary.FILE}")
    read = summary.read(found)
    values = {
        "columns": float(len((read.features or {"kept": []})["kept"])),
        "cpu_seconds": cost.cpu_seconds,
        "selector_seconds": read.nodes["FeatureSelector"].cpu_seconds,
    }
    for target, variant in read.targets.items():
        model = read.models[variant]
        values[target] = model.metrics["auc"] or 0.0
        values[f"{target} bytes"] = float(model.bytes)
        values[f"{target} us"] = model.latency_us["batch_1"]
    return values | {n: r.metrics["auc"] or 0.0 for n, r in read.references.items()}


def choices(names: Sequence[str], seeds: Sequence[int]) -> tuple[str, dict[str, Any], list[Check]]:
    """What `auto` keeps of each table: a table, the values, and whether AUC is lost."""
    values: dict[str, list[dict[str, Any]]] = {}
    rows, checks = [], list[Check]()
    for name in names:
        found = [chosen(table_of(name, seed), "auto", seed) for seed in seeds]
        values[name] = [dataclasses.asdict(one) for one in found]
        print(name, *values[name], sep="\n", flush=True)
        cells = [f"{found[0].rows:,}", str(found[0].columns)]
        cells.append(", ".join(str(one.kept) for one in found))
        means = []
        for model in MODELS:
            before, after = ([one.auc[model][at] for one in found] for at in (0, 1))
            cells += [report.with_deviation(part, ".4f") for part in (before, after)]
            means.append((float(np.mean(before)), float(np.mean(after))))
        without, with_rule = (max(pair[at] for pair in means) for at in (0, 1))
        asked = f"{name}: AUC that the better model gains by what auto keeps"
        checks.append(at_least(asked, with_rule - without, -LOST))
        rows.append((name, *cells, f"{np.mean([one.cpu_seconds for one in found]):.1f}"))
    shown = [f"{model}: {which}" for model in MODELS.values() for which in ("all", "kept")]
    header = ("table", "training rows", "columns", "kept, by seed", *shown, "CPU s")
    return report.table(header, rows), values, checks


def runs(
    names: Sequence[str], keeps: Sequence[str], seeds: Sequence[int], folder: Path
) -> tuple[str, dict[str, Any]]:
    """The DAG with each rule: a table and the values."""
    values: dict[str, dict[str, list[dict[str, float]]]] = {}
    for name in names:
        for seed in seeds:
            place = folder / f"{name}-{seed}"
            place.mkdir()
            copy = repository_in(place)
            describe(name, table_of(name, seed), copy, "--mode", "gold")
            for keep in keeps:
                found = run(name, keep, seed, copy)
                values.setdefault(name, {}).setdefault(keep, []).append(found)
                print(name, seed, keep, found, flush=True)
            shutil.rmtree(place)
    rows = [
        (f"{name}, {keep}", *_cells(found))
        for name, by_keep in values.items()
        for keep, found in by_keep.items()
    ]
    by_target = [f"{t}: {what}" for what in ("AUC", "bytes", "us/row") for t in _TARGETS]
    header = ("table, keep", "columns read", *by_target, "run: CPU s", "FeatureSelector: CPU s")
    return report.table(header, rows) if rows else "", values


def _cells(found: Sequence[dict[str, float]]) -> list[str]:
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    return [
        ", ".join(f"{one['columns']:.0f}" for one in found),
        *(report.with_deviation([one[target] for one in found], ".4f") for target in _TARGETS),
        *(f"{means[f'{target} bytes']:,.0f}" for target in _TARGETS),
        *(f"{means[f'{target} us']:,.1f}" for target in _TARGETS),
        f"{means['cpu_seconds']:.0f}",
        f"{means['selector_seconds']:.1f}",
    ]


def main() -> int:
    """Entry point."""
    parser = report.parser(__doc__, (1, 2, 3))
    parser.add_argument("--tables", type=report.listed, default=NAMES)
    parser.add_argument("--run", type=report.listed, default=["wide", "crossed"])
    parser.add_argument("--run-seeds", type=report.seeds, default=(1,))
    parser.add_argument("--keep", type=report.listed, default=["null", "auto"])
    told = parser.parse_args()
    report.check_known(parser, (*told.tables, *told.run), NAMES)

    def measured(folder: Path) -> tuple[str, dict[str, Any]]:
        kept, by_table, checks = choices(told.tables, told.seeds)
        dag, by_run = runs(told.run, told.keep, told.run_seeds, folder)
        text = [kept, report.over(told.seeds), dag, report.checks_table(checks)]
        values = {"choices": by_table, "runs": by_run, "checks": checks}
        return "\n\n".join(part for part in text if part), values

    return report.run("benchmarks.features", "features", told.results, measured)


if __name__ == "__main__":
    sys.exit(main())
