"""The contract between the Transform graph and the networks: names, widths and dtypes."""

import dataclasses

import tensorflow_transform as tft

from models.network.layout import Preprocessing, layout_of
from models.network.text import FIRST_ID, VOCABULARY

PROBABILITY = "probability"


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """Shape of the transformed features.

    Attributes:
      numeric: Width of `numeric`, float32 [batch, numeric]: quantile ranks in [0, 1]; at least 1.
      categorical: Width of `categorical`, int64 [batch, categorical]: ids in [0, ids).
      ids: Size of the one id space that all these columns share.
      text: How many text columns there are.
      tokens: Ids of each text column in `tokens`, int64 [batch, text * tokens]: 0 is padding.
      token_ids: Size of the id space of `tokens`, padding included.
    """

    numeric: int
    categorical: int
    ids: int
    text: int = 0
    tokens: int = 0
    token_ids: int = 0


def model_inputs_of(transform_graph: str, preprocessing: Preprocessing) -> ModelInputs:
    """Reads the widths that are left after feature selection.

    Args:
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      preprocessing: What Transform was given.
    """
    output = tft.TFTransformOutput(transform_graph)
    layout = layout_of(output.raw_feature_spec(), preprocessing)
    numeric, both = len(layout.numeric), len(layout.numeric) + len(layout.categorical)
    # Without columns `numeric` is one wide, always .5; `categorical` too, always 0.
    inputs = ModelInputs(max(1, numeric), max(1, both), layout.ids)
    if layout.text is None:
        return inputs
    return dataclasses.replace(
        inputs,
        text=len(layout.text.columns),
        tokens=layout.text.width,
        token_ids=FIRST_ID + output.vocabulary_size_by_name(VOCABULARY),
    )
