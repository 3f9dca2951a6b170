"""The contract between the Transform graph and the networks: names, widths and dtypes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow_transform as tft

from models.layout import layout_of

PROBABILITY = "probability"


@dataclass(frozen=True)
class ModelInputs:
    """Shape of the transformed features.

    Attributes:
      numeric: Width of `numeric`, float32 [batch, numeric]: quantile ranks in [0, 1]; at least 1.
      categorical: Width of `categorical`, int64 [batch, categorical]: ids in [0, ids).
      ids: Size of the one id space that all columns share.
    """

    numeric: int
    categorical: int
    ids: int


def model_inputs_of(transform_graph: str, preprocessing: Mapping[str, Any]) -> ModelInputs:
    """Reads the widths that are left after feature selection.

    Args:
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      preprocessing: What Transform was given as its custom_config.
    """
    columns = tft.TFTransformOutput(transform_graph).raw_feature_spec()
    layout = layout_of(columns, preprocessing)
    categorical = len(layout.numeric) + len(layout.categorical)
    return ModelInputs(layout.numeric_width, categorical, layout.ids)
