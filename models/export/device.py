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
from models.columns.date_formats import DAY, DateReader, parts_of
from models.columns.hashing import hash_bucket

TINY = np.float32(2.0**-100)  # numbers that are closer to zero count as zero


def read_bundle(folder: Path) -> dict[str, Any]:
    """The content of a bundle's `preprocessing.json`."""
    content: dict[str, Any] = json.loads((folder / PREPROCESSING_FILE).read_text("utf-8"))
    return content


class DeviceFeatures:
    """From raw columns to the model's inputs. What does not depend on rows is made once."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        """Takes a bundle as `read_bundle` returns it."""
        self._buckets = bundle["buckets"]
        self._numeric = [column["column"] for column in bundle["numeric"]]
        self._dates = bundle.get("dates", ())
        self._readers = [DateReader(d["pattern"], d["fields"], d["offsets"]) for d in self._dates]
        ranked = [*bundle["numeric"], *self._dates]
        boundaries = [np.array(column["boundaries"], np.float32) for column in ranked]
        # All columns at once: a row of boundaries for each, those that are fewer filled up.
        self._counts = np.array([len(known) for known in boundaries], np.int64)
        self._boundaries = np.full((len(boundaries), max(self._counts, default=0)), np.inf)
        self._boundaries = self._boundaries.astype(np.float32)
        for row, known in zip(self._boundaries, boundaries, strict=True):
            row[: len(known)] = known
        self._halves = self._boundaries / np.float32(2)  # the differences of halves are finite
        self._at = np.arange(len(boundaries))
        self._offsets = np.array([column["offset"] for column in ranked], np.int64)
        self._categorical = [
            (
                column["column"],
                {value: column["offset"] + n for n, value in enumerate(column["values"], 1)}
                # Bundles of format 1 have one id for missing and unknown.
                | {"": column.get("missing", column["offset"])},
                column["offset"],
            )
            for column in bundle["categorical"]
        ]
        self._hashed: Mapping[str, Any] = bundle.get("hashed") or {"columns": ()}
        self._text: Mapping[str, Any] = bundle.get("text") or {}
        if self._text:
            self._steps = [(re.compile(wanted), new) for wanted, new in self._text["steps"]]
            vocabulary = enumerate(self._text["vocabulary"], self._text["offset"])
            self._gram_ids = {gram: number for number, gram in vocabulary}

    def __call__(self, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The model's inputs.

        Args:
          columns: Raw columns by name, each [rows]: float32 with NaN, or str with "", where empty.
            Columns that the bundle does not name are left alone.

        Raises:
          KeyError: A column is missing.
        """
        count = len(next(iter(columns.values())))
        numeric, ids = np.full((count, 1), 0.5, np.float32), []
        times = [
            reader.read_all(columns[date["column"]])
            for reader, date in zip(self._readers, self._dates, strict=True)
        ]
        if len(self._counts):
            with np.errstate(over="ignore"):  # beyond 32 bits: infinite, in the outermost bucket
                values = [columns[name].astype(np.float32) for name in self._numeric]
            values += [_age(*t, date) for t, date in zip(times, self._dates, strict=True)]
            numeric, bucket = self._rank(np.stack(values, axis=1))
            ids.append(self._offsets + bucket)
        if self._categorical:
            found = [
                [places.get(value, unknown) for value in columns[name]]
                for name, places, unknown in self._categorical
            ]
            ids.append(np.array(found, np.int64).T)
        ids += [_parts(*t, date) for t, date in zip(times, self._dates, strict=True)]
        ids += [
            np.array([[self._hashed_id(value, column)] for value in columns[column["column"]]])
            for column in self._hashed["columns"]
        ]
        inputs = {
            "numeric": numeric,
            "categorical": np.concatenate(ids or [np.zeros((count, 1), np.int64)], axis=1),
        }
        if self._text:
            tokens = [self._tokens(columns[column]) for column in self._text["columns"]]
            inputs["tokens"] = np.concatenate(tokens, axis=1)
        return inputs

    def _hashed_id(self, value: str, column: Mapping[str, Any]) -> int:
        """Id of a value of a column of many values."""
        if not value:
            return int(column["offset"] + self._hashed["buckets"])
        known: int | None = column["values"].get(value)
        if known is not None:
            return known
        hashed = self._hashed
        return int(column["offset"] + hash_bucket(value, hashed["buckets"], hashed["key"]))

    def _rank(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Quantile ranks, float32, and buckets, int64, of the numeric columns, [rows, columns]."""
        missing = np.isnan(values)
        known = np.where(missing | (np.abs(values) < TINY), np.float32(0), values)
        bucket = (known[:, :, np.newaxis] >= self._boundaries).sum(axis=2)
        bucket = np.minimum(bucket, self._counts)
        last = self._counts - 1
        below = self._halves[self._at, np.clip(bucket - 1, 0, last)]
        above = self._halves[self._at, np.clip(bucket, 0, last)]
        width = above - below
        within = np.divide(
            known / np.float32(2) - below, width, out=np.zeros_like(known), where=width != 0
        )
        rank = (bucket.astype(np.float32) + np.clip(within, 0, 1)) / np.float32(self._buckets)
        return (
            np.where(missing, np.float32(0.5), rank).astype(np.float32),
            np.where(missing, self._buckets, bucket).astype(np.int64),
        )

    def _tokens(self, texts: np.ndarray) -> np.ndarray:
        """Ids of the words and n-grams of one text column, int64 [rows, width]."""
        text, ids = self._text, self._gram_ids
        padded = np.full((len(texts), text["width"]), text["padding"], np.int64)
        for row, content in enumerate(texts):
            for pattern, replacement in self._steps:
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


def _age(times: np.ndarray, known: np.ndarray, date: Mapping[str, Any]) -> np.ndarray:
    """Days since the newest time in training, float32 [rows]; NaN for none."""
    days = ((times - date["newest"]).astype(np.float64) / DAY).astype(np.float32)
    return np.where(known, days, np.float32(np.nan))


def _parts(times: np.ndarray, known: np.ndarray, date: Mapping[str, Any]) -> np.ndarray:
    """Ids of the parts of times, int64 [rows, parts]."""
    values = parts_of(times)
    ids = [
        part["offset"] + np.where(known, values[part["part"]], part["values"])
        for part in date["parts"]
    ]
    return np.stack(ids, axis=1)


def features(bundle: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The model's inputs: `DeviceFeatures` for once."""
    return DeviceFeatures(bundle)(columns)


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
