"""What a device does with an edge bundle: raw columns to inputs to predictions, without TensorFlow.

docs/edge.md describes each step; NumPy and a TFLite interpreter are all that is needed.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import InputError
from core.names import EDGE_MODEL_FILE, PREPROCESSING_FILE
from models.bundle.manifest import check_bundle, damaged
from models.bundle.quantized import as_taken
from models.columns.date_formats import DAY, DateReader, parts_of
from models.columns.hashing import hash_bucket

TINY = np.float32(2.0**-100)  # numbers that are closer to zero count as zero
_ZERO, _HALF, _ONE, _TWO = (np.float32(number) for number in (0, 0.5, 1, 2))
_LARGEST = np.finfo(np.float32).max


def read_bundle(folder: Path) -> dict[str, Any]:
    """The content of a bundle's `preprocessing.json`.

    Raises:
      InputError: A file of the bundle is not as its manifest says, or cannot be read.
    """
    check_bundle(folder)
    path = folder / PREPROCESSING_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(damaged(path, f"it cannot be read ({error})")) from error
    return content


class DeviceFeatures:
    """From raw columns to the model's inputs. What does not depend on rows is made once."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        """Takes a bundle as `read_bundle` returns it."""
        self._buckets = bundle["buckets"]
        # Bundles of format 1 and 2 have quantile ranks in place of scaled numbers.
        self._limit = np.float32(bundle.get("limit", 0))
        self._empty = _ZERO if self._limit else _HALF
        self._quantization = bundle.get("signature", {}).get("quantization", {})
        self._numeric = [column["column"] for column in bundle["numeric"]]
        self._dates = bundle.get("dates", ())
        self._readers = [DateReader(d["pattern"], d["fields"], d["offsets"]) for d in self._dates]
        numbers = [*bundle["numeric"], *self._dates]
        self._center = np.array([column.get("center", 0) for column in numbers], np.float32)
        self._scale = np.array([column.get("scale", 1) for column in numbers], np.float32)
        boundaries = [np.array(column["boundaries"], np.float32) for column in numbers]
        # All columns at once: a row of boundaries for each, those that are fewer filled up with
        # NaN, which no value reaches. What a bucket needs of the boundaries around it stands in
        # tables, [columns, buckets]: half the lower one, and half the distance, infinite where
        # there is none.
        counts = [len(known) for known in boundaries]
        most = max(counts, default=0)
        self._boundaries = np.full((len(boundaries), most), np.nan, np.float32)
        self._below = np.zeros((len(boundaries), most + 1), np.float32)
        self._width = np.full_like(self._below, np.inf)
        for row, known in enumerate(boundaries):
            halves = known / np.float32(2)  # the differences of halves are finite
            self._boundaries[row, : len(known)] = known
            if len(known):
                self._below[row, : len(known) + 1] = np.concatenate([halves[:1], halves])
                between = halves[1:] - halves[:-1]
                self._width[row, 1 : len(known)] = np.where(between != 0, between, np.inf)
        self._starts = np.arange(len(boundaries)) * (most + 1)
        self._offsets = np.array([column["offset"] for column in numbers], np.int64)
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
        with np.errstate(over="ignore"):  # beyond 32 bits: infinite, in the outermost bucket
            values = [np.asarray(columns[name]).astype(np.float32) for name in self._numeric]
        count = len(next(iter(columns.values())))
        numbers = np.stack(values, axis=1) if values else np.zeros((count, 0), np.float32)
        return self.of_numbers(numbers, columns)

    def of_numbers(self, numbers: np.ndarray, texts: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The same, with the number columns at hand together.

        Args:
          numbers: float32 [rows, number columns], in the bundle's order.
          texts: The other columns by name, [rows] of str each: arrays or lists.
        """
        numeric, ids = np.full((len(numbers), 1), self._empty), []
        times = [
            reader.read_all(texts[date["column"]])
            for reader, date in zip(self._readers, self._dates, strict=True)
        ]
        if len(self._starts):
            if times:
                ages = [_age(*t, date) for t, date in zip(times, self._dates, strict=True)]
                numbers = np.concatenate([numbers, np.stack(ages, axis=1)], axis=1)
            numeric, bucket = self._scored(numbers)
            ids.append(self._offsets + bucket)
        if self._categorical:
            found = [
                [places.get(value, unknown) for value in texts[name]]
                for name, places, unknown in self._categorical
            ]
            ids.append(np.array(found, np.int64).T)
        ids += [_parts(*t, date) for t, date in zip(times, self._dates, strict=True)]
        ids += [
            np.array([[self._hashed_id(value, column)] for value in texts[column["column"]]])
            for column in self._hashed["columns"]
        ]
        inputs = {
            "numeric": numeric,
            "categorical": np.concatenate(ids or [np.zeros((len(numbers), 1), np.int64)], axis=1),
        }
        if self._text:
            tokens = [self._tokens(texts[column]) for column in self._text["columns"]]
            inputs["tokens"] = np.concatenate(tokens, axis=1)
        return as_taken(inputs, self._quantization)

    def _hashed_id(self, value: str, column: Mapping[str, Any]) -> int:
        """Id of a value of a column of many values."""
        if not value:
            return int(column["offset"] + self._hashed["buckets"])
        known: int | None = column["values"].get(value)
        if known is not None:
            return known
        hashed = self._hashed
        return int(column["offset"] + hash_bucket(value, hashed["buckets"], hashed["key"]))

    def _scored(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scaled numbers, float32, and buckets, int64, of the numeric columns, [rows, columns]."""
        missing = np.isnan(values)
        known = np.where(np.abs(values) >= TINY, values, _ZERO)  # a missing one counts as zero, too
        bucket = (known[:, :, np.newaxis] >= self._boundaries).sum(axis=2)
        if self._limit:
            with np.errstate(over="ignore"):  # infinite, and then the limit
                score = (known - self._center) / self._scale
            score = np.minimum(np.maximum(score, -self._limit), self._limit)
        else:
            score = self._rank(known, bucket)
        if missing.any():
            score = np.where(missing, self._empty, score)
            bucket = np.where(missing, self._buckets, bucket)
        return score, bucket

    def _rank(self, known: np.ndarray, bucket: np.ndarray) -> np.ndarray:
        """Quantile ranks, which the models of bundles of format 1 and 2 read, [rows, columns]."""
        # Beyond the outermost boundaries, and at infinite values, there is nothing to be within.
        known = np.minimum(np.maximum(known, -_LARGEST), _LARGEST)
        at = bucket + self._starts
        within = (known / _TWO - self._below.take(at)) / self._width.take(at)
        within = np.minimum(np.maximum(within, _ZERO), _ONE)
        rank: np.ndarray = (bucket.astype(np.float32) + within) / np.float32(self._buckets)
        return rank

    def _tokens(self, texts: Sequence[str]) -> np.ndarray:
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


def load_interpreter(folder: Path) -> Any:
    """The interpreter of a bundle's model.

    Raises:
      InputError: It is no model.
    """
    path = folder / EDGE_MODEL_FILE
    try:
        return interpreter(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(damaged(path, f"it cannot be read ({error})")) from error


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
