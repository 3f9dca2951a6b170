"""What is measured on visual relations, what is asked for, and what needs no pipeline."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from benchmarks import report
from benchmarks.quality import Study, Values
from benchmarks.report import Check, at_least
from core.config import Config
from core.names import SPLITS
from models.labels.functions import draw
from pipeline.config import load as config
from pipeline.ingestion import staging
from pipeline.report.summary import Variant

TARGETS: tuple[Variant, ...] = ("teacher_pruned", "student_int8")
ASKED_FOR = {
    "weak": {"accuracy": 0.88, "macro f1": 0.83},
    "gold": {"accuracy": 0.90, "macro f1": 0.87},
}
FITTED = (
    "logistic regression on the gold rows",
    "logistic regression on all rows",
    "lookup of subject and object in all rows",
)
Scores = dict[str, float]
"""Accuracy and macro F1."""


def beside(seeds: Sequence[int], folder: Path) -> tuple[list[str], dict[str, Any]]:
    """What needs no pipeline, with the labels of each seed: a table, and values."""
    found = [yardsticks(seed, folder) for seed in seeds]
    values = {
        name: {metric: [one[name][metric] for one in found] for metric in ASKED_FOR["weak"]}
        for name in FITTED
    }
    rows = [
        (name, *(report.with_deviation(by_seed, ".4f") for by_seed in scores.values()))
        for name, scores in values.items()
    ]
    return [report.table(("without a pipeline", "accuracy", "macro f1"), rows)], {"beside": values}


def yardsticks(seed: int, root: Path) -> dict[str, Scores]:
    """Scores on the test part of what needs no pipeline, by what it is."""
    settings = config.load(
        VISUAL_RELATIONS.config, [*VISUAL_RELATIONS.modes["weak"], f"seed={seed}"]
    )
    staged = Path(staging.stage(settings, root).path)
    train, evaluation, test = (pd.read_csv(staged / split / "data.csv") for split in SPLITS)
    labeled = pd.concat([train, evaluation], ignore_index=True)
    drawn = draw(seed, labeled["row_id"].tolist(), settings.labeling.gold_rows)
    gold = labeled.iloc[[row for _, row in drawn]]
    answers = (
        _linear(gold, test, settings),
        _linear(labeled, test, settings),
        _lookup(labeled, test),
    )
    label = test[settings.columns.label]
    return {
        name: {
            "accuracy": float(accuracy_score(label, answer)),
            "macro f1": float(f1_score(label, answer, average="macro")),
        }
        for name, answer in zip(FITTED, answers, strict=True)
    }


def _linear(train: pd.DataFrame, test: pd.DataFrame, settings: Config) -> Any:
    columns = settings.columns
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), list(columns.categorical)),
            (QuantileTransformer(n_quantiles=min(50, len(train))), list(columns.numeric)),
        ),
        LogisticRegression(max_iter=3000),
    )
    return model.fit(train, train[columns.label]).predict(test)


def _lookup(train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    """The most frequent class of the pair; of a pair that is not there, of all."""
    most = train.groupby(["subject", "object"])["relation"].agg(
        lambda of: of.value_counts().index[0]
    )
    rest = train["relation"].value_counts().index[0]
    return [most.get(pair, rest) for pair in zip(test["subject"], test["object"], strict=True)]


def checks(measured: Mapping[str, Values]) -> list[Check]:
    """Targets of the two models that are pushed, as means over the seeds."""
    return [
        at_least(f"{mode}: {metric} of {variant}", fmean(values[variant][metric]), limit)
        for mode, values in measured.items()
        for variant in TARGETS
        for metric, limit in ASKED_FOR[mode].items()
    ]


VISUAL_RELATIONS = Study(
    name="visual_relations",
    config="visual_relations",
    gold_rows=100,
    seeds=(1, 2, 3, 4, 5),
    test="194 relations, 34 of them ride and 36 carry",
    quantities=("accuracy", "macro f1", "bytes", "gzipped bytes", "us for one row"),
    checks=checks,
    beside=beside,
)
