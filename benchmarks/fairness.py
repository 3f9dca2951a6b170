"""What each mitigation of `fairness` does to quality and to gaps by sex, on the census.

    make benchmark BENCHMARK=fairness                     # seeds 31 to 35, gold and weak labels
    make benchmark BENCHMARK=fairness ARGS="--seeds 31 --modes gold"

For each kind of labels and seed the whole DAG runs twice: without a mitigation, and with `min_diff`
where the models do not read sex. The other mitigations, and the strengths of the curve, take the
transformed rows and the tuner's values of those runs and the nodes' own functions from there on:
Trainer, Distiller, Quantizer, and VariantEvaluator's measures on the test split. With `--root DIR`
the runs are kept there, and a second call goes on where the first one ended.

Nothing was ever chosen by these seeds. Writes fairness.md and fairness.json to benchmarks/results/.
"""

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
      whole: Whether the whole DAG runs with it.
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


def main() -> int:
    """Runs, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, SEEDS)
    parser.add_argument("--modes", default="gold,weak", metavar="gold,weak")
    parser.add_argument("--weak-seeds", type=report.seeds, metavar="31,32", help="fewer for weak")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where runs are kept")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := set(modes) - MODES.keys():
        parser.error(f"argument --modes: {unknown.pop()} is none of {', '.join(MODES)}")

    def measured(scratch: Path) -> tuple[str, Mapping[str, Any]]:
        root = (options.root or scratch).absolute()
        seeds = {"gold": options.seeds, "weak": options.weak_seeds or options.seeds}
        seeds = {mode: seeds[mode] for mode in modes}
        found = {
            mode: measure_all(mode, seeds[mode], [c for c in CELLS if mode in c.modes], root)
            for mode in modes
        }
        checks = checks_of(found["gold"]) if "gold" in found else []
        page = tables(found, seeds, checks)
        return page, {"seeds": seeds, "results": found, "targets": checks}

    return report.run("benchmarks.fairness", "fairness", options.results, measured)


def measure_all(
    mode: str, seeds: Sequence[int], cells: Sequence[Cell], root: Path
) -> dict[str, list[Values]]:
    """Values of each cell, one for each seed; read, where they have been written before."""
    paths = {
        (cell, seed): root / mode / str(seed) / cell.folder / "cells" / f"{cell.name}.json"
        for seed in seeds
        for cell in cells
    }
    missing = {
        (cell, seed): [*MODES[mode], f"seed={seed}", *cell.told]
        for (cell, seed), path in paths.items()
        if not path.exists()
    }
    for (cell, seed), told in missing.items():
        if cell.whole:
            path = paths[cell, seed]
            values = _by_the_dag(told, path.parent.parent)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(values), encoding="utf-8")
            print(f"{mode}, seed {seed}: {cell.name}", file=sys.stderr, flush=True)
    asked: dict[Path, dict[str, list[str]]] = {}
    for (cell, seed), told in missing.items():
        if not cell.whole:
            path = paths[cell, seed]
            asked.setdefault(path.parent.parent, {})[str(path)] = told
    for folder, of_folder in asked.items():
        (folder / "asked.json").write_text(json.dumps(of_folder), encoding="utf-8")
        measure.run([sys.executable, "-m", "benchmarks.fairness_nodes", str(folder)])
        print(f"{mode}: {len(of_folder)} more in {folder}", file=sys.stderr, flush=True)
    return {
        cell.name: [json.loads(paths[cell, seed].read_text(encoding="utf-8")) for seed in seeds]
        for cell in cells
    }


def _by_the_dag(overrides: Sequence[str], folder: Path) -> Values:
    _, summary = measure.run_pipeline("census", folder, overrides)
    models = summary.model_dump(mode="json")["models"]
    return {target: figures(models[variant]) for target, variant in TARGETS.items()}


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
    seeds: Mapping[str, Sequence[int]],
    checks: Sequence[Check],
) -> str:
    """A table for each kind of labels and target, the curve, figures of others, and the targets."""
    names = [*METRICS, *(f"{rate} gap" for rate in RATES)]
    parts = ["On `test` (16,281 rows).\n"]
    on_curve = {cell.name for cell in CELLS if cell.curve}
    for mode, cells in found.items():
        parts.append(f"{mode} labels. {report.over(seeds[mode])}\n")
        for target in TARGETS:
            rows = [
                (
                    name,
                    *(
                        report.with_deviation([v[target][n] for v in of_cell], _form(n))
                        for n in names
                    ),
                )
                for name, of_cell in cells.items()
                if name not in on_curve
            ]
            parts.append(report.table((f"{mode} labels, {target}", *names), rows))
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
            *(
                report.with_deviation([v[target][n] for v in cells[name]], _form(n))
                for target in TARGETS
                for n in ("accuracy", "tpr gap")
            ),
        )
        for shown, name in points
    ]
    header = [f"{target}: {n}" for target in TARGETS for n in ("accuracy", "tpr gap")]
    return report.table(("loss and strength, gold, sex unread", *header), rows)


if __name__ == "__main__":
    sys.exit(main())
