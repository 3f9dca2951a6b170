"""A small network learns a large one's opinion of every row, and of rows that are made.

What a small network lacks beside its teacher is mostly steps, and on small tables rows: hence the
number of steps does not hang on the number of rows, the learning rate falls to nothing, and of few
rows more are made.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import tf_keras

from core.sections.training import DistillerSection
from models.compression.pruning import PruningLimit, prune_within
from models.compression.quantization_aware import train_aware
from models.distillation.augmentation import rows_to_make, swapped
from models.distillation.columns import ColumnPlaces
from models.distillation.features import TeacherFeatures, matching, matching_loss, taken_over
from models.distillation.opinion import distillation_loss, with_opinion
from models.network.balance import Balance, decide, positive_share
from models.network.network import Architecture, build_network
from models.network.penalty import Penalty
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.network.training import Loss, Plan, fit

_PASS_STEPS = 100  # in a pass at least: fewer rows are repeated, and the eval rows asked less often


@dataclasses.dataclass(frozen=True)
class RowsUsed:
    """Of which rows the student learnt.

    Attributes:
      labelled: With a label: gold rows, and in weak mode those on which a function votes.
      unlabelled: Without one, of weight 0: the teacher's opinion alone.
      made: Made of these, with the teacher's opinion alone.
    """

    labelled: int
    unlabelled: int
    made: int


@dataclasses.dataclass(frozen=True)
class DistillationOutcome:
    """How the student was made.

    Attributes:
      history: Losses by pass, in which each row has its turn once, on small tables several times.
      pruning_history: The same while it was pruned.
      sparsity: Its share of zero weights.
      notes: What is to be said.
      rows: Of which rows it learnt.
      steps: How many steps it was trained, without pruning.
      quantization_history: Losses of training with the numbers of int8 files; empty without it.
    """

    history: dict[str, list[float]]
    pruning_history: dict[str, list[float]]
    sparsity: float
    notes: list[str]
    rows: RowsUsed
    steps: int
    quantization_history: dict[str, list[float]]


@dataclasses.dataclass(frozen=True)
class Lesson:
    """Rows with the teacher's opinion, and how long to learn of them.

    Attributes:
      train: Label as `with_opinion` makes it; small tables several times over.
      evaluation: The same, once.
      plan: `epochs` passes over `train`, with a falling learning rate, the best of them kept.
      used: What `train` is made of.
    """

    train: Rows
    evaluation: Rows
    plan: Plan
    used: RowsUsed

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.plan.epochs * (self.train.count // min(self.plan.batch_size, self.train.count))


def distill(
    teacher: tf_keras.Model,
    inputs: ModelInputs,
    train: Rows,
    evaluation: Rows,
    plan: Plan,
    section: DistillerSection,
    max_drop: Mapping[str, float] | None = None,
    odds: float = 1.0,
    penalty: Penalty | None = None,
    penalty_epochs: int = 0,
    columns: Sequence[ColumnPlaces] = (),
) -> tuple[tf_keras.Model, DistillationOutcome]:
    """Returns the pruned student and its report.

    Args:
      teacher: Trained network on the same inputs; it is left as it is.
      inputs: Widths of the features.
      train: Rows with label [rows, outputs]; rows of weight 0 take part too, without their label.
      evaluation: Rows that tell which pass was the best.
      plan: Batch size, learning rate and seed; epochs: at least so many.
      section: The student's size, the loss, and how it is pruned, with the same loss.
      max_drop: Largest fall by pruning, by metric; None: no bound.
      odds: What the teacher's answers are odds times of (models/network/balance.py).
      penalty: On gaps between groups, once the student has learnt, and while it is pruned.
      penalty_epochs: How many before it is pruned.
      columns: The places of each column, for rows that are made; empty: none are made.
    """
    given, limit = (train, evaluation), PruningLimit(max_drop or {}, evaluation)
    balance = Balance(positive_share(train), odds)
    lesson = lesson_of(
        teacher, (balance.weighed(train), balance.weighed(evaluation)), plan, section, columns
    )
    loss = distillation_loss(section.temperature, section.label_share)
    student = build_network(
        inputs, Architecture(section.hidden_units, section.embedding_dim), "student"
    )
    history = learn(student, teacher, lesson, loss, section.features)
    plan = dataclasses.replace(plan, epochs=section.pruning_epochs, patience=None)
    decide(student, given, balance)
    if penalty is not None:
        longer = dataclasses.replace(plan, epochs=penalty_epochs)
        fit(student, lesson.train, lesson.evaluation, loss, longer, penalty=penalty)
        decide(student, given, balance)
    aware: dict[str, list[float]] = {}

    def finish(network: tf_keras.Model) -> None:
        if section.quantization_aware:
            kept = dataclasses.replace(plan, patience=plan.epochs)
            rows = lesson.train, lesson.evaluation
            aware.update(train_aware(network, *rows, loss, kept, penalty))
        decide(network, given, balance)

    pruned, outcome = prune_within(
        student,
        lesson.train,
        lesson.evaluation,
        loss,
        dataclasses.replace(plan, decay=True),
        section.sparsity,
        limit,
        finish,
        penalty,
        section.pruning,
    )
    return pruned, DistillationOutcome(
        history,
        outcome.history,
        outcome.sparsity,
        outcome.notes,
        lesson.used,
        lesson.steps,
        aware,
    )


def lesson_of(
    teacher: tf_keras.Model,
    rows: tuple[Rows, Rows],
    plan: Plan,
    section: DistillerSection,
    columns: Sequence[ColumnPlaces],
) -> Lesson:
    """Makes rows, asks the teacher, and sets how often each has its turn.

    Args:
      teacher: A network that answers rows.
      rows: Of train and eval.
      plan: See `distill`.
      section: How many rows are made, and how many steps there are.
      columns: The places of each column.
    """
    real, evaluation = rows
    labelled = int((real.weight > 0).sum())
    count = rows_to_make(section.augmentation, real.count, len(columns))
    train = with_opinion(real, teacher)
    if count:
        made = swapped(real, columns, count, section.swap, plan.seed)
        train = train.followed_by(with_opinion(made, teacher))
    batch_size = min(plan.batch_size, train.count)
    steps = max(section.steps, plan.epochs * (train.count // batch_size))
    pass_steps = min(_PASS_STEPS, steps)
    if times := math.ceil(pass_steps * batch_size / train.count) - 1:
        every = np.arange(train.count)
        train = train.take(np.concatenate([every] * (times + 1)))
    passes = math.ceil(steps / (train.count // batch_size))
    plan = dataclasses.replace(plan, epochs=passes, patience=passes, decay=True)
    used = RowsUsed(labelled, real.count - labelled, count)
    return Lesson(train, with_opinion(evaluation, teacher), plan, used)


def learn(
    student: tf_keras.Model,
    teacher: tf_keras.Model,
    lesson: Lesson,
    loss: Loss,
    features: float = 0.0,
) -> dict[str, list[float]]:
    """Trains the student in place and returns the losses by pass.

    Args:
      student: An untrained network.
      teacher: The network whose last hidden values are matched, if any are.
      lesson: The rows, and how long.
      loss: As `distillation_loss` makes it.
      features: Factor of the difference from the teacher's last hidden values; 0: they do not
        count.
    """
    if not features:
        return fit(student, lesson.train, lesson.evaluation, loss, lesson.plan)
    of_teacher = TeacherFeatures.of(teacher, lesson.evaluation)
    matched = matching(student, of_teacher.width)
    outputs = student.output_shape[1]
    history = fit(
        matched,
        of_teacher.beside(lesson.train),
        of_teacher.beside(lesson.evaluation),
        matching_loss(loss, outputs, of_teacher.width, features),
        lesson.plan,
    )
    taken_over(student, matched)
    return history
