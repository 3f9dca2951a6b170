"""Trains and measures with another mitigation on the artifacts of a run; a part of `fairness`.

    .venv/bin/python -m benchmarks.fairness_nodes FOLDER

FOLDER is the root of one census run. Its `asked.json` has the overrides of the configuration by the
path of a file to write: the measures of both targets.
"""

import json
import sys
import tempfile
from pathlib import Path

import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from benchmarks.fairness import TARGETS, Values, figures
from components.evaluation.variant_evaluator import VariantSettings, evaluate
from components.training.distiller import DistillerSettings, write_student
from components.training.quantizer import QuantizerSettings, write_variants
from components.training.trainer import TrainerSettings, run_fn
from core.files import write_json
from core.names import PRUNED_FILE, STUDENT_FILE, TEACHER_FILE
from models.export.tflite import predict
from models.network.network import answers_of
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_columns, load_rows
from pipeline.config.load import load
from pipeline.settings import mitigation_of, preprocessing_for, settings_for, settings_json


def main(folder: Path) -> None:
    """Writes what `asked.json` asks for."""
    for path, overrides in json.loads((folder / "asked.json").read_text("utf-8")).items():
        write_json(Path(path), measured(folder, overrides))


def measured(folder: Path, overrides: list[str]) -> Values:
    """What the nodes from the Trainer on make of the artifacts of a run, by target."""
    config = load("census", overrides)
    artifacts = folder / "census" / "artifacts"
    [graph] = (artifacts / "Transform" / "transform_graph").iterdir()
    [examples] = (artifacts / "Transform" / "transformed_examples").iterdir()
    [best] = (artifacts / "Tuner" / "best_hyperparameters").iterdir()
    train, evaluation, test = (f"{examples}/Split-{s}/*" for s in ("train", "eval", "test"))
    preprocessing = preprocessing_for(config)
    told = {"preprocessing": preprocessing, **mitigation_of(config)}
    bounds = config.evaluation
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        made = Path(scratch)
        for name in ("student", "variants"):
            (made / name).mkdir()
        of_trainer = settings_json(
            TrainerSettings, config, max_drop=bounds.server.max_drop_from_teacher, **told
        )
        run_fn(
            FnArgs(
                custom_config={"settings": of_trainer},
                hyperparameters=json.loads((best / "best_hyperparameters.txt").read_text("utf-8")),
                serving_model_dir=str(made / "model"),
                model_run_dir=str(made / "run"),
                train_files=[train],
                eval_files=[evaluation],
                transform_graph_path=str(graph),
            )
        )
        of_distiller = settings_for(
            DistillerSettings, config, max_drop=bounds.edge.max_drop_from_teacher, **told
        )
        teacher, student = made / "run" / TEACHER_FILE, made / "student"
        write_student(str(student), str(teacher), str(graph), train, evaluation, of_distiller)
        write_variants(
            str(made / "edge"),
            str(made / "variants"),
            str(student / STUDENT_FILE),
            str(graph),
            train,
            settings_for(QuantizerSettings, config, preprocessing=preprocessing),
        )
        rows = load_rows([test], model_inputs_of(str(graph), preprocessing))
        columns = load_columns([test], ["sex"])
        pruned = tf_keras.models.load_model(made / "run" / PRUNED_FILE, compile=False)
        edge = (made / "variants" / f"{TARGETS['edge']}.tflite").read_bytes()
        answers = {"server": answers_of(pruned, rows), "edge": predict(edge, rows.features)}
    by_sex = config.evaluation.model_copy(update={"slices": (("sex",),)})
    settings = VariantSettings(preprocessing=preprocessing, evaluation=by_sex)
    return {
        target: figures(evaluate(rows.codes, of, columns, settings))
        for target, of in answers.items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
