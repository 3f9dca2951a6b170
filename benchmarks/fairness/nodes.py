"""Trains and measures with other mitigations on the artifacts of a run; a part of `fairness`.

    .venv/bin/python -m benchmarks.fairness.nodes FOLDER

FOLDER is the root of one census run. Its `asked.json` has the overrides of the configuration by the
path of a file to write: the measures of both targets.
"""

import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tf_keras

from benchmarks.fairness.study import TARGETS, Values, figures
from components.evaluation.variant_evaluator import VariantSettings, evaluate
from components.training.teaching import Alike, teach
from core.config import Config
from core.files import write_json
from core.names import STUDENT, TEACHER, TEACHER_PRUNED
from models.compression.pruning import PruningLimit
from models.distillation.distillation import distill
from models.export.tflite import convert_all, predict
from models.network.description import describe
from models.network.mitigation import grouped
from models.network.network import answers_of, build_network
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import Rows, load_columns, load_rows
from models.network.thresholds import finished
from models.network.training import plan_of
from models.search.values import architecture_of, of_trial
from models.teachers.lesson import teacher_lesson_of
from pipeline.config.load import load
from pipeline.settings import mitigation_of, preprocessing_for


@dataclasses.dataclass(frozen=True)
class Artifacts:
    """What a run has left.

    Attributes:
      graph: The Transform graph.
      inputs: Widths of the features.
      rows: Of train, eval and test.
      sexes: The column in each of them, [rows] of str.
      best: The tuner's values.
    """

    graph: Path
    inputs: ModelInputs
    rows: Sequence[Rows]
    sexes: Sequence[np.ndarray]
    best: dict[str, object]


def main(folder: Path) -> None:
    """Writes what `asked.json` asks for."""
    asked = json.loads((folder / "asked.json").read_text("utf-8"))
    artifacts = None
    for path, overrides in asked.items():
        config = load("census", overrides)
        artifacts = artifacts or read(folder / "census" / "artifacts", config)
        write_json(Path(path), measured(artifacts, config))


def read(folder: Path, config: Config) -> Artifacts:
    """The artifacts of the one run in a folder."""
    [graph] = (folder / "Transform" / "transform_graph").iterdir()
    [examples] = (folder / "Transform" / "transformed_examples").iterdir()
    [best] = (folder / "Tuner" / "best_hyperparameters").iterdir()
    values = json.loads((best / "best_hyperparameters.txt").read_text("utf-8"))["values"]
    inputs = model_inputs_of(str(graph), preprocessing_for(config))
    files = [f"{examples}/Split-{split}/*" for split in ("train", "eval", "test")]
    rows = [load_rows([pattern], inputs) for pattern in files]
    sexes = [load_columns([pattern], ["sex"])["sex"] for pattern in files]
    return Artifacts(graph, inputs, rows, sexes, values)


def measured(artifacts: Artifacts, config: Config) -> Values:
    """What Trainer, Distiller and Quantizer make of the rows, by target."""
    preprocessing, seed, inputs = preprocessing_for(config), config.seed, artifacts.inputs
    layout = describe(str(artifacts.graph), preprocessing).layout
    train, evaluation, test = artifacts.rows
    told = mitigation_of(config)
    gold_weight, groups = told.get("gold_weight"), None
    if told["fairness"] is not None:
        values = artifacts.sexes[0], artifacts.sexes[1]
        groups = grouped(told["fairness"], (train, evaluation), values, gold_weight)
        train, evaluation = groups.train, groups.evaluation
    section, values_of = config.trainer, of_trial(artifacts.best)
    tf_keras.utils.set_random_seed(seed)
    plan = plan_of(section, values_of.learning_rate, seed)
    limits = (config.evaluation.bounds_of(target).max_drop_from_teacher for target in TARGETS)
    of_server, of_edge = limits
    taught = teach(
        build_network(inputs, architecture_of(values_of), TEACHER),
        (train, evaluation),
        plan,
        section,
        PruningLimit(of_server, evaluation),
        Alike(groups, groups.penalty(seed) if groups else None),
        warm=False,
        again=section.all_rows,
        lesson=teacher_lesson_of((train, evaluation), layout, inputs, section, seed),
    )
    networks = {TEACHER: taught.teacher, TEACHER_PRUNED: taught.pruned}
    if groups:
        networks = finished(networks, groups, inputs, layout, gold_weight).networks
    tf_keras.utils.set_random_seed(seed)
    student, _ = distill(
        networks[TEACHER],
        inputs,
        train,
        evaluation,
        dataclasses.replace(
            plan, epochs=config.distiller.epochs, learning_rate=config.distiller.learning_rate
        ),
        config.distiller,
        of_edge,
        taught.balance.odds,
        groups.penalty(seed) if groups else None,
        config.fairness.epochs,
    )
    if groups:
        done = finished({STUDENT: student}, groups, inputs, layout, gold_weight)
        student = done.networks[STUDENT]
    calibration = artifacts.rows[0].sample(config.quantizer.calibration_rows, seed)
    edge = convert_all(student, calibration, [TARGETS["edge"]])[TARGETS["edge"]]
    answers = {
        "server": answers_of(networks[TEACHER_PRUNED], test),
        "edge": predict(edge, test.features),
    }
    by_sex = config.evaluation.model_copy(update={"slices": (("sex",),)})
    settings = VariantSettings(preprocessing=preprocessing, evaluation=by_sex)
    columns = {"sex": artifacts.sexes[2]}
    return {
        target: figures(evaluate(test.codes, of, columns, settings))
        for target, of in answers.items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
