"""What a device does with an edge bundle: raw columns to inputs to predictions, without TensorFlow.

docs/edge.md describes each step; NumPy and a TFLite interpreter are all that is needed.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.names import PREPROCESSING_FILE

TINY = np.float32(2.0**-100)  # numbers that are closer to zero count as zero


def read_bundle(folder: Path) -> dict[str, Any]:
    """The content of a bundle's `preprocessing.json`."""
    content: dict[str, Any] = json.loads((folder / PREPROCESSING_FILE).read_text("utf-8"))
    return content


def features(bundle: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The model's inputs.

    Args:
      bundle: As `read_bundle` returns it.
      columns: Raw columns by name, each [rows]: float32 with NaN, or str with "", where empty.
        Columns that the bundle does not name are left alone.

    Raises:
      KeyError: A column is missing.
    """
    count = len(next(iter(columns.values())))
    ranks, ids = [np.full(count, 0.5, np.float32)], []
    for column in bundle["numeric"]:
        with np.errstate(over="ignore"):  # beyond 32 bits: infinite, and in the outermost bucket
            values = columns[column["column"]].astype(np.float32)
        rank, bucket = _rank(values, column, bundle["buckets"])
        ranks.append(rank)
        ids.append(column["offset"] + bucket)
    for column in bundle["categorical"]:
        places = {value: place + 1 for place, value in enumerate(column["values"])}
        found = [places.get(value, 0) for value in columns[column["column"]]]
        ids.append(column["offset"] + np.array(found, np.int64))
    inputs = {
        "numeric": np.stack(ranks[1:] or ranks, axis=1),
        "categorical": np.stack(ids or [np.zeros(count, np.int64)], axis=1).astype(np.int64),
    }
    if text := bundle.get("text"):
        tokens = [_tokens(columns[column], text) for column in text["columns"]]
        inputs["tokens"] = np.concatenate(tokens, axis=1)
    return inputs


def _rank(
    values: np.ndarray, column: Mapping[str, Any], buckets: int
) -> tuple[np.ndarray, np.ndarray]:
    """Quantile rank, float32 [rows], and bucket, int64 [rows], of a numeric column."""
    boundaries = np.array(column["boundaries"], np.float32)
    missing = np.isnan(values)
    known = np.where(missing | (np.abs(values) < TINY), np.float32(0), values)
    bucket = np.searchsorted(boundaries, known, "right")
    last = len(boundaries) - 1
    half = boundaries / np.float32(2)  # of halves the differences are finite
    below = half[np.clip(bucket - 1, 0, last)]
    above = half[np.clip(bucket, 0, last)]
    width = above - below
    within = np.divide(
        known / np.float32(2) - below, width, out=np.zeros_like(known), where=width != 0
    )
    rank = (bucket.astype(np.float32) + np.clip(within, 0, 1)) / np.float32(buckets)
    return (
        np.where(missing, np.float32(0.5), rank).astype(np.float32),
        np.where(missing, buckets, bucket).astype(np.int64),
    )


def _tokens(texts: np.ndarray, text: Mapping[str, Any]) -> np.ndarray:
    """Ids of the words and n-grams of one text column, int64 [rows, width]."""
    steps = [(re.compile(pattern), replacement) for pattern, replacement in text["steps"]]
    ids = {gram: number for number, gram in enumerate(text["vocabulary"], text["offset"])}
    padded = np.full((len(texts), text["width"]), text["padding"], np.int64)
    for row, content in enumerate(texts):
        for pattern, replacement in steps:
            content = pattern.sub(replacement, content)
        words = content.lower().split(" ")
        words = [word for word in words if word]
        found = [ids.get(word, text["unknown"]) for word in words]
        for length in range(2, text["ngrams"] + 1):
            starts = range(len(words) - length + 1)
            grams = (" ".join(words[start : start + length]) for start in starts)
            found += [ids[gram] for gram in grams if gram in ids]
        padded[row, : len(found)] = found[: text["width"]]
    return padded


def interpreter(content: bytes) -> Any:
    """An interpreter with one thread and the kernels that the pipeline measures with.

    LiteRT's, which is small, where it is installed; else TensorFlow's.
    """
    try:
        # loads LiteRT
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError:
        # loads TensorFlow
        from tensorflow.lite.python.interpreter import Interpreter, OpResolverType
    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=kernels)
