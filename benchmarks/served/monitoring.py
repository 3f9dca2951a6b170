"""The estimate of quality without labels, on census rows whose groups' shares have shifted.

    make benchmark BENCHMARK=served.monitoring                     # a census run, then 5 minutes
    make benchmark BENCHMARK=served.monitoring ARGS="--root runs"  # of the versions live there

Half of the test rows calibrate, as all of them do in `monitor`; requests are drawn from the other
half, with weights that shift one group or several. Their labels are known, so the error of each
estimate is. It is compared with taking the value of the test rows for unchanged. Targets: the
accuracy is wrong by less than .02 on the mean and in each shift, and less wrong than unchanged.

Writes monitoring.md and monitoring.json to benchmarks/results/.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from core.targets import TARGETS
from models.metrics.registry import METRICS, RATES
from models.metrics.unlabelled import ESTIMATORS
from pipeline.config.load import load
from pipeline.monitoring import reference
from pipeline.monitoring.quality import Answered, Judge
from pipeline.monitoring.records import ALL_ROWS
from pipeline.monitoring.reference import Reference
from pipeline.retraining.served_model import executions_of
from pipeline.versions.served import live

ROWS, DRAWS, SEED = 5_000, 5, 1
MOST = 0.02
_TIMES = 8.0
_NOT_WHITE = ("Black", "Asian-Pac-Islander", "Other", "Amer-Indian-Eskimo")

# By name: column and value of rows that come eight times as often.
SHIFTS: dict[str, dict[str, tuple[str, ...]]] = {
    "none": {},
    "women": {"sex": ("Female",)},
    "men": {"sex": ("Male",)},
    "the young": {"age_group": ("<25",)},
    "the middle-aged": {"age_group": ("45-54",)},
    "the old": {"age_group": ("65+",)},
    "race other than White": {"race": _NOT_WHITE},
    "black women": {"sex": ("Female",), "race": ("Black",)},
    "married": {"marital-status": ("Married-civ-spouse",)},
    "graduates": {"education": ("Bachelors", "Masters", "Doctorate", "Prof-school")},
    "managers": {"occupation": ("Exec-managerial",)},
}  # fmt: skip


def shifted(
    rows: Reference, groups: dict[str, tuple[str, ...]], draw: np.random.Generator
) -> Reference:
    """Rows drawn with weights."""
    inside = np.ones(len(rows.labels), bool)
    for column, values in groups.items():
        inside &= np.isin(rows.columns[column].astype(str), values)
    weights = np.where(inside, _TIMES, 1.0) if groups else np.ones(len(inside))
    return _take(rows, draw.choice(len(inside), ROWS, p=weights / weights.sum()))


def _take(rows: Reference, at: np.ndarray) -> Reference:
    return Reference({c: v[at] for c, v in rows.columns.items()}, rows.labels[at], rows.answers[at])


def errors(test: Reference, now: Reference, slicing: Any) -> dict[str, tuple[float, float, bool]]:
    """By metric, and by column for gaps of TPR: errors of the estimate and of taking nothing to
    have changed, and whether the interval holds the truth.
    """
    unlabelled = np.full(len(now.labels), -1, np.int8)
    judged = Judge(Answered(now.columns, now.answers, unlabelled), test, slicing, 100)
    everything = judged.slices()[ALL_ROWS]
    found = {}
    for metric in ESTIMATORS:
        true = {**METRICS, **RATES}[metric].measure(now.labels.astype(int), now.answers)
        estimate = everything.estimated[metric]
        assert true is not None
        before = everything.test[metric]
        inside = estimate.low <= true <= estimate.high
        found[metric] = (abs(estimate.value - true), abs(before - true), inside)
    for gap in judged.gaps():
        if gap.rate == "tpr":
            pair = (gap.higher, gap.lower)
            true, before = _gap(now, pair), _gap(test, pair)
            inside = gap.gap.low <= true <= gap.gap.high
            found[f"tpr gap {gap.column}"] = (abs(gap.gap.value - true), abs(before - true), inside)
    return found


def _gap(rows: Reference, pair: tuple[str, str]) -> float:
    rates = []
    for name in pair:
        column, _, value = name.partition("=")
        inside = rows.columns[column] == value
        rates.append(RATES["tpr"].measure(rows.labels[inside].astype(int), rows.answers[inside]))
    return float((rates[0] or 0.0) - (rates[1] or 0.0))


def run(root: Path, config_name: str) -> dict[str, Any]:
    """Errors by target, shift and metric: mean of the draws."""
    config = load(config_name)
    folder = root / config.name
    found: dict[str, Any] = {}
    for target in TARGETS:
        version = live(folder, config.name, target)
        assert version is not None, f"{folder}: no version of {target} is live"
        path = reference.staged_test_rows(executions_of(folder, version.run_id))
        rows = reference.read(path, config, version)
        draw = np.random.default_rng(SEED)
        places = draw.permutation(len(rows.labels))
        test, pool = (_take(rows, half) for half in np.array_split(places, 2))
        for shift, groups in SHIFTS.items():
            draws = [
                errors(test, shifted(pool, groups, draw), config.evaluation) for _ in range(DRAWS)
            ]
            found.setdefault(target, {})[shift] = {
                metric: [float(np.mean([d[metric][at] for d in draws])) for at in range(3)]
                for metric in draws[0]
            }
    return found


def tables_of(found: dict[str, Any]) -> str:
    """Errors of the accuracy and of gaps of TPR by shift, and the targets."""
    parts = []
    for target, shifts in found.items():
        names = ["accuracy", *(name for name in shifts["none"] if name.startswith("tpr gap"))]
        header = [target, *(f"{n}{what}" for n in names for what in ("", ", unchanged"))]
        rows = [
            [shift, *(f"{metrics[n][at]:.3f}" for n in names for at in (0, 1))]
            for shift, metrics in shifts.items()
        ]
        parts.append(report.table(header, rows))
        of = [metrics["accuracy"] for shift, metrics in shifts.items() if shift != "none"]
        mean, unchanged, inside = (float(np.mean(values)) for values in zip(*of, strict=True))
        checks = [
            report.at_most(f"{target}: error of the accuracy, mean of the shifts", mean, MOST),
            report.at_most(f"{target}: the same, worst shift", max(o[0] for o in of), MOST),
            report.at_most(f"{target}: the same, beside nothing changed", mean / unchanged, 1.0),
            report.at_least(f"{target}: intervals of the accuracy that hold it", inside, 0.8),
        ]
        parts.append(report.checks_table(checks))
    return "\n".join(parts)


def main() -> int:
    """Measures, prints and writes; 1 when that failed."""
    parser = report.parser(__doc__)
    parser.add_argument("--root", type=Path, help="with a version of census, if there is one")
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        if options.root is None:
            measure.run_pipeline("census", scratch)
        found = run(options.root or scratch, "census")
        return tables_of(found), {"errors": found}

    return report.run("benchmarks.served.monitoring", "monitoring", options.results, measured)


if __name__ == "__main__":
    sys.exit(main())
