"""Trainer: the teacher, its pruned copy and the server model, run by the stock TFX Trainer.

In: transformed examples (train, eval), the Transform graph, the tuner's hyperparameters or none.
Out: `model`, the SavedModel of the pruned teacher with its two signatures; `model_run`, with
`teacher.keras`, `teacher_pruned.keras` and `training.json`.
Fails when the loss is not finite or the sparsity is not reached.
"""

import dataclasses
import json
import os

import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from models.export import export_server_model
from models.features import model_inputs_of
from models.network import build_network
from models.pruning import measured_sparsity, prune
from models.rows import load_rows
from models.training import Plan, cross_entropy, fit
from models.tuning import Hyperparameters

TEACHER_FILE = "teacher.keras"
PRUNED_FILE = "teacher_pruned.keras"
REPORT_FILE = "training.json"


def run_fn(fn_args: FnArgs) -> None:
    """Trains, prunes and exports.

    Args:
      fn_args: `custom_config` holds `preprocessing` (what Transform was given), `seed`, `trainer`
        (the whole section) and `code_sha256`, which only tells runs of different code apart.
        `hyperparameters` of the tuner, when there are any, replace those of the section.
    """
    settings = fn_args.custom_config
    section, seed = settings["trainer"], settings["seed"]
    inputs = model_inputs_of(fn_args.transform_graph_path, settings["preprocessing"])
    if fn_args.hyperparameters:
        values = Hyperparameters.from_tuner(fn_args.hyperparameters["values"])
    else:
        values = Hyperparameters.from_section(section)
    train = load_rows(fn_args.train_files, inputs)
    evaluation = load_rows(fn_args.eval_files, inputs)
    tf_keras.utils.set_random_seed(seed)
    teacher = build_network(inputs, values.architecture, "teacher")
    plan = Plan(
        section["epochs"], section["batch_size"], values.learning_rate, seed, section["patience"]
    )
    history = fit(teacher, train, evaluation, cross_entropy, plan)
    plan = dataclasses.replace(plan, epochs=section["pruning_epochs"], patience=None)
    pruned, pruning_history = prune(
        teacher, train, evaluation, cross_entropy, plan, section["sparsity"]
    )
    export_server_model(
        pruned,
        fn_args.transform_graph_path,
        settings["preprocessing"],
        fn_args.serving_model_dir,
    )
    os.makedirs(fn_args.model_run_dir, exist_ok=True)
    teacher.save(os.path.join(fn_args.model_run_dir, TEACHER_FILE))
    pruned.save(os.path.join(fn_args.model_run_dir, PRUNED_FILE))
    report = {
        "hyperparameters": dataclasses.asdict(values),
        "history": history,
        "pruning_history": pruning_history,
        "sparsity": measured_sparsity(pruned),
    }
    with open(os.path.join(fn_args.model_run_dir, REPORT_FILE), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)
