"""Quality of all six variants on the test split, with weak and with gold labels.

    make benchmark BENCHMARK=quality                      # seeds 1, 2, 3: six census runs
    make benchmark BENCHMARK=quality ARGS="--seeds 1"     # one run for each kind of labels
    make benchmark BENCHMARK=quality ARGS="--modes gold --seeds 31,32,33,34,35"
    make benchmark BENCHMARK=quality ARGS="--name weak_200 --modes weak --seeds 31,32,33,34,35"
    make benchmark BENCHMARK=quality \
        ARGS="--name weak_fair --modes weak,weak_fair --seeds 31,32,33,34,35"

Runs the DAG on census once for each kind of labels and seed: `weak` lets it see 200 true labels of
the training rows (labeling.gold_rows), `gold` all of them; `weak_fair` is `weak` with labels
corrected by sex (fairness.labels). Numbers are the summaries' own; the seed
changes the draw of gold rows, the eval split, tuning, initial weights and the order of rows. With
`--root DIR` the runs are kept there, and a second call goes on where the first one ended.

The last three take fresh seeds: nothing was ever chosen by them. Writes quality.md and
quality.json, or those of --name, to benchmarks/results/.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, get_args

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from pipeline.report.summary import MeasuredModel, Summary, Variant

VARIANTS: tuple[Variant, ...] = get_args(Variant)
GAP = "largest TPR gap by sex"
ONE_ROW = "us for one row"

# What can be tabulated of a variant: how it is read, and how it is printed.
QUANTITIES: dict[str, tuple[Callable[[MeasuredModel], float | None], str]] = {
    "accuracy": (lambda model: model.metrics["accuracy"], ".4f"),
    "auc": (lambda model: model.metrics["auc"], ".4f"),
    "f1": (lambda model: model.metrics["f1"], ".4f"),
    "macro f1": (lambda model: model.metrics["macro_f1"], ".4f"),
    GAP: (lambda model: model.gaps["sex"]["tpr"], ".3f"),
    "bytes": (lambda model: float(model.bytes), ",.0f"),
    "gzipped bytes": (lambda model: float(model.gzip_bytes), ",.0f"),
    ONE_ROW: (lambda model: model.latency_us["batch_1"], ".1f"),
}
SERVER_TARGETS = {
    "weak": (("auc", "AUC", 0.905), ("f1", "F1", 0.665)),
    "gold": (("auc", "AUC", 0.9275), ("accuracy", "accuracy", 0.8735), ("f1", "F1", 0.708)),
}
EDGE_TARGETS = (("auc", "AUC", 0.9265), ("accuracy", "accuracy", 0.872))  # of gold labels
MOST_BYTES = 10_000  # of the full-int8 student
MOST_US = 3.0  # for one row
Values = dict[Variant, dict[str, list[float]]]
"""Quantities of each variant, a value for each seed."""


@dataclass(frozen=True)
class Study:
    """What is measured.

    Attributes:
      name: Of the module and, unless another is asked for, of its files.
      config: A name of configs/.
      gold_rows: How many true labels `weak` may see.
      seeds: Unless others are asked for.
      test: What the test split is, in words.
      quantities: Keys of QUANTITIES.
      fair: What makes `weak_fair` of `weak`; without it there is no such kind.
      checks: Targets, from the values of each kind of labels.
      beside: What is measured with other means, from the seeds and a folder: a table, and values.
    """

    name: str
    config: str
    gold_rows: int
    seeds: tuple[int, ...]
    test: str
    quantities: tuple[str, ...]
    checks: Callable[[Mapping[str, Values]], list[Check]]
    beside: Callable[[Sequence[int], Path], tuple[list[str], dict[str, Any]]] = (
        lambda seeds, folder: ([], {})
    )
    fair: tuple[str, ...] = ()

    @property
    def modes(self) -> dict[str, list[str]]:
        """The kinds of labels: what each overrides."""
        weak = ["labeling.mode=weak", f"labeling.gold_rows={self.gold_rows}"]
        modes = {"weak": weak, "gold": ["labeling.mode=gold"]}
        return modes | ({"weak_fair": [*weak, *self.fair]} if self.fair else {})


def main(study: Study, doc: str | None) -> int:
    """Runs, prints and writes; 1 when a run failed."""
    parser = report.parser(doc, study.seeds)
    parser.add_argument("--modes", default="weak,gold", metavar="weak,gold")
    parser.add_argument("--name", default=study.name, help="of the files (default: %(default)s)")
    parser.add_argument("--root", type=Path, metavar="DIR", help="where runs are kept")
    options = parser.parse_args()
    modes = options.modes.split(",")
    if unknown := set(modes) - study.modes.keys():
        parser.error(f"argument --modes: {unknown.pop()} is none of {', '.join(study.modes)}")

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        root = options.root or scratch
        summaries = run_all(study, modes, options.seeds, root)
        found = {mode: collect(of_mode, study) for mode, of_mode in summaries.items()}
        extra, values = study.beside(options.seeds, root / "beside")
        checks = study.checks(found)
        page = tables(study, found, options.seeds, checks, extra)
        return page, {"seeds": options.seeds, "results": found, **values, "targets": checks}

    return report.run(f"benchmarks.{study.name}", options.name, options.results, measured)


def run_all(
    study: Study, modes: Sequence[str], seeds: Sequence[int], root: Path
) -> dict[str, list[Summary]]:
    """Runs the DAG for each kind of labels, which has a root of its own, with each seed.

    What no seed changes comes from the cache.
    """
    summaries: dict[str, list[Summary]] = {mode: [] for mode in modes}
    for mode, of_mode in summaries.items():
        for seed in seeds:
            overrides = [*study.modes[mode], f"seed={seed}"]
            cost, summary = measure.run_pipeline(study.config, root / mode, overrides)
            print(f"{mode}, seed {seed}: {cost.seconds:.0f} s", file=sys.stderr)
            of_mode.append(summary)
            measure.check_same_code(one for some in summaries.values() for one in some)
    return summaries


def collect(summaries: Sequence[Summary], study: Study) -> Values:
    """The quantities of each variant, a value for each summary."""
    return {
        variant: {
            name: [quantities(summary.models[variant], study)[name] for summary in summaries]
            for name in study.quantities
        }
        for variant in VARIANTS
    }


def quantities(model: MeasuredModel, study: Study) -> dict[str, float]:
    """What is tabulated of one variant of one run.

    Raises:
      ValueError: A metric could not be measured.
    """
    values = {name: QUANTITIES[name][0](model) for name in study.quantities}
    if missing := [name for name, value in values.items() if value is None]:
        raise ValueError(f"not measured: {', '.join(missing)}")
    return {name: value for name, value in values.items() if value is not None}


def server_checks(mode: str, values: Values) -> list[Check]:
    """Targets of the server model of a kind of labels, as means over the seeds."""
    server = values["teacher_pruned"]
    return [
        at_least(f"{mode}: {title} of the server model", fmean(server[name]), limit)
        for name, title, limit in SERVER_TARGETS[mode]
    ]


def edge_checks(mode: str, values: Values) -> list[Check]:
    """Targets of the full-int8 student.

    Against the teacher the worst of the seeds counts, else their mean.
    """
    teacher, student = values["teacher"], values["student_int8"]
    lost = [abs(t - s) for t, s in zip(teacher["auc"], student["auc"], strict=True)]
    share = [s / t for t, s in zip(teacher["bytes"], student["bytes"], strict=True)]
    return [
        at_most(f"{mode}: AUC between teacher and student_int8", max(lost), 0.005),
        at_most(f"{mode}: bytes of student_int8 / teacher", max(share), 0.1),
        at_most(f"{mode}: bytes of student_int8", max(student["bytes"]), MOST_BYTES),
        at_most(f"{mode}: us for one row of student_int8", fmean(student[ONE_ROW]), MOST_US),
        *(
            at_least(f"{mode}: {title} of student_int8", fmean(student[name]), limit)
            for name, title, limit in EDGE_TARGETS
            if mode == "gold"
        ),
    ]


def fair_checks(measured: Mapping[str, Values]) -> list[Check]:
    """What labels by group have to reach, and what they may cost, as means over the seeds."""
    found = []
    for variant in ("teacher_pruned", "student_int8"):
        before, after = (measured[mode][variant] for mode in ("weak", "weak_fair"))
        lost = fmean(before["auc"]) - fmean(after["auc"])
        gap = fmean(after[GAP])
        found += [
            at_most(f"weak_fair: TPR gap by sex of {variant}", gap, 0.08),
            at_most(f"weak_fair: AUC of {variant} that is lost", lost, 0.01),
        ]
    return found


def census_checks(measured: Mapping[str, Values]) -> list[Check]:
    """Targets of each kind of labels that was measured."""
    plain = {mode: values for mode, values in measured.items() if mode in SERVER_TARGETS}
    return [
        *(check for mode, values in plain.items() for check in server_checks(mode, values)),
        *(check for mode, values in measured.items() for check in edge_checks(mode, values)),
        *(fair_checks(measured) if {"weak", "weak_fair"} <= measured.keys() else ()),
    ]


def tables(
    study: Study,
    measured: Mapping[str, Values],
    seeds: Sequence[int],
    checks: Sequence[Check],
    extra: Sequence[str] = (),
) -> str:
    """A table for each kind of labels, those beside them, and the targets, as Markdown."""
    parts = [f"On `test` ({study.test}). {report.over(seeds)}\n"]
    for mode, values in measured.items():
        forms = [(name, QUANTITIES[name][1]) for name in study.quantities]
        rows = [
            (variant, *(report.with_deviation(values[variant][n], form) for n, form in forms))
            for variant in VARIANTS
        ]
        parts.append(report.table((f"{mode} labels", *study.quantities), rows))
    return "\n".join([*parts, *extra, report.checks_table(checks)])


CENSUS = Study(
    name="quality",
    config="census",
    gold_rows=200,
    seeds=(1, 2, 3),
    test="16,281 rows",
    quantities=tuple(q for q in QUANTITIES if q != "macro f1"),
    checks=census_checks,
    fair=("fairness.labels=by_group", "fairness.column=sex", "labeling.gold_choice=random"),
)

if __name__ == "__main__":
    sys.exit(main(CENSUS, __doc__))
