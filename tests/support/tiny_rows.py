"""Synthetic transformed rows with a rule that a network can learn."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from core.sections.training import DistillerSection
from models.network.network import Architecture
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows

INPUTS = ModelInputs(numeric=2, categorical=3, ids=12)
WITH_TEXT = dataclasses.replace(INPUTS, text=2, tokens=5, token_ids=20)
ARCHITECTURE = Architecture(hidden_units=(8,), embedding_dim=2)
STUDENT = DistillerSection(
    epochs=12,
    hidden_units=ARCHITECTURE.hidden_units,
    embedding_dim=ARCHITECTURE.embedding_dim,
    learning_rate=0.02,
    temperature=2.0,
    label_share=0.0,
    steps=1,
    augmentation=0.0,
    swap=0.25,
    features=0.0,
    sparsity=0.3,
    pruning_epochs=2,
)


def make_rows(count: int, seed: int = 1, inputs: ModelInputs = INPUTS) -> Rows:
    """Rows whose label is 1 where the first number is over .5 and the last id even.

    With text, it is 1 where the first word of the first column has an id of 10 or more. A text has
    one word to as many as there are tokens.
    """
    draw = np.random.RandomState(seed)
    numeric = draw.rand(count, INPUTS.numeric).astype(np.float32)
    categorical = draw.randint(0, INPUTS.ids, (count, INPUTS.categorical)).astype(np.int64)
    label = (numeric[:, :1] > 0.5) & (categorical[:, -1:] % 2 == 0)
    weight = np.ones((count, 1), np.float32)
    if not inputs.text:
        return Rows(numeric, categorical, label.astype(np.float32), weight)
    tokens = draw.randint(1, inputs.token_ids, (count, inputs.text, inputs.tokens))
    words = draw.randint(1, inputs.tokens + 1, (count, inputs.text, 1))
    tokens = np.where(np.arange(inputs.tokens) < words, tokens, 0).reshape(count, -1)
    label = tokens[:, :1] >= 10
    return Rows(numeric, categorical, label.astype(np.float32), weight, tokens.astype(np.int64))


def two_groups(count: int, seed: int, noise: float = 0.35) -> tuple[Rows, np.ndarray]:
    """Rows of "b" are positive less often for the same number; id 0 or 1 says the group."""
    draw = np.random.RandomState(seed)
    of_b = draw.rand(count) < 0.3
    numeric = draw.rand(count, 2).astype(np.float32)
    ids = draw.randint(2, INPUTS.ids, (count, INPUTS.categorical)).astype(np.int64)
    ids[:, 0] = of_b
    score = numeric[:, 0] - np.where(of_b, 0.65, 0.45) + draw.normal(0, noise, count)
    label = (score > 0).astype(np.float32)[:, None]
    return Rows(numeric, ids, label, np.ones((count, 1), np.float32)), np.where(of_b, "b", "a")


def write_records(
    path: Path, rows: Rows, columns: Mapping[str, Sequence[str]] | None = None
) -> Path:
    """Writes transformed tf.Examples as Transform does, with columns for slicing: `group`, or
    those that are given, each [rows].
    """
    columns = columns or {"group": [f"group {row % 2}" for row in range(rows.count)]}
    options = "GZIP" if path.suffix == ".gz" else ""
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for row in range(rows.count):
            example = tf.train.Example()
            feature = example.features.feature
            feature["numeric"].float_list.value.extend(rows.numeric[row].tolist())
            feature["categorical"].int64_list.value.extend(rows.categorical[row].tolist())
            feature["label"].float_list.value.extend(rows.label[row].tolist())
            feature["weight"].float_list.value.extend(rows.weight[row].tolist())
            if rows.tokens is not None:
                feature["tokens"].int64_list.value.extend(rows.tokens[row].tolist())
            for name, values in columns.items():
                feature[name].bytes_list.value.append(values[row].encode())
            writer.write(example.SerializeToString())
    return path
