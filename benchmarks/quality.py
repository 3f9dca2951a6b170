"""Quality of all six variants on the test split, with weak and with gold labels.

    make benchmark BENCHMARK=quality                      # seeds 1, 2, 3: six census runs
    make benchmark BENCHMARK=quality ARGS="--seeds 1"     # one run for each kind of labels
    make benchmark BENCHMARK=quality ARGS="--name weak_200 --modes weak --seeds 11,12,13,14,15"

Runs the DAG on census once for each kind of labels and seed: `weak` lets it see 200 true labels of
the training rows (labeling.gold_rows), `gold` all of them. Numbers are the summaries' own; the seed
changes the draw of gold rows, the eval split, tuning, initial weights and the order of rows.

The third line takes fresh seeds: nothing was ever chosen by them. Writes quality.md and
quality.json, or those of --name, to benchmarks/results/.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from pipeline.report.summary import Model, Summary, Variant

MODES: dict[str, tuple[str, ...]] = {
    "weak": ("labeling.mode=weak", "labeling.gold_rows=200"),
    "gold": ("labeling.mode=gold",),
}
VARIANTS: tuple[Variant, ...] = get_args(Variant)

# What is tabulated of a variant, and how it is printed.
QUANTITIES = {
    "accuracy": ".4f",
    "auc": ".4f",
    "f1": ".4f",
    "largest TPR gap by sex": ".3f",
    "bytes": ",.0f",
    "gzipped bytes": ",.0f",
    "us for one row": ".1f",
}
Values = dict[Variant, dict[str, list[float]]]
"""Quantities of each variant, a value for each seed."""


def main() -> int:
    """Runs, prints and writes; 1 when a run failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=report.seeds, default=(1, 2, 3), metavar="1,2,3")
    parser.add_argument("--modes", type=_modes, default=tuple(MODES), metavar="weak,gold")
    parser.add_argument("--name", default="quality", help="of the files (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=report.RESULTS, metavar="DIR")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            measured = {
                mode: collect(run_mode(mode, options.seeds, Path(scratch) / mode))
                for mode in options.modes
            }
    except measure.MeasurementError as error:
        print(error, file=sys.stderr)
        return 1
    checks = [check for mode in measured for check in SERVER_CHECKS[mode](measured[mode])]
    for mode, values in measured.items():
        checks += edge_checks(mode, values)
    content = {
        **report.origin("benchmarks.quality"),
        "seeds": options.seeds,
        "results": measured,
        "targets": checks,
    }
    report.write(options.results, options.name, tables(measured, options.seeds, checks), content)
    return 0


def _modes(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names) - MODES.keys():
        raise argparse.ArgumentTypeError(f"{unknown.pop()} is none of {', '.join(MODES)}")
    return names


def run_mode(mode: str, seeds: Sequence[int], root: Path) -> list[Summary]:
    """Runs census with each seed; one root, so that what no seed changes comes from the cache."""
    summaries = []
    for seed in seeds:
        overrides = [*MODES[mode], f"seed={seed}"]
        cost, summary = measure.run_pipeline("census", root, overrides)
        print(f"{mode}, seed {seed}: {cost.seconds:.0f} s", file=sys.stderr)
        summaries.append(summary)
        measure.check_same_code(summaries)
    return summaries


def collect(summaries: Sequence[Summary]) -> Values:
    """The quantities of each variant, a value for each summary."""
    return {
        variant: {
            quantity: [quantities(summary.models[variant])[quantity] for summary in summaries]
            for quantity in QUANTITIES
        }
        for variant in VARIANTS
    }


def quantities(model: Model) -> dict[str, float]:
    """What is tabulated of one variant of one run.

    Raises:
      ValueError: A metric could not be measured.
    """
    values = {
        **{name: model.metrics[name] for name in ("accuracy", "auc", "f1")},
        "largest TPR gap by sex": model.gaps["sex"]["tpr"],
        "bytes": float(model.bytes),
        "gzipped bytes": float(model.gzip_bytes),
        "us for one row": model.latency_us["batch_1"],
    }
    if missing := [name for name, value in values.items() if value is None]:
        raise ValueError(f"not measured: {', '.join(missing)}")
    return {name: value for name, value in values.items() if value is not None}


def gold_checks(values: Values) -> list[Check]:
    """Targets of the server model that saw all labels, as means over the seeds."""
    auc, accuracy = (_mean(values["teacher_pruned"], name) for name in ("auc", "accuracy"))
    return [
        at_least("gold: AUC of the server model", auc, 0.905),
        at_least("gold: accuracy of the server model", accuracy, 0.852),
    ]


def weak_checks(values: Values) -> list[Check]:
    """Targets of the server model that saw 200 labels, as means over the seeds."""
    auc, f1 = (_mean(values["teacher_pruned"], name) for name in ("auc", "f1"))
    return [
        at_least("weak: AUC of the server model", auc, 0.893),
        at_least("weak: F1 of the server model", f1, 0.640),
    ]


SERVER_CHECKS = {"weak": weak_checks, "gold": gold_checks}


def edge_checks(mode: str, values: Values) -> list[Check]:
    """Targets of the full-int8 student against the teacher; the worst of the seeds counts."""
    teacher, student = values["teacher"], values["student_int8"]
    lost = [abs(t - s) for t, s in zip(teacher["auc"], student["auc"], strict=True)]
    share = [s / t for t, s in zip(teacher["bytes"], student["bytes"], strict=True)]
    return [
        at_most(f"{mode}: AUC between teacher and student_int8", max(lost), 0.005),
        at_most(f"{mode}: bytes of student_int8 / teacher", max(share), 0.1),
    ]


def _mean(values: Mapping[str, Sequence[float]], name: str) -> float:
    return report.spread(values[name]).mean


def tables(measured: Mapping[str, Values], seeds: Sequence[int], checks: Sequence[Check]) -> str:
    """A table for each kind of labels, and the targets, as Markdown."""
    drawn = ", ".join(map(str, seeds))
    parts = [f"On `test` (16,281 rows). Mean ± sample standard deviation over seeds {drawn}.\n"]
    for mode, values in measured.items():
        rows = [
            (
                variant,
                *(
                    report.with_deviation(values[variant][q], form)
                    for q, form in QUANTITIES.items()
                ),
            )
            for variant in VARIANTS
        ]
        parts.append(report.table((f"{mode} labels", *QUANTITIES), rows))
    return "\n".join([*parts, report.checks_table(checks)])


if __name__ == "__main__":
    sys.exit(main())
