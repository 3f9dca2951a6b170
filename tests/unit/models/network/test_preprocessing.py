"""Preprocessing: the description, worked in NumPy as a device does it, equals the fitted graph."""

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.export.export import export_server_model
from models.network.description import Description, describe
from models.network.layout import layout_of, not_a_feature
from models.network.network import build_network
from models.network.preprocessing import ModelInputs, model_inputs_of
from tests.support.tiny_rows import ARCHITECTURE
from tests.support.tiny_transform import PREPROCESSING, ROWS, SPEC, fit, raw_row, tiny_transform

Row = dict[str, list[Any]]
ODD_TEXTS = (
    "",
    " \t\n\u00a0\u2028",
    "call " * 50,
    "CALL call CaLL",
    "\u00c9t\u00c9 \u0130stanbul STRASSE \u1e9e \u039f\u03a3",
    "now!!!\u2026\u2019s\u20ac5\U0001f600call\U0001f600",
    "a\x00b\x1fc\x7fd\u200be",
    "\u4f60\u597d \u0939\u093f\u0928\u094d\u0926\u0940",
    "\\1 \\ $1 [x] ^-]",
    "1.234,56 +44 (0)7700-900123",
)


def as_columns(rows: list[Row], spec: dict[str, Any] = SPEC) -> dict[str, tf.SparseTensor]:
    columns = {}
    for name, feature in spec.items():
        filled = [n for n, row in enumerate(rows) if row[name]]
        values = [row[name][0] for row in rows if row[name]]
        columns[name] = tf.SparseTensor(
            np.array([[n, 0] for n in filled], np.int64).reshape(-1, 2),
            tf.constant(values, feature.dtype),
            [len(rows), 1],
        )
    return columns


def graph_outputs(rows: list[Row]) -> dict[str, np.ndarray]:
    graph = tf.saved_model.load(str(tiny_transform() / "graph" / "transform_fn"))
    return {name: t.numpy() for name, t in graph.transform_fn(as_columns(rows)).items()}


@pytest.fixture(scope="module")
def description() -> Description:
    return describe(str(tiny_transform() / "graph"), PREPROCESSING)


def tokens_by_hand(document: dict[str, Any], row: Row) -> list[int]:
    """Token ids of one row, by nothing but what `preprocessing.json` says."""
    text, tokens = document["text"], []
    places = {gram: text["offset"] + place for place, gram in enumerate(text["vocabulary"])}
    for column in text["columns"]:
        cell = (row[column] or [b""])[0].decode()
        for pattern, replacement in text["steps"]:
            cell = re.sub(pattern, replacement, cell)
        words = [word for word in cell.lower().split(" ") if word]
        ids = [places.get(word, text["unknown"]) for word in words]
        for length in range(2, text["ngrams"] + 1):
            grams = [" ".join(words[n : n + length]) for n in range(len(words) - length + 1)]
            ids += [places[gram] for gram in grams if gram in places]
        ids = ids[: text["width"]]
        tokens += ids + [text["padding"]] * (text["width"] - len(ids))
    return tokens


def worked_by_hand(document: dict[str, Any], row: Row) -> tuple[list[np.float32], list[int]]:
    """Scaled numbers and ids of one row, by nothing but what `preprocessing.json` says."""
    scores, ids = [], []
    for column in document["numeric"]:
        boundaries = np.array(column["boundaries"], np.float32)
        if not row[column["column"]]:
            scores.append(np.float32(0))
            ids.append(column["offset"] + document["buckets"])
            continue
        value = np.float32(row[column["column"]][0])
        bucket = int(np.sum(value >= boundaries))
        score = (value - np.float32(column["center"])) / np.float32(column["scale"])
        scores.append(np.clip(score, -document["limit"], document["limit"]))
        ids.append(column["offset"] + bucket)
    for column in document["categorical"]:
        text = row[column["column"]][0].decode() if row[column["column"]] else ""
        known = column["values"]
        place = column["offset"] + (1 + known.index(text) if text in known else 0)
        ids.append(place if text else column["missing"])
    return scores, ids


def odd_rows(description: Description) -> list[Row]:
    """Missing, unknown and extreme values, zeros, and values on the boundaries."""
    row = raw_row(1)
    changes: list[Row] = [
        {"age": []},
        {"capital-gain": []},
        {"work": [], "sex": []},
        {"work": [b"Circus"]},
        {"sex": [b""]},
        {"age": [0], "capital-gain": [0.0]},
        {"age": [-5], "capital-gain": [1e9]},
        {name: [] for name in SPEC},
    ]
    changes += [{"note": [text.encode()]} for text in ODD_TEXTS]
    changes += [{"capital-gain": [float(b)]} for b in description.numbers[1, :-2]]
    return [row | change for change in changes]


def test_description_worked_by_hand_equals_the_graph(description: Description) -> None:
    document = description.document()
    rows = [raw_row(number) for number in range(ROWS)] + odd_rows(description)
    outputs = graph_outputs(rows)
    expected = [worked_by_hand(document, row) for row in rows]
    np.testing.assert_array_equal(outputs["categorical"], [ids for _, ids in expected])
    np.testing.assert_allclose(outputs["numeric"], [scores for scores, _ in expected], rtol=1e-6)
    np.testing.assert_array_equal(
        outputs["tokens"], [tokens_by_hand(document, row) for row in rows]
    )


def test_outputs_of_missing_and_unknown_values(description: Description) -> None:
    row: Row = {name: [] for name in SPEC} | {"sex": [b"Other"]}
    outputs = graph_outputs([row])
    offsets = description.layout.offsets
    buckets = PREPROCESSING.buckets
    np.testing.assert_array_equal(outputs["numeric"], [[0.0, 0.0]])
    ids = [offsets.numbers[n] + buckets for n in (0, 1)]
    ids += [offsets.listed[0] + 3, offsets.listed[1]]  # work is missing, sex unknown
    np.testing.assert_array_equal(outputs["categorical"], [ids])
    assert outputs["label"].tolist() == outputs["weight"].tolist() == [[0.0]]
    assert outputs["sex"].tolist() == [[b"Other"]]
    assert not outputs["tokens"].any(), "a missing text has no words"


def test_types_shapes_and_ranges(description: Description) -> None:
    outputs = graph_outputs([raw_row(number) for number in range(ROWS)])
    assert outputs["numeric"].dtype == np.float32
    assert outputs["numeric"].shape == (ROWS, 2)
    assert outputs["categorical"].dtype == np.int64
    assert outputs["categorical"].shape == (ROWS, 4)
    assert -4 <= outputs["numeric"].min() <= outputs["numeric"].max() <= 4
    assert 0 <= outputs["categorical"].min() <= outputs["categorical"].max()
    assert outputs["categorical"].max() < description.layout.ids


def test_no_rows() -> None:
    outputs = graph_outputs([])
    assert outputs["numeric"].shape == (0, 2)
    assert outputs["categorical"].shape == (0, 4)


def test_boundaries_are_ascending_quantiles_without_zeros(description: Description) -> None:
    boundaries = description.numbers[:, :-2]
    assert boundaries.shape == (2, PREPROCESSING.buckets - 1)
    assert (np.diff(boundaries, axis=1) >= 0).all()
    assert boundaries[1].min() >= 100.0, "capital gains of zero are left out"


def test_layout_leaves_dropped_columns_out() -> None:
    layout = layout_of({"age", "sex"}, PREPROCESSING)
    assert layout.numeric == ("age",)
    assert layout.categorical == (("sex", ("Female", "Male")),)
    assert (layout.offsets.numbers, layout.offsets.listed) == ((0,), (9,))
    assert layout.ids == 13


def test_graph_of_something_else_is_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("other")
    shutil.copytree(tiny_transform() / "graph" / "metadata", folder / "metadata")
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def transform_fn(values: tf.Tensor) -> tf.Tensor:
        return values + module.one

    module.one = tf.Variable(1.0)
    module.transform_fn = transform_fn.get_concrete_function()
    tf.saved_model.save(module, str(folder / "transform_fn"))
    with pytest.raises(ValueError, match="no tensor 'preprocessing_numbers'"):
        describe(str(folder), PREPROCESSING)


@pytest.mark.parametrize(
    ("columns", "inputs"),
    [
        (("age", "capital-gain"), ModelInputs(2, 2, 18)),
        (("work", "sex"), ModelInputs(1, 2, 8)),
        (("age", "work"), ModelInputs(1, 2, 13)),
        (("note",), ModelInputs(1, 1, 1, text=1, tokens=8, token_ids=14)),
    ],
    ids=["numeric only", "categorical only", "a slice column was dropped", "text only"],
)
def test_some_kinds_of_columns_only(
    tmp_path: Path, columns: tuple[str, ...], inputs: ModelInputs
) -> None:
    spec = {name: SPEC[name] for name in (*columns, "sex", "label", "weight")}
    if "sex" not in columns:
        spec[not_a_feature("sex")] = tf.io.VarLenFeature(tf.string)
    fit(tmp_path, spec, PREPROCESSING)
    graph = str(tmp_path / "graph")
    assert model_inputs_of(graph, PREPROCESSING) == inputs

    rows = [{name: raw_row(n).get(name, []) for name in spec} for n in range(ROWS)]
    transform_fn = tf.saved_model.load(f"{graph}/transform_fn").transform_fn
    outputs = {k: t.numpy() for k, t in transform_fn(as_columns(rows, spec)).items()}
    document = describe(graph, PREPROCESSING).document()
    assert ("text" in document) == ("tokens" in outputs) == bool(inputs.text)
    expected = [worked_by_hand(document, row) for row in rows]
    np.testing.assert_array_equal(outputs["categorical"], [ids or [0] for _, ids in expected])
    scores = [scores or [np.float32(0)] for scores, _ in expected]
    np.testing.assert_allclose(outputs["numeric"], scores, rtol=1e-6)
    assert outputs["sex"].tolist() == [row["sex"] for row in rows]

    network = build_network(inputs, ARCHITECTURE, "network")
    export_server_model(network, graph, PREPROCESSING, str(tmp_path / "model"))
    server = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_columns"]
    asked = server.structured_input_signature[1]
    assert len(asked) == len(columns)
    answer = server(
        **{
            name: tf.constant([row[name] or [b""] for row in rows], SPEC[name].dtype)
            if SPEC[name].dtype == tf.string
            else tf.constant([row[name] for row in rows], tf.float32)
            for name in columns
        }
    )["probability"]
    features = {name: outputs[name] for name in network.input}
    np.testing.assert_allclose(answer, network(features), atol=1e-6)
