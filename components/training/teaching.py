"""How the teacher is trained and pruned: the part of Trainer that knows no artifacts."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tf_keras

from core.names import TEACHER, TEACHER_PRUNED
from core.sections.training import UNSTRUCTURED, TrainerSection
from models.compression.goals import measured_sparsity
from models.compression.pruning import PruningLimit, PruningOutcome, copied, prune, prune_within
from models.network.balance import Balance, balance_of, decide
from models.network.mitigation import Grouped
from models.network.penalty import Penalty
from models.network.rows import Rows
from models.network.training import Plan, cross_entropy, evaluation_loss, fit
from models.teachers.lesson import TeacherLesson


@dataclasses.dataclass(frozen=True)
class Alike:
    """How the teacher's decisions are made alike in groups: in training only with a penalty."""

    groups: Grouped | None
    penalty: Penalty | None

    def made(
        self,
        teacher: tf_keras.Model,
        rows: Sequence[Rows],
        learnt: Rows,
        balance: Balance,
        plan: Plan,
    ) -> Balance:
        """Trains on, in place, with the penalty; returns the balance of the outcome.

        Args:
          teacher: Trained, and moved to where 0.5 decides.
          rows: Of train, and of eval if they were not trained on.
          learnt: What it was fitted to.
          balance: How their classes are weighed.
          plan: How to fit, but for the number of epochs.
        """
        if self.groups is None or self.penalty is None:
            return balance
        plan = dataclasses.replace(plan, epochs=self.groups.told.epochs)
        weighed = balance.weighed(learnt), balance.weighed(rows[-1])
        fit(teacher, *weighed, cross_entropy, plan, penalty=self.penalty)
        return decide(teacher, rows, balance)


def on_all_rows(
    teacher: tf_keras.Model,
    rows: Rows,
    balance: Balance,
    plan: Plan,
    epochs: int,
    pruning: PruningOutcome,
    alike: Alike,
    section: TrainerSection,
    lesson: TeacherLesson | None,
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
      alike: What holds between groups, here too.
      section: What to prune to.
      lesson: What is made of the rows; None: they are learnt as they are.

    Returns:
      The balance, the pruned teacher, and how it was pruned.
    """
    learnt = lesson.again(rows).of(rows) if lesson else rows
    weighed = balance.weighed(learnt), balance.weighed(rows)
    fit(teacher, *weighed, cross_entropy, dataclasses.replace(plan, epochs=epochs))
    balance = alike.made(teacher, [rows], learnt, decide(teacher, [rows], balance), plan)
    weighed = balance.weighed(learnt), balance.weighed(rows)
    pruned, history = prune(
        teacher,
        *weighed,
        cross_entropy,
        plan,
        section.sparsity,
        alike.penalty,
        section.pruning if pruning.share else UNSTRUCTURED,
        pruning.share,
    )
    decide(pruned, [rows], balance)
    history = {**history, "val_loss": []}  # of rows that it was fitted to
    found = dataclasses.replace(pruning, history=history, sparsity=measured_sparsity(pruned))
    return balance, pruned, found


@dataclasses.dataclass(frozen=True)
class Taught:
    """How training went.

    Attributes:
      teacher: Trained.
      pruned: A pruned copy.
      start: A copy of the teacher from before it saw the eval rows or a penalty; the next run may
        start from it.
      balance: How the classes were weighed.
      unseen: Both by their names, as they were before they saw the eval rows: trained in the same
        way, on the rows of train alone.
      pruning: How pruning went.
      history: Losses by epoch.
      initial_loss: On the eval rows, before the first epoch.
      before: What the teacher decided in each group before the penalty; empty without groups.
    """

    teacher: tf_keras.Model
    pruned: tf_keras.Model
    start: tf_keras.Model
    balance: Balance
    unseen: dict[str, tf_keras.Model]
    pruning: PruningOutcome
    history: dict[str, list[float]]
    initial_loss: float
    before: dict[str, Any]


def teach(
    teacher: tf_keras.Model,
    rows: tuple[Rows, Rows],
    plan: Plan,
    section: TrainerSection,
    limit: PruningLimit,
    alike: Alike,
    warm: bool,
    again: bool,
    lesson: TeacherLesson | None = None,
) -> Taught:
    """Trains a network in place, and prunes a copy.

    Args:
      teacher: Untrained, or with the weights of an earlier one.
      rows: Of train and eval.
      plan: How to fit.
      section: How to weigh classes and to prune.
      limit: How much worse pruning may make it.
      alike: What holds between groups.
      warm: Whether it has weights that may be better than what more training makes of them.
      again: Whether to train and prune once more, on all rows.
      lesson: What is made of the rows before they are learnt; None: nothing.
    """
    train, evaluation = rows
    balance = balance_of(train, section.rare_share)
    learnt = lesson.of(train) if lesson else train
    weighed = balance.weighed(learnt), balance.weighed(evaluation)
    initial_loss = evaluation_loss(teacher, weighed[1])
    initial_weights = teacher.get_weights()
    history = fit(teacher, *weighed, cross_entropy, plan)
    epochs = 1 + int(np.argmin(history["val_loss"]))
    if warm and initial_loss < min(history["val_loss"]):
        teacher.set_weights(initial_weights)
        epochs = 0
    balance = decide(teacher, rows, balance)
    # What a later run starts from is not to have seen the eval rows, by which that run stops.
    start = copied(teacher)
    plan = dataclasses.replace(plan, epochs=section.pruning_epochs, patience=None)
    before = alike.groups.rates(teacher) if alike.groups else {}
    balance = alike.made(teacher, rows, learnt, balance, plan)
    pruned, pruning = prune_within(
        teacher,
        balance.weighed(learnt),
        balance.weighed(evaluation),
        cross_entropy,
        plan,
        section.sparsity,
        limit,
        lambda network: decide(network, rows, balance),
        alike.penalty,
        section.pruning,
    )
    unseen = {TEACHER: teacher, TEACHER_PRUNED: pruned}
    if again and epochs:
        unseen[TEACHER] = copied(teacher)
        teacher.set_weights(initial_weights)
        all_rows = train.followed_by(evaluation)
        balance, pruned, pruning = on_all_rows(
            teacher, all_rows, balance, plan, epochs, pruning, alike, section, lesson
        )
    return Taught(teacher, pruned, start, balance, unseen, pruning, history, initial_loss, before)
