"""The student of a run, distilled and trained on the labels alone, in every seed.

    make benchmark BENCHMARK=distillation                       # 4 tables, 5 seeds: 40 students
    make benchmark BENCHMARK=distillation ARGS="--tables german,digits --seeds 31,32"

Of each table the DAG runs once in gold mode, in a copy of the repository: the census as it is
configured, the others of `benchmarks/tables` as `init` describes them. On the rows and the teacher
of that run each seed trains the student twice, as `distiller` says and with `label_share` 1 and
neither made rows nor features: as many steps of the same network, pruned and quantized alike. The
figures are the int8 file's on the test part.

Writes distillation.md and distillation.json to benchmarks/results/.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from benchmarks.distillation.students import DISTILLED, LABELS
from benchmarks.report import Check, at_least, at_most
from benchmarks.tables.described import NAMES, describe, repository_in, table_of

CENSUS = "census"
TABLES = (CENSUS, "german", "progression", "digits")

Found = Mapping[str, Any]
"""What `students` writes of a table."""


def run(name: str, seeds: Sequence[int], folder: Path) -> Found:
    """One run of the DAG in an empty folder, and students on what it leaves."""
    copy, config, root = repository_in(folder), CENSUS, folder / "runs"
    python = [sys.executable, "-m"]
    if name != CENSUS:
        config = describe(name, table_of(name, seeds[0]), copy)
    told = ("labeling.mode=gold", f"seed={seeds[0]}", "explain.enabled=false")
    asked = [argument for key in told for argument in ("--set", key)]
    measure.run([*python, "pipeline", "run", "--config", config, "--root", str(root), *asked], copy)
    path, drawn = folder / "found.json", ",".join(map(str, seeds))
    part = "benchmarks.distillation.students"
    measure.run([*python, part, config, str(root), drawn, str(path)], copy)
    found: Found = json.loads(path.read_text("utf-8"))
    return found


def tables(found: Mapping[str, Found]) -> str:
    """One line for each table."""
    header = (
        *("table", "training rows", "made", "teacher AUC", "distilled: AUC", "accuracy"),
        *("labels alone: AUC", "accuracy", "least gain in AUC", "bytes", "us", "CPU s"),
    )
    rows = []
    for name, of in found.items():
        means = {key: np.mean([each[key] for each in of[DISTILLED]]) for key in of[DISTILLED][0]}
        cells = [
            report.with_deviation([each[key] for each in of[kind]], ".4f")
            for kind in (DISTILLED, LABELS)
            for key in ("auc", "accuracy")
        ]
        size = f"{means['bytes']:,.0f}", f"{means['latency_us']:.1f}", f"{means['cpu_seconds']:.1f}"
        counts = f"{of['rows'][0]:,}", f"{means['made']:,.0f}"
        gain = f"{min(gains(of)):+.4f}"
        rows.append((name, *counts, f"{of['teacher']['auc']:.4f}", *cells, gain, *size))
    return report.table(header, rows)


def gains(of: Found) -> list[float]:
    """AUC of the distilled student over that on labels alone, by seed."""
    return [a["auc"] - b["auc"] for a, b in zip(of[DISTILLED], of[LABELS], strict=True)]


def checks_of(found: Mapping[str, Found]) -> list[Check]:
    """What is asked for of each table, and of the census."""
    checks = []
    for name, of in found.items():
        students = of[DISTILLED]
        auc = float(np.mean([each["auc"] for each in students]))
        checks += [
            at_least(
                f"{name}: least gain in AUC over labels alone, of all seeds", min(gains(of)), 0
            ),
            at_least(
                f"{name}: AUC, at most .005 below the teacher", auc, of["teacher"]["auc"] - 0.005
            ),
        ]
        if name == CENSUS:
            accuracy = float(np.mean([each["accuracy"] for each in students]))
            checks += [
                at_least(f"{name}: AUC", auc, 0.9265),
                at_least(f"{name}: accuracy", accuracy, 0.872),
                at_most(f"{name}: bytes", max(each["bytes"] for each in students), 10_000),
                at_most(f"{name}: microseconds", max(s["latency_us"] for s in students), 3.0),
            ]
    return checks


def measured(
    names: Sequence[str], seeds: Sequence[int], folder: Path
) -> tuple[str, dict[str, Any]]:
    """All tables: the text, and the values."""
    found = {}
    for name in names:
        place = folder / name
        place.mkdir()
        found[name] = run(name, seeds, place)
        shutil.rmtree(place)
        print(name, found[name], flush=True)
    checks = checks_of(found)
    text = [tables(found), report.over(seeds), report.checks_table(checks)]
    return "\n\n".join(text), {"tables": found, "checks": checks}


def main() -> int:
    """Entry point."""
    parser = report.parser(__doc__, (31, 32, 33, 34, 35))
    parser.add_argument("--tables", type=report.listed, default=list(TABLES))
    arguments = parser.parse_args()
    report.check_known(parser, arguments.tables, NAMES)
    return report.run(
        "benchmarks.distillation",
        "distillation",
        arguments.results,
        lambda folder: measured(arguments.tables, arguments.seeds, folder),
    )


if __name__ == "__main__":
    sys.exit(main())
