"""Trainer: the teacher, its pruned copy and the server model, run by the stock TFX Trainer.

In: transformed examples (train, eval), the Transform graph, the tuner's hyperparameters or none,
the model of an earlier run to start from or none.
Out: `model`, the SavedModel of the pruned teacher with its two signatures, and beside it what a
later teacher starts from; `model_run`, with `teacher.keras`, `teacher_pruned.keras`,
`training.json`, and what both answered to the eval rows before they saw them.
With a mitigation (`fairness`) both teachers decide more alike in the groups of a column.
With categories of many values, each of which has few rows, it is trained and pruned once more, on
the eval rows too, for as many epochs and as far as they have told before.
Fails when the loss is not finite, when the sparsity is not reached or is not in the SavedModel, and
with InputError when there are not two groups to be made alike or `pruning` does not fit the
network; it is pruned less where the eval rows show that it gets worse.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tf_keras
from pydantic import Field
from tfx.components.trainer.fn_args_utils import FnArgs

from components.training.teaching import Alike, teach
from core.files import write_json
from core.names import PRUNED_FILE, TEACHER, TEACHER_FILE, TEACHER_PRUNED, TRAINING_REPORT
from core.sections.fairness import Mitigation
from core.sections.section import Section
from core.sections.training import Hyperparameters, TrainerSection
from models.compression.exported import in_saved_model, verified
from models.compression.pruning import PruningLimit
from models.export.export import export_server_model
from models.frontier.unseen import write_answers
from models.network.balance import note
from models.network.description import describe
from models.network.layout import Preprocessing
from models.network.mitigation import read_groups
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from models.network.thresholds import finished
from models.network.training import plan_of
from models.network.warm_start import (
    FOLDER,
    StartOutcome,
    cold_reason,
    read_start,
    take_over,
    write_start,
)
from models.search.values import architecture_of, of_trial, values_of
from models.teachers.lesson import teacher_lesson_of


class TrainerSettings(Section):
    """What Trainer goes by: sections of the configuration, or the named parts of them.

    `max_drop`: `evaluation.server.max_drop_from_teacher`. `fairness`: None where nothing is done.
    `gold_weight`: weight by which rows with a true label are known; None: all are such.
    """

    preprocessing: Preprocessing
    seed: int
    trainer: TrainerSection
    max_drop: dict[str, float] = Field(default_factory=dict)
    fairness: Mitigation | None = None
    gold_weight: float | None = None


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
    files = fn_args.train_files, fn_args.eval_files
    rows, gold = (load_rows(files[0], inputs), load_rows(files[1], inputs)), settings.gold_weight
    told = settings.fairness
    groups = read_groups(told, rows, files, gold) if told else None
    tf_keras.utils.set_random_seed(seed)
    teacher = build_network(inputs, architecture_of(values), TEACHER)
    description = describe(fn_args.transform_graph_path, settings.preprocessing)
    classes = list(settings.preprocessing.classes)
    meaning = {**description.document(), "classes": classes}
    learnt_from = (groups.train, groups.evaluation) if groups else rows
    lesson = teacher_lesson_of(learnt_from, description.layout, inputs, section, seed)
    outcome = start_training(teacher, fn_args.base_model, section.warm_start, meaning, values)
    taught = teach(
        teacher,
        learnt_from,
        plan_of(section, values.learning_rate, seed),
        section,
        PruningLimit(settings.max_drop, groups.evaluation if groups else rows[1]),
        Alike(groups, groups.penalty(seed) if groups else None),
        warm=outcome.start == "warm",
        again=section.all_rows or bool(inputs.learned),
        lesson=lesson,
    )
    write_start(Path(fn_args.serving_model_dir).parent / FOLDER, taught.start, meaning, values)
    networks, mitigation = {TEACHER: taught.teacher, TEACHER_PRUNED: taught.pruned}, None
    unseen = taught.unseen
    if groups:
        unseen = finished(unseen, groups, inputs, description.layout, gold).networks
        done = finished(networks, groups, inputs, description.layout, gold)
        networks, mitigation = done.networks, done.report({"before": taught.before})
    export_server_model(
        networks[TEACHER_PRUNED],
        fn_args.transform_graph_path,
        settings.preprocessing,
        fn_args.serving_model_dir,
    )
    exported = in_saved_model(Path(fn_args.serving_model_dir), networks[TEACHER_PRUNED])
    os.makedirs(fn_args.model_run_dir, exist_ok=True)
    networks[TEACHER].save(os.path.join(fn_args.model_run_dir, TEACHER_FILE))
    networks[TEACHER_PRUNED].save(os.path.join(fn_args.model_run_dir, PRUNED_FILE))
    write_answers(Path(fn_args.model_run_dir), unseen, rows[1])
    notes = [*note(TEACHER, taught.balance, section.rare_share), *taught.pruning.notes]
    report = {
        "hyperparameters": values.model_dump(),
        "start": {
            **dataclasses.asdict(outcome),
            "initial_val_loss": taught.initial_loss,
            "notes": [*notes, *(mitigation["notes"] if mitigation else [])],
        },
        "mitigation": mitigation,
        "opinion": dict(lesson.opinion.shares) if lesson else {},
        "made_rows": lesson.count(rows[0].weighted().count) if lesson else 0,
        "odds": taught.balance.odds,
        "base_model": fn_args.base_model and str(Path(fn_args.base_model).parent),
        "history": taught.history,
        "pruning_history": taught.pruning.history,
        **verified(exported, networks[TEACHER_PRUNED], "the SavedModel"),
    }
    write_json(Path(fn_args.model_run_dir, TRAINING_REPORT.file), report)


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
