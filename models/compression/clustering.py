"""Weight clustering with TensorFlow Model Optimization: few distinct weights in each table.

Source: Han, Mao and Dally, "Deep Compression" (2016), arXiv:1510.00149. Weights that are 0 stay 0.
"""

import numpy as np
import tf_keras
from tensorflow_model_optimization.python.core.api.clustering.keras import (
    CentroidInitialization,
    strip_clustering,
)
from tensorflow_model_optimization.python.core.clustering.keras.experimental import (
    cluster as zeros_kept,  # not among TFMOT's exported names
)

from models.compression.goals import is_pruned
from models.network.penalty import Penalty
from models.network.rows import Rows
from models.network.training import Loss, Plan, fit


def cluster(
    model: tf_keras.Model,
    train: Rows,
    evaluation: Rows,
    loss: Loss,
    plan: Plan,
    clusters: int,
    penalty: Penalty | None = None,
) -> tuple[tf_keras.Model, dict[str, list[float]]]:
    """Returns a copy of a network with few distinct weights, and its history.

    Each Dense kernel and Embedding table ends with at most `clusters` different values; 0 is one
    of them wherever the table had a zero. What the clusters stand for is trained on.

    Args:
      model: Trained, and pruned or not; it is left as it is.
      train: Rows to train on.
      evaluation: Rows whose loss says which epoch is the best.
      loss: What to minimise.
      plan: How to fit.
      clusters: Largest number of distinct values of a table, 3 or more.
      penalty: Holds throughout.
    """
    copy = tf_keras.models.clone_model(model)
    copy.set_weights(model.get_weights())

    def wrapped(layer: tf_keras.layers.Layer) -> tf_keras.layers.Layer:
        if not is_pruned(layer):
            return layer
        table = layer.get_weights()[0]
        return zeros_kept.cluster_weights(
            layer,
            number_of_clusters=clusters,
            cluster_centroids_init=_start(table, clusters),
            preserve_sparsity=bool((table == 0).any()),
        )

    clustered = tf_keras.models.clone_model(copy, clone_function=wrapped)
    history = fit(clustered, train, evaluation, loss, plan, penalty=penalty)
    return strip_clustering(clustered), history


def _start(table: np.ndarray, clusters: int) -> CentroidInitialization:
    """k-means++ where both signs have weights enough to draw from, which it requires."""
    fewest = min(np.count_nonzero(table < 0), np.count_nonzero(table > 0))
    if fewest >= clusters:
        return CentroidInitialization.KMEANS_PLUS_PLUS
    return CentroidInitialization.LINEAR
