"""Trainer: the teacher, its pruned copy and the server model, run by the stock TFX Trainer.

In: transformed examples (train, eval), the Transform graph, the tuner's hyperparameters or none,
the model of an earlier run to start from or none.
Out: `model`, the SavedModel of the pruned teacher with its two signatures, and beside it what a
later teacher starts from; `model_run`, with `teacher.keras`, `teacher_pruned.keras` and
`training.json`.
With categories of many values, each of which has few rows, it is trained and pruned once more, on
the eval rows too, for as many epochs and as far as they have told before.
Fails when the loss is not finite or the sparsity is not reached; it is pruned less where the eval
rows show that it gets worse.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras
from pydantic import Field
from tfx.components.trainer.fn_args_utils import FnArgs

from core import sections
from core.files import write_json
from core.names import PRUNED_FILE, TEACHER_FILE, TRAINING_REPORT
from core.sections import Hyperparameters, Section
from models.export.export import export_server_model
from models.network.balance import Balance, balance_of, decide, note
from models.network.description import describe
from models.network.layout import Preprocessing
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from models.network.pruning import (
    PruningLimit,
    PruningOutcome,
    measured_sparsity,
    prune,
    prune_within,
)
from models.network.rows import Rows, load_rows
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from models.network.tuning import architecture_of, of_trial, values_of
from models.network.warm_start import (
    FOLDER,
    StartOutcome,
    cold_reason,
    read_start,
    take_over,
    write_start,
)


class TrainerSettings(Section):
    """What Trainer goes by: sections of the configuration, or the named parts of them.

    `max_drop`: `evaluation.server.max_drop_from_teacher`.
    """

    preprocessing: Preprocessing
    seed: int
    trainer: sections.TrainerSection
    max_drop: dict[str, float] = Field(default_factory=dict)


def run_fn(fn_args: FnArgs) -> None:
    """Trains, prunes and exports.

    Args:
      fn_args: `custom_config` holds `settings`, the JSON of `TrainerSettings`, and `code_sha256`,
        which only tells runs of different code apart.
        `hyperparameters` of the tuner, when there are any, replace those of the section.
        `base_model` is the SavedModel of an earlier run; what to start from lies beside it.
    """
    settings = TrainerSettings.model_validate_json(fn_args.custom_config["settings"])
    section, seed = settings.trainer, settings.seed
    inputs = model_inputs_of(fn_args.transform_graph_path, settings.preprocessing)
    if fn_args.hyperparameters:
        values = of_trial(fn_args.hyperparameters["values"])
    else:
        values = values_of(section)
    train = load_rows(fn_args.train_files, inputs)
    evaluation = load_rows(fn_args.eval_files, inputs)
    tf_keras.utils.set_random_seed(seed)
    teacher = build_network(inputs, architecture_of(values), "teacher")
    meaning = {
        **describe(fn_args.transform_graph_path, settings.preprocessing).document(),
        "classes": list(settings.preprocessing.classes),
    }
    outcome = start_training(teacher, fn_args.base_model, section.warm_start, meaning, values)
    balance = balance_of(train, section.rare_share)
    weighed = balance.weighed(train), balance.weighed(evaluation)
    initial_loss = evaluation_loss(teacher, weighed[1])
    initial_weights = teacher.get_weights()
    plan = Plan(section.epochs, section.batch_size, values.learning_rate, seed, section.patience)
    history = fit(teacher, *weighed, cross_entropy, plan)
    epochs = 1 + int(np.argmin(history["val_loss"]))
    if outcome.start == "warm" and initial_loss < min(history["val_loss"]):
        teacher.set_weights(initial_weights)
        epochs = 0
    balance = decide(teacher, [train, evaluation], balance)
    # What a later run starts from is not to have seen the eval rows, by which that run stops.
    write_start(Path(fn_args.serving_model_dir).parent / FOLDER, teacher, meaning, values)
    plan = dataclasses.replace(plan, epochs=section.pruning_epochs, patience=None)
    pruned, pruning = prune_within(
        teacher,
        balance.weighed(train),
        balance.weighed(evaluation),
        cross_entropy,
        plan,
        section.sparsity,
        PruningLimit(settings.max_drop, evaluation),
        lambda network: decide(network, [train, evaluation], balance),
    )
    if inputs.learned and epochs:
        teacher.set_weights(initial_weights)
        rows = train.followed_by(evaluation)
        balance, pruned, pruning = on_all_rows(teacher, rows, balance, plan, epochs, pruning)
    export_server_model(
        pruned, fn_args.transform_graph_path, settings.preprocessing, fn_args.serving_model_dir
    )
    os.makedirs(fn_args.model_run_dir, exist_ok=True)
    teacher.save(os.path.join(fn_args.model_run_dir, TEACHER_FILE))
    pruned.save(os.path.join(fn_args.model_run_dir, PRUNED_FILE))
    report = {
        "hyperparameters": values.model_dump(),
        "start": {
            **dataclasses.asdict(outcome),
            "initial_val_loss": initial_loss,
            "notes": [*note(teacher.name, balance, section.rare_share), *pruning.notes],
        },
        "odds": balance.odds,
        "base_model": fn_args.base_model and str(Path(fn_args.base_model).parent),
        "history": history,
        "pruning_history": pruning.history,
        "sparsity": pruning.sparsity,
    }
    write_json(Path(fn_args.model_run_dir, TRAINING_REPORT.file), report)


def on_all_rows(
    teacher: tf_keras.Model,
    rows: Rows,
    balance: Balance,
    plan: Plan,
    epochs: int,
    pruning: PruningOutcome,
) -> tuple[Balance, tf_keras.Model, PruningOutcome]:
    """Trains and prunes once more, on the rows of train and eval.

    Of many values each has few rows, and every row counts. The eval rows have told how many epochs
    to train and how far to prune; now they can tell nothing any more.

    Args:
      teacher: With the weights that training started from; it is trained in place.
      rows: Of train and eval.
      balance: How their classes are weighed.
      plan: How to prune.
      epochs: To train.
      pruning: How it went on the rows of train.

    Returns:
      The balance, the pruned teacher, and how it was pruned.
    """
    weighed = balance.weighed(rows)
    fit(teacher, weighed, weighed, cross_entropy, dataclasses.replace(plan, epochs=epochs))
    balance = decide(teacher, [rows], balance)
    weighed = balance.weighed(rows)
    pruned, history = prune(teacher, weighed, weighed, cross_entropy, plan, pruning.sparsity)
    decide(pruned, [rows], balance)
    found = PruningOutcome(history, measured_sparsity(pruned), pruning.notes)
    return balance, pruned, found


def start_training(
    teacher: tf_keras.Model,
    base_model: str | None,
    warm_start: bool,
    preprocessing: Mapping[str, Any],
    values: Hyperparameters,
) -> StartOutcome:
    """Gives an untrained teacher the weights of an earlier one, or says why not.

    Args:
      teacher: The network.
      base_model: SavedModel of the earlier run; None without one.
      warm_start: `trainer.warm_start`.
      preprocessing: What the network's inputs mean.
      values: What it is trained with.
    """
    if not warm_start:
        return StartOutcome("cold", "trainer.warm_start=false")
    if base_model is None:
        return StartOutcome("cold", "no earlier model was blessed")
    start = read_start(Path(base_model).parent / FOLDER)
    if start is None:
        return StartOutcome("cold", "the weights of the last blessed model are gone or damaged")
    if reason := cold_reason(start, preprocessing, architecture_of(values)):
        return StartOutcome("cold", reason)
    return take_over(teacher, start, preprocessing)
