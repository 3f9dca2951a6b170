"""Quality on SMS spam: all six variants, with 100 true labels and with all of them.

    make benchmark BENCHMARK=sms_spam                        # seeds 1 to 5: ten runs
    make benchmark BENCHMARK=sms_spam ARGS="--seeds 1"       # one run for each kind of labels

With `--root DIR` the runs are kept there, and a second call goes on where the first one ended.

Runs the DAG on sms_spam as benchmarks/quality.py does on census: `weak` lets it see 100 true labels
of the training messages (labeling.gold_rows), `gold` all of them. Numbers are the summaries' own,
on the held-out fifth. Beside them stands what needs no pipeline: a logistic regression on tf-idf of
words and pairs of words, fitted to the same 100 messages, and to all.

Writes sms_spam.md and sms_spam.json to benchmarks/results/.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline

from benchmarks import quality, report
from benchmarks.quality import Study, Values
from benchmarks.report import Check, at_least
from core.names import SPLITS
from models.labels.functions import draw
from pipeline.config import load as config
from pipeline.ingestion import staging
from pipeline.report.summary import Variant

TARGETS: tuple[Variant, ...] = ("teacher_pruned", "student_int8")
ALLOWED_LOSS = 0.05
FITTED_TO = {"weak": "the gold rows alone", "gold": "all messages of train and eval"}


def beside(seeds: Sequence[int], folder: Path) -> tuple[list[str], dict[str, Any]]:
    """The logistic regression with the labels of each seed: a table, and values."""
    lines = [yardstick(seed, folder) for seed in seeds]
    linear = {mode: [line[mode] for line in lines] for mode in FITTED_TO}
    return [yardstick_table(linear)], {"logistic_regression_f1": linear}


def yardstick_table(linear: Mapping[str, Sequence[float]]) -> str:
    """F1 of the logistic regression by kind of labels."""
    rows = [(FITTED_TO[mode], report.with_deviation(f1, ".4f")) for mode, f1 in linear.items()]
    return report.table(("logistic regression on tf-idf, fitted to", "f1"), rows)


def yardstick(seed: int, root: Path) -> dict[str, float]:
    """F1 on the held-out fifth of a logistic regression, for each kind of labels."""
    settings = config.load(SMS_SPAM.config, [*SMS_SPAM.modes["weak"], f"seed={seed}"])
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


def checks(measured: Mapping[str, Values]) -> list[Check]:
    """Targets of the two models that are pushed, as means over the seeds."""
    found = []
    for variant in TARGETS:
        f1 = {mode: fmean(values[variant]["f1"]) for mode, values in measured.items()}
        if "gold" not in f1:
            continue
        found.append(at_least(f"gold: F1 of {variant}", f1["gold"], 0.93))
        if "weak" in f1:
            target = f"weak: F1 of {variant}, less than {ALLOWED_LOSS} below gold"
            found.append(at_least(target, f1["weak"], f1["gold"] - ALLOWED_LOSS))
    return found


SMS_SPAM = Study(
    name="sms_spam",
    config="sms_spam",
    gold_rows=100,
    seeds=(1, 2, 3, 4, 5),
    test="908 messages, 113 of them spam",
    quantities=("f1", "auc", "accuracy", "bytes", "gzipped bytes", "us for one row"),
    checks=checks,
    beside=beside,
)

if __name__ == "__main__":
    sys.exit(quality.main(SMS_SPAM, __doc__))
