"""Quality on SMS spam: all six variants, with 100 true labels and with all of them.

    make benchmark BENCHMARK=sms_spam                        # seeds 1 to 5: ten runs
    make benchmark BENCHMARK=sms_spam ARGS="--seeds 1"       # one run for each kind of labels

With `--root DIR` the runs are kept there, and a second call goes on where the first one ended.

Runs the DAG on sms_spam once for each kind of labels and seed: `weak` lets it see 100 true labels
of the training messages (labeling.gold_rows), `gold` all of them. Numbers are the summaries' own,
on the held-out fifth; the seed changes the draw of gold rows, the eval split, tuning, initial
weights and the order of rows. Beside them stands what needs no pipeline: a logistic regression on
tf-idf of words and pairs of words, fitted to the same 100 messages, and to all.

Writes sms_spam.md and sms_spam.json to benchmarks/results/.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from benchmarks import measure, report
from benchmarks.report import Check, at_least
from core.names import SPLITS
from models.labels.functions import draw
from pipeline.config import load as config
from pipeline.ingestion import staging
from pipeline.report.summary import Model, Summary, Variant

CONFIG = "sms_spam"
MODES: dict[str, tuple[str, ...]] = {
    "weak": ("labeling.mode=weak", "labeling.gold_rows=100"),
    "gold": ("labeling.mode=gold",),
}
VARIANTS: tuple[Variant, ...] = get_args(Variant)
TARGETS: tuple[Variant, ...] = ("teacher_pruned", "student_int8")
ALLOWED_LOSS = 0.05

# What is tabulated of a variant, and how it is printed.
QUANTITIES = {
    "f1": ".4f",
    "auc": ".4f",
    "accuracy": ".4f",
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
    parser.add_argument("--seeds", type=_seeds, default=(1, 2, 3, 4, 5), metavar="1,2,3")
    parser.add_argument("--root", type=Path, default=None, metavar="DIR")
    parser.add_argument("--results", type=Path, default=report.RESULTS, metavar="DIR")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            root = options.root or Path(scratch)
            summaries = run_all(options.seeds, root)
            lines = [yardstick(seed, root / "yardstick") for seed in options.seeds]
    except measure.MeasurementError as error:
        print(error, file=sys.stderr)
        return 1
    measured = {mode: collect(of_mode) for mode, of_mode in summaries.items()}
    linear = {mode: [line[mode] for line in lines] for mode in MODES}
    checks = quality_checks(measured)
    content = {
        **report.origin("benchmarks.sms_spam"),
        "seeds": options.seeds,
        "results": measured,
        "logistic_regression_f1": linear,
        "targets": checks,
    }
    page = tables(measured, linear, options.seeds, checks)
    report.write(options.results, CONFIG, page, content)
    return 0


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(seed) for seed in text.split(","))


def run_all(seeds: Sequence[int], root: Path) -> dict[str, list[Summary]]:
    """Runs sms_spam with each seed for each of MODES, which has a root of its own."""
    summaries: dict[str, list[Summary]] = {mode: [] for mode in MODES}
    for seed in seeds:
        for mode, of_mode in summaries.items():
            overrides = [*MODES[mode], f"seed={seed}"]
            cost, summary = measure.run_pipeline(CONFIG, root / mode, overrides)
            print(f"{mode}, seed {seed}: {cost.seconds:.0f} s", file=sys.stderr)
            of_mode.append(summary)
            measure.check_same_code(one for some in summaries.values() for one in some)
    return summaries


def yardstick(seed: int, root: Path) -> dict[str, float]:
    """F1 on the held-out fifth of a logistic regression, for each of MODES."""
    settings = config.load(CONFIG, [*MODES["weak"], f"seed={seed}"])
    staged = Path(staging.stage(settings, root).path)
    train, evaluation, test = (
        pd.read_csv(staged / split / "data.csv", keep_default_na=False) for split in SPLITS
    )
    labeled = pd.concat([train, evaluation], ignore_index=True)
    drawn = draw(seed, labeled["row_id"].tolist(), settings.labeling.gold_rows)
    parts = {"weak": labeled.iloc[[row for _, row in drawn]], "gold": labeled}
    return {mode: _linear_f1(part, test) for mode, part in parts.items()}


def _linear_f1(train: pd.DataFrame, test: pd.DataFrame) -> float:
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=100.0, class_weight="balanced", max_iter=1000),
    )
    model.fit(train["text"], train["label"] == "spam")
    return float(f1_score(test["label"] == "spam", model.predict(test["text"])))


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
    metrics = {name: model.metrics[name] for name in ("f1", "auc", "accuracy")}
    known = {name: value for name, value in metrics.items() if value is not None}
    if missing := metrics.keys() - known.keys():
        raise ValueError(f"not measured: {', '.join(sorted(missing))}")
    return {
        **known,
        "bytes": float(model.bytes),
        "gzipped bytes": float(model.gzip_bytes),
        "us for one row": model.latency_us["batch_1"],
    }


def quality_checks(measured: Mapping[str, Values]) -> list[Check]:
    """Targets of the two models that are pushed, as means over the seeds."""
    checks = []
    for variant in TARGETS:
        gold, weak = (
            report.spread(measured[mode][variant]["f1"]).mean for mode in ("gold", "weak")
        )
        checks += [
            at_least(f"gold: F1 of {variant}", gold, 0.93),
            at_least(
                f"weak: F1 of {variant}, less than {ALLOWED_LOSS} below gold",
                weak,
                gold - ALLOWED_LOSS,
            ),
        ]
    return checks


def tables(
    measured: Mapping[str, Values],
    linear: Mapping[str, Sequence[float]],
    seeds: Sequence[int],
    checks: Sequence[Check],
) -> str:
    """A table for each kind of labels, the logistic regression, and the targets, as Markdown."""
    drawn = ", ".join(map(str, seeds))
    parts = [
        f"On `test` (908 messages, 113 of them spam). Mean ± sample standard deviation over seeds "
        f"{drawn}.\n"
    ]
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
    names = {"weak": "the gold rows alone", "gold": "all messages of train and eval"}
    parts.append(
        report.table(
            ("logistic regression on tf-idf, fitted to", "f1"),
            [(names[mode], report.with_deviation(linear[mode], ".4f")) for mode in MODES],
        )
    )
    return "\n".join([*parts, report.checks_table(checks)])


if __name__ == "__main__":
    sys.exit(main())
