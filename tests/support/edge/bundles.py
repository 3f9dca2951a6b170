"""Edge bundles of small untrained students, with columns of every kind."""

import dataclasses
import functools
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from core.names import DEFAULT_SIGNATURE, EDGE_MODEL_FILE, PREPROCESSING_FILE
from models.columns.date_formats import date_column
from models.export.device import DeviceFeatures, interpreter, read_bundle
from models.export.tflite import convert_all
from models.network.description import describe
from models.network.layout import HashedLayout, Preprocessing, TextLayout
from models.network.network import Architecture, build_network
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import Rows
from tests.support.tiny_transform import fit

FORMATS = {
    "day": ("%Y-%m-%d", "UTC"),
    "stamp": ("%d %b %y %I:%M:%S %p", "Europe/Paris"),
    "instant": ("%Y-%m-%dT%H:%M%z", "America/New_York"),
    "epoch": ("%s", "Asia/Kathmandu"),
}
ALL = Preprocessing(
    numeric=("age", "capital gain", "constant"),
    categorical=(("work", ("Private", "Public", 'a "quoted" \\ value?', "Z\u00fcrich")),),
    text=TextLayout(columns=("note",), vocabulary=12, width=6, ngrams=2),
    dates=tuple(date_column(name, *written) for name, written in FORMATS.items()),
    hashed=HashedLayout(("code",), vocabulary=4, buckets=5),
    passed_through=(),
    buckets=8,
    classes=("no", "yes"),
)
PLAIN = ALL.model_copy(update={"text": None, "dates": (), "hashed": None})
THREE = PLAIN.model_copy(update={"classes": ("red", "green", "blue")})
TEXTS = ("work", "note", *FORMATS, "code")
SPEC = {
    **{name: tf.io.VarLenFeature(tf.float32) for name in (*ALL.numeric, "label", "weight")},
    **{name: tf.io.VarLenFeature(tf.string) for name in TEXTS},
}
_ODD = {
    "age": ("", "0", "-0.0", "1e-40", "1e999", "-1e999", "nan", "3.4e38", " 41 ", "20", "39.5"),
    "work": ("", "Public", "private", "Z\u00fcrich", 'a "quoted" \\ value?', "Zurich"),
    "note": ("", " \t\u00a0", "call now " * 9, "\u00c9t\u00e9 \u20ac5 \U0001f600!", "two\nlines,"),
    "day": ("", "2024-02-29", "2023-02-29", " 2024-1-5 ", "9999-12-31", "1000-01-01", "5 May"),
    "stamp": ("29 Feb 24 12:00:00 am", "1 SEP 68 12:59:59 PM", "01 jan 69 1:0:0 pm", "31 Apr 24"),
    "instant": ("2024-03-10T06:59Z", "2024-11-03T01:30-05", "1850-01-01T00:00+05:30", "2024-03-10"),
    "epoch": ("0", "-1", "1711846800.9", "99999999999", "-99999999999", "100000000000", "x"),
    "code": ("", "A", "new", "Z\u00fcrich", "\u4f60\u597d", "\U0001f600", "x" * 300, "00123"),
}  # fmt: skip


def texts_of(number: int) -> dict[str, str]:
    """A training row as raw text."""
    return {
        "age": str(20 + number * 7 % 50),
        "capital gain": str(100.0 * (number % 5)),
        "constant": "7",
        "work": ("Private", "Public", "")[number % 3],
        "note": ("Call me now!", "you call at 9", "", "\u00c9t\u00e9")[number % 4],
        "day": f"2024-{1 + number % 12:02}-{1 + number % 28:02}" if number % 9 else "",
        "stamp": f"{1 + number % 28} Mar {20 + number % 5} {1 + number % 12}:05:09 Pm",
        "instant": f"2023-{1 + number % 12:02}-01T{number % 24:02}:30+01:00",
        "epoch": str(1_600_000_000 + 50_000 * number),
        "code": ("A", "B", "C", f"only-{number}", "")[number % 5],
    }


def odd_rows() -> list[dict[str, str]]:
    """Rows with one odd cell each, and some of the training rows."""
    odd = [{**texts_of(1), column: text} for column, texts in _ODD.items() for text in texts]
    return odd + [texts_of(number) for number in range(40)]


def drawn_rows(count: int = 500, seed: int = 3) -> list[dict[str, str]]:
    """Odd rows, and so many more whose cells are drawn each by itself; numbers of every size."""
    draw = random.Random(seed)

    def cell(column: str, text: str) -> str:
        if column in _ODD and draw.random() < 0.1:
            return draw.choice(_ODD[column])
        return f"{draw.gauss(float(text), 40):.2f}" if column in ALL.numeric else text

    typical = [texts_of(number) for number in range(99)]
    return odd_rows() + [
        {column: cell(column, draw.choice(typical)[column]) for column in typical[0]}
        for _ in range(count)
    ]


def columns_of(rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """What `DeviceFeatures` takes."""
    with np.errstate(over="ignore"):
        numbers: dict[str, np.ndarray] = {
            n: np.array([float(row[n] or "nan") for row in rows]).astype(np.float32)
            for n in ALL.numeric
        }
    return numbers | {name: np.array([row[name] for row in rows], object) for name in TEXTS}


@functools.cache
def _graph() -> str:
    folder = Path(tempfile.mkdtemp())
    rows = []
    for number in range(120):
        row: dict[str, list[Any]] = {"label": [1.0], "weight": [1.0]}
        for name, text in texts_of(number).items():
            value = float(text) if name in ALL.numeric else text.encode()
            row[name] = [value] if text else []
        rows.append(row)
    fit(folder, SPEC, ALL, rows)
    return str(folder / "graph")


def _rich_network(inputs: ModelInputs) -> tf_keras.Model:
    """A network with layers that `build_network` need not have."""
    layers = tf_keras.layers
    numeric = tf_keras.Input((inputs.numeric,), name="numeric")
    categorical = tf_keras.Input((inputs.categorical,), dtype="int64", name="categorical")
    each = layers.EinsumDense("bn,nd->bnd", (inputs.numeric, 3), bias_axes="nd")(numeric)
    waves = layers.EinsumDense("bnd,nde->bne", (inputs.numeric, 2), bias_axes="ne")(tf.sin(each))
    table = layers.Embedding(inputs.ids, 3)(categorical)
    parts = [layers.Flatten()(part) for part in (waves, table)]
    hidden = layers.LayerNormalization()(layers.Dense(8)(layers.Concatenate()(parts)))
    hidden = layers.Activation("relu")(layers.BatchNormalization()(hidden))
    product = layers.Multiply()([hidden, layers.Dense(8)(hidden)])
    joined = layers.Concatenate()([layers.Add()([hidden, product]), tf.reduce_max(table, 1)])
    answer = layers.Activation("sigmoid", name="probability")(layers.Dense(1)(joined))
    return tf_keras.Model({"numeric": numeric, "categorical": categorical}, answer)


@functools.cache
def edge_bundles(preprocessing: Preprocessing, rich: bool = False) -> dict[str, Path]:
    """Folders of bundles by variant: `tflite` and `preprocessing.json`."""
    inputs = model_inputs_of(_graph(), preprocessing)
    tf.keras.utils.set_random_seed(5)
    sizes = Architecture(hidden_units=(9, 4), embedding_dim=3)
    network = _rich_network(inputs) if rich else build_network(inputs, sizes, "student")
    draw = np.random.RandomState(2)
    for weights in network.trainable_weights:
        weights.assign(draw.normal(0.0, 0.5, weights.shape))
    description = describe(_graph(), preprocessing)
    features = DeviceFeatures(description.document())(columns_of([texts_of(n) for n in range(99)]))
    column = np.ones((99, 1), np.float32)
    rows = Rows(
        features["numeric"], features["categorical"], column, column, features.get("tokens")
    )
    document = {
        **description.document(),
        "signature": {
            "name": DEFAULT_SIGNATURE,
            "inputs": {name: str(values.dtype) for name, values in features.items()},
            "output": inputs.answer,
        },
        "classes": list(preprocessing.classes),
        **({"threshold": 0.5} if inputs.outputs == 1 else {}),
    }
    folders = {}
    for variant, content in convert_all(network, rows).items():
        folders[variant] = folder = Path(tempfile.mkdtemp())
        (folder / EDGE_MODEL_FILE).write_bytes(content)
        (folder / PREPROCESSING_FILE).write_text(json.dumps(document), encoding="utf-8")
    return folders


@dataclasses.dataclass(frozen=True)
class Expected:
    """What a client has to find for rows: inputs by name, [rows, n], and answers, [rows, k]."""

    inputs: dict[str, np.ndarray]
    answers: np.ndarray


def expected(bundle: Path, rows: list[dict[str, str]]) -> Expected:
    """By the pipeline's own code, and the interpreter."""
    told = read_bundle(bundle)
    inputs = DeviceFeatures(told)(columns_of(rows))
    content = (bundle / EDGE_MODEL_FILE).read_bytes()
    runner = interpreter(content).get_signature_runner(told["signature"]["name"])
    return Expected(inputs, runner(**inputs)[told["signature"]["output"]])
