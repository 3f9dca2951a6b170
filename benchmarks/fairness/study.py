"""What is measured of mitigations, and the tables; see `benchmarks/fairness/__main__.py`."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks import measure, report
from benchmarks.report import Check, at_most

SEEDS = (31, 32, 33, 34, 35)
TARGETS = {"server": "teacher_pruned", "edge": "student_int8"}
METRICS = ("accuracy", "auc", "f1")
RATES = ("tpr", "fpr", "selection_rate")
MODES = {"gold": ["labeling.mode=gold"], "weak": ["labeling.mode=weak", "labeling.gold_rows=200"]}
MOST_GAP, MOST_LOST = 0.025, 0.003
Values = dict[str, dict[str, float]]
"""What was measured of one trained pair of models, by target."""


@dataclass(frozen=True)
class Cell:
    """A mitigation.

    Attributes:
      name: What the tables call it.
      overrides: What it sets, besides `fairness.column`.
      reads: Whether the models read sex.
      whole: Whether the whole DAG runs with it, for the first seed.
      modes: Kinds of labels that it is measured with.
      curve: Whether it is a point of the curve and of no table.
    """

    name: str
    overrides: tuple[str, ...]
    reads: bool
    whole: bool = False
    modes: tuple[str, ...] = ("gold", "weak")
    curve: bool = False

    @property
    def folder(self) -> str:
        """Of the run whose rows it takes."""
        return "reads" if self.reads else "unread"

    @property
    def told(self) -> tuple[str, ...]:
        """All that it overrides."""
        reads = f"fairness.reads_column={str(self.reads).lower()}"
        return (*self.overrides, "fairness.column=sex", reads)


def _strength(strength: float) -> Cell:
    told = ("fairness.mitigation=min_diff", f"fairness.strength={strength:g}")
    return Cell(f"rate {strength:g}", told, reads=False, modes=("gold",), curve=True)


_MMD = ("fairness.mitigation=min_diff", "fairness.loss=mmd", "fairness.strength=1")
CELLS = (
    Cell("none", ("fairness.mitigation=none",), reads=True, whole=True),
    Cell("reweighing", ("fairness.mitigation=reweighing",), reads=True),
    Cell("min_diff", ("fairness.mitigation=min_diff",), reads=True, modes=("gold",)),
    # With 200 gold rows some seven women have a high income.
    Cell(
        "thresholds",
        ("fairness.mitigation=thresholds", "fairness.min_group_rows=3"),
        reads=True,
    ),
    Cell("min_diff, sex unread", ("fairness.mitigation=min_diff",), reads=False, whole=True),
    Cell("none, sex unread", ("fairness.mitigation=none",), reads=False, modes=("gold",)),
    Cell("min_diff (mmd 1), sex unread", _MMD, reads=False, modes=("gold",)),
    *(_strength(strength) for strength in (1, 4, 16)),
)
BASE, AIM = "none", "min_diff, sex unread"

# Of others, on splits, preprocessing and test rows of their own: accuracy, TPR gap by sex.
PUBLISHED = (
    ("linear model, constrained (TFCO)", ".8565", ".066"),
    ("MLP, FFB benchmark", ".8535", ".079"),
    ("DNN, not debiased", ".855", ".130"),
    ("DNN, debiased adversarially", ".850", ".099"),
)


def main(doc: str | None) -> int:
    """Runs, prints and writes; 1 when a run failed."""
    parser = report.parser(doc, SEEDS)
    parser.add_argument("--modes", default="gold,weak", metavar="gold,weak")
    for kind in ("weak", "other"):
        parser.add_argument(f"--{kind}-seeds", type=report.seeds, metavar="31,32")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where runs are kept")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := set(modes) - MODES.keys():
        parser.error(f"argument --modes: {unknown.pop()} is none of {', '.join(MODES)}")

    def measured(scratch: Path) -> tuple[str, Mapping[str, Any]]:
        root = (options.root or scratch).absolute()
        of_mode = {"gold": options.seeds, "weak": options.weak_seeds or options.seeds}
        found, seeds = {}, {}
        for mode in modes:
            others = options.other_seeds or of_mode[mode]
            seeds[mode] = {
                cell: of_mode[mode] if cell.whole else others
                for cell in CELLS
                if mode in cell.modes
            }
            found[mode] = measure_all(mode, seeds[mode], root / mode)
        checks = checks_of(found["gold"]) if "gold" in found else []
        named = {mode: {c.name: of for c, of in each.items()} for mode, each in seeds.items()}
        return tables(found, checks), {"seeds": named, "results": found, "targets": checks}

    return report.run("benchmarks.fairness", "fairness", options.results, measured)


def measure_all(
    mode: str, cells: Mapping[Cell, Sequence[int]], root: Path
) -> dict[str, list[Values]]:
    """Values of each cell for each of its seeds; read, where they have been written before."""
    paths = {
        (cell, seed): root / cell.folder / "cells" / f"{cell.name}, {seed}.json"
        for cell, seeds in cells.items()
        for seed in seeds
    }
    missing = {
        (cell, seed): [*MODES[mode], f"seed={seed}", *cell.told]
        for (cell, seed), path in paths.items()
        if not path.exists()
    }
    for cell in cells:
        first = (cell, cells[cell][0])
        if cell.whole and first in missing:
            _, summary = measure.run_pipeline("census", root / cell.folder, missing.pop(first))
            models = summary.model_dump(mode="json")["models"]
            values = {target: figures(models[variant]) for target, variant in TARGETS.items()}
            paths[first].parent.mkdir(exist_ok=True)
            paths[first].write_text(json.dumps(values), encoding="utf-8")
            print(f"{mode}: {cell.name} by the whole DAG", file=sys.stderr, flush=True)
    for whole in (True, False):
        for folder in ("unread", "reads"):
            asked = {
                str(paths[cell, seed]): told
                for (cell, seed), told in missing.items()
                if (cell.whole, cell.folder) == (whole, folder)
            }
            if asked:
                (root / folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
                command = [sys.executable, "-m", "benchmarks.fairness.nodes"]
                measure.run([*command, str(root / folder)])
                print(f"{mode}: {len(asked)} trained, {folder}", file=sys.stderr, flush=True)
    return {
        cell.name: [json.loads(paths[cell, s].read_text(encoding="utf-8")) for s in seeds]
        for cell, seeds in cells.items()
    }


def figures(model: Mapping[str, Any]) -> dict[str, float]:
    """What is kept of a variant's measures."""
    gaps = {f"{rate} gap": model["gaps"]["sex"][rate] for rate in RATES}
    return {**{name: model["metrics"][name] for name in METRICS}, **gaps}


def checks_of(gold: Mapping[str, Sequence[Values]]) -> list[Check]:
    """Gap and lost accuracy of `min_diff` without sex, as means over the seeds."""
    checks = []
    for target in TARGETS:
        mean = {
            (cell, name): fmean(values[target][name] for values in gold[cell])
            for cell in (BASE, AIM)
            for name in ("accuracy", "tpr gap")
        }
        lost = mean[BASE, "accuracy"] - mean[AIM, "accuracy"]
        checks += [
            at_most(f"{target}: TPR gap by sex, sex unread", mean[AIM, "tpr gap"], MOST_GAP),
            at_most(f"{target}: accuracy lost", lost, MOST_LOST),
        ]
    return checks


def tables(
    found: Mapping[str, Mapping[str, Sequence[Values]]],
    checks: Sequence[Check],
) -> str:
    """A table for each kind of labels and target, the curve, figures of others, and the targets."""
    names = [*METRICS, *(f"{rate} gap" for rate in RATES)]
    parts = ["On `test` (16,281 rows). Mean ± sample standard deviation over the seeds.\n"]
    on_curve = {cell.name for cell in CELLS if cell.curve}
    for mode, cells in found.items():
        for target in TARGETS:
            rows = [
                (
                    name,
                    str(len(of_cell)),
                    *(
                        report.with_deviation([v[target][n] for v in of_cell], _form(n))
                        for n in names
                    ),
                )
                for name, of_cell in cells.items()
                if name not in on_curve
            ]
            parts.append(report.table((f"{mode} labels, {target}", "seeds", *names), rows))
    if "gold" in found:
        parts.append(_curve(found["gold"]))
    others = report.table(("published by others", "accuracy", "TPR gap by sex"), PUBLISHED)
    parts.append(f"{others}\nTheir splits and preprocessing are their own.\n")
    return "\n".join([*parts, report.checks_table(checks)])


def _form(name: str) -> str:
    return ".4f" if name in METRICS else ".3f"


def _curve(cells: Mapping[str, Sequence[Values]]) -> str:
    """Accuracy against the TPR gap, by strength, where the models do not read sex."""
    points = [
        ("none", "none, sex unread"),
        *((cell.name, cell.name) for cell in CELLS if cell.curve),
        ("rate auto", AIM),
        ("mmd 1", "min_diff (mmd 1), sex unread"),
    ]
    rows = [
        (
            shown,
            str(len(cells[name])),
            *(
                report.with_deviation([v[target][n] for v in cells[name]], _form(n))
                for target in TARGETS
                for n in ("accuracy", "tpr gap")
            ),
        )
        for shown, name in points
    ]
    header = [f"{target}: {n}" for target in TARGETS for n in ("accuracy", "tpr gap")]
    return report.table(("loss and strength, gold, sex unread", "seeds", *header), rows)
