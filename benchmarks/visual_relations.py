"""Quality on visual relations, three classes: all six variants, with 100 true labels and with all.

    make benchmark BENCHMARK=visual_relations                    # seeds 1 to 5: ten runs
    make benchmark BENCHMARK=visual_relations ARGS="--seeds 1"   # one run for each kind of labels

With `--root DIR` the runs are kept there, and a second call goes on where the first one ended.

Runs the DAG on visual_relations as benchmarks/quality.py does on census: `weak` lets it see 100
true labels of the training relations (labeling.gold_rows), `gold` all of them. The annotation files
are where the configuration's data.source says. Numbers are the summaries' own, on the published
test images. Beside them stands what needs no pipeline: a logistic regression on the same columns
(categories one-hot, geometry as ranks), fitted to the same 100 relations, and to all; and a lookup
of the class that a pair of subject and object mostly has among all of them.

Writes visual_relations.md and visual_relations.json to benchmarks/results/.
"""

import sys
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

from benchmarks import quality, report
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

if __name__ == "__main__":
    sys.exit(quality.main(VISUAL_RELATIONS, __doc__))
