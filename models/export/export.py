"""The server model: a SavedModel with the Transform graph inside and two signatures."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
import tf_keras

from core.answers import PROBABILITIES, PROBABILITY
from core.names import COLUMNS_SIGNATURE, DEFAULT_SIGNATURE, EXAMPLES_INPUT
from models.columns.numbers import scores
from models.network.description import fitted_numbers
from models.network.layout import Preprocessing, layout_of
from models.network.preprocessing import CATEGORICAL, NUMERIC

CLASSES, CLASS = "classes", "class"


def export_server_model(
    model: tf_keras.Model, transform_graph: str, preprocessing: Preprocessing, folder: str
) -> None:
    """Writes the SavedModel.

    Both signatures answer `probability`, float32 [batch, 1]; with more than two classes
    `probabilities`, float32 [batch, K], `classes`, string [batch, K], and `class`, string
    [batch, 1], the most probable one. `serving_default` takes `examples`, string [batch]:
    serialized tf.Examples of raw columns. `serving_columns` takes each raw column
    by its name, [batch, 1]: numbers as float32 (NaN: missing), whatever the contract says of their
    type, categories, dates and texts as string ("": missing). Neither asks for labels, weights or
    slice columns.

    Args:
      model: Network on transformed features.
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      preprocessing: What Transform was given.
      folder: Where the SavedModel goes.
    """
    transform_output = tft.TFTransformOutput(transform_graph)
    raw_spec = transform_output.raw_feature_spec()
    layout = layout_of(raw_spec, preprocessing)
    spec = {name: raw_spec[name] for name in layout.columns}
    server = tf.Module()
    server.transform = transform_output.transform_features_layer()
    server.variables_of_network = model.variables
    given = len(layout.numeric)
    fitted = fitted_numbers(transform_output)[:given] if given else np.zeros(0)

    def scored(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return scores(numbers, fitted, layout.buckets, layout.offsets.numbers[:given])

    def answer(columns: Mapping[str, tf.SparseTensor]) -> dict[str, tf.Tensor]:
        return probability(server.transform(columns))

    def probability(features: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        inputs = {name: features[name] for name in model.input}
        answers = model(inputs, training=False)
        return {PROBABILITY: answers} if preprocessing.outputs == 1 else with_classes(answers)

    def with_classes(answers: tf.Tensor) -> dict[str, tf.Tensor]:
        names = tf.constant(preprocessing.classes)
        return {
            PROBABILITIES: answers,
            CLASSES: tf.tile(names[tf.newaxis], [tf.shape(answers)[0], 1]),
            CLASS: tf.gather(names, tf.argmax(answers, axis=1))[:, tf.newaxis],
        }

    def answer_examples(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return answer(tf.io.parse_example(examples, spec))

    def answer_columns(columns: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        features = dict(server.transform({n: _sparse(columns[n], spec[n].dtype) for n in columns}))
        if given:
            numbers = tf.concat([columns[name] for name in layout.numeric], axis=1)
            for name, found in zip((NUMERIC, CATEGORICAL), scored(numbers), strict=True):
                others = features[name][:, given:]
                features[name] = tf.concat([found, others], axis=1)
        return probability(features)

    column_specs = {
        name: tf.TensorSpec(
            [None, 1], tf.string if spec[name].dtype == tf.string else tf.float32, name
        )
        for name in layout.columns
    }
    signatures = {
        DEFAULT_SIGNATURE: tf.function(answer_examples, autograph=False).get_concrete_function(
            tf.TensorSpec([None], tf.string, EXAMPLES_INPUT)
        ),
        COLUMNS_SIGNATURE: tf.function(answer_columns, autograph=False).get_concrete_function(
            column_specs
        ),
    }
    options = tf.saved_model.SaveOptions(save_debug_info=False)
    tf.saved_model.save(server, folder, signatures, options)


def _sparse(values: tf.Tensor, dtype: tf.DType) -> tf.SparseTensor:
    """Leaves the missing cells of a column [batch, 1] out, as tf.Example does.

    Numbers are left out altogether: the Transform graph takes those of some columns as whole, which
    a client's need not be, and `scores` does the same to any.
    """
    present = tf.where(
        tf.not_equal(values, "") if dtype == tf.string else tf.zeros_like(values, bool)
    )
    shape = tf.shape(values, out_type=tf.int64)
    return tf.SparseTensor(present, tf.cast(tf.gather_nd(values, present), dtype), shape)
