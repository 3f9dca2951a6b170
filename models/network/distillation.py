"""A small network learns a large one's opinion of every row.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015),
arXiv:1503.02531.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras

from core.sections import DistillerSection
from models.compression.pruning import PruningLimit, prune_within
from models.compression.quantization_aware import train_aware
from models.network.balance import Balance, decide, positive_share
from models.network.network import Architecture, build_network, logits_of
from models.network.penalty import Penalty
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.network.training import Loss, Plan, cross_entropy, fit


@dataclasses.dataclass(frozen=True)
class DistillationOutcome:
    """How the student was made: losses by epoch, its share of zero weights, what is to be said, and
    the losses of training with the numbers of int8 files, empty without it.
    """

    history: dict[str, list[float]]
    pruning_history: dict[str, list[float]]
    sparsity: float
    notes: list[str]
    quantization_history: dict[str, list[float]]


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
) -> tuple[tf_keras.Model, DistillationOutcome]:
    """Returns the pruned student and its report.

    Args:
      teacher: Trained network on the same inputs; it is left as it is.
      inputs: Widths of the features.
      train: Rows with label [rows, outputs]; rows of weight 0 take part too, without their label.
      evaluation: Rows for early stopping.
      plan: How to fit before pruning.
      section: The student's size, the loss, and how it is pruned, with the same loss.
      max_drop: Largest fall by pruning, by metric; None: no bound.
      odds: What the teacher's answers are odds times of (models/network/balance.py).
      penalty: On gaps between groups, once the student has learnt, and while it is pruned.
      penalty_epochs: How many before it is pruned.
    """
    given, limit = (train, evaluation), PruningLimit(max_drop or {}, evaluation)
    balance = Balance(positive_share(train), odds)
    train, evaluation = (with_opinion(balance.weighed(rows), teacher) for rows in given)
    loss = distillation_loss(section.temperature, section.label_share)
    architecture = Architecture(section.hidden_units, section.embedding_dim)
    student = build_network(inputs, architecture, "student")
    history = fit(student, train, evaluation, loss, plan)
    plan = dataclasses.replace(plan, epochs=section.pruning_epochs, patience=None)
    decide(student, given, balance)
    if penalty is not None:
        longer = dataclasses.replace(plan, epochs=penalty_epochs)
        fit(student, train, evaluation, loss, longer, penalty=penalty)
        decide(student, given, balance)
    aware: dict[str, list[float]] = {}

    def finish(network: tf_keras.Model) -> None:
        if section.quantization_aware:
            kept = dataclasses.replace(plan, patience=plan.epochs)
            aware.update(train_aware(network, train, evaluation, loss, kept, penalty))
        decide(network, given, balance)

    pruned, outcome = prune_within(
        student,
        train,
        evaluation,
        loss,
        plan,
        section.sparsity,
        limit,
        finish,
        penalty,
        section.pruning,
    )
    return pruned, DistillationOutcome(
        history, outcome.history, outcome.sparsity, outcome.notes, aware
    )


def with_opinion(rows: Rows, teacher: tf_keras.Model) -> Rows:
    """Returns the rows with label [rows, 2k + 1] for `distillation_loss`, all of weight 1.

    The columns are the label, its weight scaled to a mean of 1, and the teacher's logit, which is
    as wide as the label.
    """
    logit = logits_of(teacher)(rows.features, training=False).numpy()
    target = np.concatenate([rows.label, rows.weight / rows.weight.mean(), logit], axis=1)
    return dataclasses.replace(rows, label=target, weight=np.ones_like(rows.weight))


def distillation_loss(temperature: float, share: float) -> Loss:
    """Cross-entropy with the teacher's softened output and with the label, in their shares.

    The teacher's term is multiplied by the temperature squared, so that its gradient does not
    shrink with it (Hinton et al., section 2).

    Args:
      temperature: Divides both logits in the teacher's share of the loss; above 0.
      share: Share of the loss on the labels, 0 to 1.
    """

    def loss(target: tf.Tensor, logit: tf.Tensor) -> tf.Tensor:
        width = logit.shape[1]
        label, label_weight, teacher_logit = tf.split(target, [width, 1, width], axis=1)
        squash = tf.sigmoid if width == 1 else tf.nn.softmax
        hard = label_weight[:, 0] * cross_entropy(label, logit)
        soft = cross_entropy(squash(teacher_logit / temperature), logit / temperature)
        return share * hard + (1.0 - share) * temperature**2 * soft

    return loss
