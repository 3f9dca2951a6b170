"""Feature distillation: the student's last hidden values tell those of the teacher.

Source: Romero, Ballas, Kahou, Chassang, Gatta and Bengio, "FitNets: Hints for Thin Deep Nets"
(2015), arXiv:1412.6550; here beside the teacher's outputs instead of before them. What is matched
is what the layer `logit` reads.
"""

import dataclasses
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from models.network.network import LOGIT, logits_of
from models.network.rows import Rows
from models.network.training import Loss


@dataclasses.dataclass(frozen=True)
class TeacherFeatures:
    """What the last layer of a teacher reads, each value scaled by its deviation on some rows.

    Attributes:
      model: From the inputs of the teacher to float32 [batch, width].
      mean: [width].
      deviation: [width], above 0.
    """

    model: tf_keras.Model
    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, teacher: tf_keras.Model, rows: Rows) -> "TeacherFeatures":
        """Those of a network.

        Args:
          teacher: With a layer of the name LOGIT.
          rows: By which mean and deviation are measured.

        Raises:
          ValueError: The network has no such layer.
        """
        model = tf_keras.Model(teacher.input, teacher.get_layer(LOGIT).input)
        found = model(rows.features, training=False).numpy()
        deviation = found.std(axis=0)
        return cls(model, found.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    @property
    def width(self) -> int:
        """How many values there are."""
        return len(self.mean)

    def beside(self, rows: Rows) -> Rows:
        """The rows with these values after their label: float32 [rows, any + width]."""
        found = self.model(rows.features, training=False).numpy()
        scaled = ((found - self.mean) / self.deviation).astype(np.float32)
        return dataclasses.replace(rows, label=np.concatenate([rows.label, scaled], axis=1))


def matching(student: tf_keras.Model, width: int) -> tf_keras.Model:
    """A network on the weights of the student whose output is its logit, then `width` values.

    The values are a linear projection of what the student's last layer reads. `fit` moves the bias
    of the last layer of a network; here that is one for all values, see `taken_over`.

    Args:
      student: With k logits.
      width: Of the teacher's features; the output is float32 [batch, k + width].
    """
    layers = tf_keras.layers
    guessed = layers.Dense(width, name="projection")(student.get_layer(LOGIT).input)
    joined = layers.Concatenate(name="logit_and_projection")([logits_of(student).output, guessed])
    moved = _Bias(name="moved")(joined)
    return tf_keras.Model(student.input, layers.Activation("linear")(moved), name=student.name)


def taken_over(student: tf_keras.Model, trained: tf_keras.Model) -> None:
    """Gives the student, in place, what `matching` learnt beside its own weights.

    Args:
      student: That `matching` was built on.
      trained: What `matching` returned, fitted.
    """
    moved = trained.get_layer("moved").get_weights()[0]
    kernel, bias = student.get_layer(LOGIT).get_weights()
    student.get_layer(LOGIT).set_weights([kernel, bias + moved[: len(bias)]])


def matching_loss(loss: Loss, outputs: int, width: int, factor: float) -> Loss:
    """A loss on the first values, and the mean squared difference of the last `width` ones.

    It takes a target [batch, any + width] and an answer [batch, outputs + width], to [batch].

    Args:
      loss: Of the logit, `outputs` wide.
      outputs: Width of the logit.
      width: Of the teacher's features, which are the last columns of the target.
      factor: Of the difference.
    """

    def both(target: tf.Tensor, answer: tf.Tensor) -> tf.Tensor:
        logit, guessed = tf.split(answer, [outputs, width], axis=1)
        difference = tf.reduce_mean(tf.square(guessed - target[:, -width:]), axis=1)
        return loss(target[:, :-width], logit) + factor * difference

    return both


class _Bias(tf_keras.layers.Layer):
    """Adds a number of its own to each value."""

    def build(self, input_shape: Any) -> None:
        """Called by Keras."""
        self.bias = self.add_weight("bias", [input_shape[-1]], initializer="zeros")

    def call(self, values: tf.Tensor) -> tf.Tensor:
        """Called by Keras: [batch, any] to the same."""
        return values + self.bias
