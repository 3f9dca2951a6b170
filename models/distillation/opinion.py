"""What a student learns from: the teacher's answer to each row, beside the label.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network" (2015),
arXiv:1503.02531.
"""

import dataclasses

import numpy as np
import tensorflow as tf
import tf_keras

from models.network.network import logits_of
from models.network.rows import Rows
from models.network.training import Loss, cross_entropy


def with_opinion(rows: Rows, teacher: tf_keras.Model) -> Rows:
    """Returns the rows with label [rows, 2k + 1] for `distillation_loss`, all of weight 1.

    The columns are the label, its weight scaled to a mean of 1, and the teacher's logit, which is
    as wide as the label. Where no row has a weight, none has one.

    Args:
      rows: With label [rows, k].
      teacher: On the same inputs, with k logits.

    Raises:
      ValueError: The network is on other inputs.
    """
    logit = logits_of(teacher)(rows.features, training=False).numpy()
    weight = rows.weight / max(float(rows.weight.mean()), np.finfo(np.float32).tiny)
    target = np.concatenate([rows.label, weight, logit], axis=1)
    return dataclasses.replace(rows, label=target, weight=np.ones_like(rows.weight))


def distillation_loss(temperature: float, share: float) -> Loss:
    """Cross-entropy with the teacher's softened output and with the label, in their shares.

    It takes a target [batch, 2k + 1] of `with_opinion` and logits [batch, k], to nats [batch].

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
