"""Starting to train where an earlier network ended.

The weights of an earlier teacher are kept by name, beside what its inputs meant and what each layer
reads. Layers of the same name that read the same take them over. Rows of the embedding tables go by
what they stand for, a value of a column or a quantile bucket, so that a value which the contract
lists anew starts untrained and the others keep their place. Where the columns or the network differ
there is no such place to start from, and training starts cold, saying why.

`tf.saved_model.load` gives a model whose weights cannot be assigned by layer, and a SavedModel
written with `tf.saved_model.save` cannot be read by `tf_keras.models.load_model`: hence files of
our own.
"""

import json
import zipfile
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

from core.sections.training import Hyperparameters
from models.network.network import Architecture, meanings
from models.network.preprocessing import CATEGORICAL
from models.network.text import TOKENS
from models.search.values import architecture_of

FOLDER = "Format-WarmStart"  # beside Format-Serving, so that it is never pushed
_WEIGHTS_FILE = "weights.npz"
_MEANING_FILE = "start.json"
_UNKNOWN, _MISSING = -1, -2
_STRUCTURE = (
    "hidden_units",
    "embedding_dim",
    "numeric_embedding",
    "numeric_dim",
    "normalization",
    "residual",
    "crosses",
)
"""What of an architecture two networks share if weights of one are to fit the other."""


@dataclass(frozen=True)
class Start:
    """An earlier teacher.

    Attributes:
      weights: By `layer/weight`.
      meanings: What the weights stand for: models.network.network.meanings.
      preprocessing: What its inputs mean: the content of a bundle's `preprocessing.json`.
      hyperparameters: What it was trained with.
    """

    weights: dict[str, np.ndarray]
    meanings: dict[str, list[str]]
    preprocessing: dict[str, Any]
    hyperparameters: Hyperparameters


@dataclass(frozen=True)
class StartOutcome:
    """How training started.

    Attributes:
      start: "warm" or "cold".
      reason: Why it started cold; None when warm.
      new_rows: Share of the rows of the embedding tables that no earlier row stood for.
    """

    start: str
    reason: str | None
    new_rows: float | None = None


def write_start(
    folder: Path,
    network: tf_keras.Model,
    preprocessing: Mapping[str, Any],
    hyperparameters: Hyperparameters,
) -> None:
    """Keeps a teacher so that a later one can start from it.

    Args:
      folder: <model artifact>/FOLDER; it is made.
      network: The teacher.
      preprocessing: `Description.document()`.
      hyperparameters: What it was trained with.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        f"{layer.name}/{place}": values
        for layer in network.layers
        for place, values in enumerate(layer.get_weights())
    }
    np.savez(folder / _WEIGHTS_FILE, **weights)
    meaning = {
        "layers": meanings(network),
        "preprocessing": preprocessing,
        "hyperparameters": hyperparameters.model_dump(),
    }
    (folder / _MEANING_FILE).write_text(json.dumps(meaning), encoding="utf-8")


def read_start(folder: Path) -> Start | None:
    """What `write_start` kept; None when it is gone or damaged."""
    try:
        meaning = json.loads((folder / _MEANING_FILE).read_text(encoding="utf-8"))
        with np.load(folder / _WEIGHTS_FILE) as arrays:
            weights = {name: arrays[name] for name in arrays.files}
        values = Hyperparameters.model_validate_json(json.dumps(meaning["hyperparameters"]))
        return Start(weights, meaning.get("layers", {}), meaning["preprocessing"], values)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def cold_reason(
    start: Start, preprocessing: Mapping[str, Any], architecture: Architecture
) -> str | None:
    """Why a network cannot start from an earlier one; None when it can.

    Args:
      start: The earlier one.
      preprocessing: What the inputs of the network mean.
      architecture: Of the network.
    """
    earlier_classes, classes = (
        each.get("classes") for each in (start.preprocessing, preprocessing)
    )
    if earlier_classes and classes and earlier_classes != classes:
        return f"the classes changed from {', '.join(earlier_classes)} to {', '.join(classes)}"
    before, now = _columns(start.preprocessing), _columns(preprocessing)
    if before != now:
        added = [name for name in now if name not in before]
        dropped = [name for name in before if name not in now]
        changes = [f"added {', '.join(added)}"] if added else []
        changes += [f"dropped {', '.join(dropped)}"] if dropped else []
        return f"the columns changed: {'; '.join(changes) or 'another order'}"
    if ("limit" in start.preprocessing) != ("limit" in preprocessing):
        return "the earlier network reads numbers in another form"
    earlier = architecture_of(start.hyperparameters)
    for name in _STRUCTURE:
        if getattr(earlier, name) != getattr(architecture, name):
            return f"{name} changed from {getattr(earlier, name)} to {getattr(architecture, name)}"
    texts = [document.get("text") or {} for document in (start.preprocessing, preprocessing)]
    if texts[0].get("width") != texts[1].get("width"):
        return (
            f"the length of texts changed from {texts[0].get('width')} to {texts[1].get('width')}"
        )
    return None


def _columns(preprocessing: Mapping[str, Any]) -> list[str]:
    text = preprocessing.get("text") or {"columns": []}
    kinds = (
        preprocessing["numeric"],
        preprocessing["categorical"],
        _hashed(preprocessing)["columns"],
    )
    parts = (
        f"{part['part']} of {date['column']}"
        for date in preprocessing.get("dates", ())
        for part in date["parts"]
    )
    return [*(column["column"] for kind in kinds for column in kind), *parts, *text["columns"]]


def _hashed(preprocessing: Mapping[str, Any]) -> Mapping[str, Any]:
    return preprocessing.get("hashed") or {"columns": (), "buckets": 0, "vocabulary": 0}


def take_over(
    network: tf_keras.Model, start: Start, preprocessing: Mapping[str, Any]
) -> StartOutcome:
    """Gives a network the weights of an earlier one; call `cold_reason` before.

    Args:
      network: Untrained; its own weights stay in rows that are new.
      start: The earlier one.
      preprocessing: What the inputs of the network mean.
    """
    rows = {
        CATEGORICAL: matching_rows(start.preprocessing, preprocessing),
        TOKENS: _matching_tokens(start.preprocessing, preprocessing),
    }
    used, taken = [], {}
    for name, reads in meanings(network).items():
        layer = network.get_layer(name)
        if reason := _unlike(name, reads, start.meanings):
            return StartOutcome("cold", reason)
        values = []
        for place, own in enumerate(layer.get_weights()):
            earlier = start.weights[f"{name}/{place}"]
            if isinstance(layer, tf_keras.layers.Embedding) and earlier.shape[1:] == own.shape[1:]:
                [ids] = reads
                old = rows[ids][: len(own)]
                known = np.flatnonzero((old >= 0) & (old < len(earlier)))
                own[known] = earlier[old[known]]
                earlier = own
                used.append(rows[ids])
            if earlier.shape != own.shape:
                return StartOutcome("cold", f"{name} has {own.shape} weights, not {earlier.shape}")
            values.append(earlier)
        taken[name] = values
    for name, values in taken.items():
        network.get_layer(name).set_weights(values)
    return StartOutcome("warm", None, float(np.mean(np.concatenate(used) < 0)) if used else 0.0)


def _unlike(name: str, reads: list[str], earlier: Mapping[str, list[str]]) -> str | None:
    """Why a layer cannot take over the earlier weights of its name; None when it can."""
    if not earlier:
        return "the earlier weights do not say what they stand for"
    if name not in earlier:
        return f"the earlier network has no weights for {name}"
    if reads != earlier[name]:
        return f"{name} reads {', '.join(reads)}, not {', '.join(earlier[name])}"
    return None


def matching_rows(before: Mapping[str, Any], now: Mapping[str, Any]) -> np.ndarray:
    """For each id of the joint id space its earlier id, or -1: int [ids].

    A bucket stands for a share of the ordered values, so it matches the earlier bucket that covers
    its beginning, also when the number of buckets changed.
    """
    keys, buckets = _keys(now, before["buckets"]), before["buckets"]
    return _places(_keys(before, buckets), keys) if keys else np.zeros(1, int)


def _keys(preprocessing: Mapping[str, Any], buckets: int) -> list[Hashable]:
    """What each id stands for: (column, value), or (column, bucket in terms of `buckets`).

    Numbers stand for what is no text of the column, so that no value is taken for it.
    """
    own, hashed = preprocessing["buckets"], _hashed(preprocessing)
    dates = preprocessing.get("dates", ())
    keys: list[Hashable] = []
    for column in (*preprocessing["numeric"], *dates):
        keys += [(column["column"], bucket * buckets // own) for bucket in range(own)]
        keys.append((column["column"], _MISSING))
    for column in preprocessing["categorical"]:
        two = "missing" in column  # format 1 has one id for missing and unknown
        keys.append((column["column"], _UNKNOWN if two else _MISSING))
        keys += [(column["column"], value) for value in column["values"]]
        keys += [(column["column"], _MISSING)] if two else []
    for column in dates:
        for part in column["parts"]:
            keys += [(column["column"], part["part"], n) for n in range(part["values"])]
            keys.append((column["column"], part["part"], _MISSING))
    for column in hashed["columns"]:
        size = hashed["buckets"]
        keys += [(column["column"], "bucket", size, bucket) for bucket in range(size)]
        keys.append((column["column"], _MISSING))
    values: list[Hashable] = [None] * hashed["vocabulary"]
    for column in hashed["columns"]:
        for value, number in column["values"].items():
            values[number - len(keys)] = (column["column"], value)
    return keys + values


def _matching_tokens(before: Mapping[str, Any], now: Mapping[str, Any]) -> np.ndarray:
    """For each id of words and n-grams its earlier id, or -1: int [ids]."""
    return _places(_grams(before.get("text")), _grams(now.get("text")))


def _grams(text: Mapping[str, Any] | None) -> Sequence[Hashable]:
    return [*range(text["offset"]), *text["vocabulary"]] if text else []


def _places(before: Sequence[Hashable], now: Sequence[Hashable]) -> np.ndarray:
    """The place of each key among the earlier keys, or -1: int [keys]."""
    place_of = {key: place for place, key in enumerate(before)}
    return np.array([place_of.get(key, -1) for key in now], int)
