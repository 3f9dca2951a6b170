"""TFMA asks a TFLite file with integer inputs as a device does.

TFMA's own predictor cuts the quotient off where a device rounds it, and lets what is out of range
wrap around; of a file with int8 inputs it would evaluate other answers than a device's.
"""

from typing import Any

import numpy as np
from tensorflow_model_analysis.extractors import tflite_predict_extractor
from tensorflow_model_analysis.proto import config_pb2

from models.bundle.quantized import quantized

_STAGE_NAME = "ExtractTFLitePredictions"


class RoundedPredictions(tflite_predict_extractor.TFLitePredictionDoFn):
    """TFMA's predictor with a device's rounding."""

    def _quantize(
        self, tensor: np.ndarray, scale: np.ndarray, zero_point: np.ndarray, dtype: np.dtype
    ) -> np.ndarray:
        if dtype != np.int8 or not (scale.size and zero_point.size):
            return super()._quantize(tensor, scale, zero_point, dtype)
        return quantized(tensor, scale[0], zero_point[0])


def rounding(
    extractors: list[Any], eval_config: config_pb2.EvalConfig, eval_shared_model: Any
) -> list[Any]:
    """The extractors, with the predictor of TFLite files exchanged; others are left as they are."""
    return [
        (
            tflite_predict_extractor.TFLitePredictExtractor(
                eval_config, eval_shared_model, RoundedPredictions
            )
            if extractor.stage_name == _STAGE_NAME
            else extractor
        )
        for extractor in extractors
    ]
