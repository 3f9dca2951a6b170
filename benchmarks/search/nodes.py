"""Searches and trains on the artifacts of one run; a part of `search`.

    .venv/bin/python -m benchmarks.search.nodes CONFIG FOLDER ASKED FILE

FOLDER is <root>/CONFIG of one run; ASKED is JSON: `strategies`, `seeds`, `trials`. FILE gets a
`Found` for each strategy and seed.
"""

import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

from benchmarks.search.study import Found
from core.config import Config
from core.files import write_json
from core.sections.training import Hyperparameters
from models.metrics.registry import METRICS
from models.network.balance import balance_of, decide
from models.network.description import describe
from models.network.network import answers_of, build_network
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import Rows, load_rows
from models.network.training import Plan, cross_entropy, fit, plan_of
from models.search.tuner import NetworkTuner
from models.search.values import architecture_of, of_trial, values_of
from models.teachers.lesson import FEW_ROWS, teacher_lesson_of
from pipeline.config.load import load
from pipeline.settings import preprocessing_for

_TRAININGS = 2  # of best and default, by whose mean AUC they are judged


def main(name: str, folder: Path, asked: dict[str, Any], file: Path) -> None:
    """Writes what was asked for."""
    found = []
    for strategy in asked["strategies"]:
        for seed in asked["seeds"]:
            told = f"tuner.search={strategy}", f"tuner.trials={asked['trials']}"
            longer = "tuner.epochs=8", "tuner.enabled=true", f"seed={seed}"
            config = load(name, [*told, *longer])
            found.append(searched(config, *read(folder / "artifacts", config)))
            print(name, found[-1], file=sys.stderr, flush=True)
    write_json(file, found)


def read(artifacts: Path, config: Config) -> tuple[ModelInputs, list[Rows]]:
    """What Tuner learns from, and the rows of eval and test."""
    [graph] = (artifacts / "Transform" / "transform_graph").iterdir()
    [examples] = (artifacts / "Transform" / "transformed_examples").iterdir()
    preprocessing = preprocessing_for(config)
    inputs = model_inputs_of(str(graph), preprocessing)
    splits = (f"{examples}/Split-{split}/*" for split in ("train", "eval", "test"))
    train, evaluation, test = (load_rows([pattern], inputs) for pattern in splits)
    layout = describe(str(graph), preprocessing).layout
    parts = train, evaluation
    lesson = teacher_lesson_of(parts, layout, inputs, config.trainer, config.seed, FEW_ROWS)
    return inputs, [lesson.of(train) if lesson else train, evaluation, test]


def searched(config: Config, inputs: ModelInputs, rows: list[Rows]) -> Found:
    """One search as the Tuner makes it, and what best and default come to on rows it never saw."""
    section, defaults = config.trainer, values_of(config.trainer)
    balance = balance_of(rows[0], section.rare_share)
    train, evaluation = (balance.weighed(each) for each in rows[:2])
    full = plan_of(section, defaults.learning_rate, config.seed)
    with tempfile.TemporaryDirectory() as scratch:
        tuner = NetworkTuner(inputs, defaults, config.tuner, full, scratch)
        tuner.search(train, evaluation)
    report = tuner.report()
    by_name = {trial["trial"]: of_trial(trial["values"]) for trial in report["trials"]}
    auc: dict[str, list[float]] = {}
    for what in ("default", "best"):
        values = by_name[report[what]]
        judged = [
            _auc(values, dataclasses.replace(full, seed=config.seed + 10 * n), inputs, rows)
            for n in range(1, _TRAININGS + 1)
        ]
        auc[what] = np.mean(judged, axis=0).tolist()
    comparison = report["comparison"]
    return Found(
        strategy=config.tuner.search,
        seed=config.seed,
        rows=[each.count for each in rows],
        seconds=report["seconds"],
        is_default=report["best"] == report["default"],
        taken=report["taken"] != report["default"],
        reason=report["reason"],
        best=by_name[report["best"]].model_dump(mode="json"),
        in_every_training=bool(comparison)
        and all(each["best"] < each["default"] for each in comparison["seeds"]),
        difference=comparison["difference"] if comparison else 0.0,
        eval_auc={what: values[0] for what, values in auc.items()},
        test_auc={what: values[1] for what, values in auc.items()},
    )


def _auc(
    values: Hyperparameters, plan: Plan, inputs: ModelInputs, rows: list[Rows]
) -> tuple[float, float]:
    """AUC on the rows of eval and of test, trained on those of train."""
    train, evaluation, test = rows
    balance = balance_of(train, 0.0)
    tf_keras.utils.set_random_seed(plan.seed)
    model = build_network(inputs, architecture_of(values), "network")
    plan = dataclasses.replace(plan, learning_rate=values.learning_rate)
    fit(model, train, evaluation, cross_entropy, plan)
    decide(model, rows[:2], balance)
    measured = (
        METRICS["auc"].measure(each.codes, answers_of(model, each)) for each in (evaluation, test)
    )
    on_eval, on_test = (float(value) for value in measured if value is not None)
    return on_eval, on_test


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), json.loads(sys.argv[3]), Path(sys.argv[4]))
