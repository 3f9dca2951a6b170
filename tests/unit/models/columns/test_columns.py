"""Dates and categories of many values: graph, both signatures and device agree on every text."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.columns.date_formats import date_column
from models.columns.hashing import hash_bucket, sip_hash
from models.export.device import DeviceFeatures
from models.export.export import export_server_model
from models.network.description import describe
from models.network.layout import HashedLayout, Preprocessing, layout_of, not_a_feature
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from tests.support.tiny_rows import ARCHITECTURE
from tests.support.tiny_transform import fit

FORMATS = {
    "day": ("%Y-%m-%d", "UTC"),
    "stamp": ("%d %b %y %I:%M:%S %p", "Europe/Paris"),
    "instant": ("%Y-%m-%dT%H:%M%z", "America/New_York"),
    "epoch": ("%s", "Asia/Kathmandu"),
    "clock": ("%H:%M", "UTC"),
    "unread": ("%Y%m%d", "UTC"),
}
PREPROCESSING = Preprocessing(
    numeric=("age",),
    categorical=(("work", ("Private", "Public")),),
    text=None,
    dates=tuple(date_column(name, *format) for name, format in FORMATS.items()),
    hashed=HashedLayout(("code", "city"), vocabulary=6, buckets=5),
    passed_through=("code",),
    buckets=4,
    classes=("no", "yes"),
)
STRINGS = ("work", *FORMATS, "code", "city")
SPEC = (
    {"age": tf.io.VarLenFeature(tf.float32)}
    | {name: tf.io.VarLenFeature(tf.string) for name in STRINGS}
    | {name: tf.io.VarLenFeature(tf.float32) for name in ("label", "weight")}
)
ODD = (
    "", " ", "Z\u00fcrich", "Zu\u0308rich", "\u4f60\u597d", "\U0001f600", "a\x00b", "\x1f",
    "code\x1fA", "two\nlines", "cr\r", "x" * 5000, "0012", "12", "A", "B", "a", "Private",
    "private",
)  # fmt: skip
TIMES = (
    "2024-02-29", "2023-02-29", "1999-12-31", " 2024-1-5 ", "9999-12-31", "1000-01-01",
    "2024-06-31", "29 Feb 24 12:00:00 am", "1 SEP 68 12:59:59 PM", "01 jan 69 1:0:0 pm",
    "31 Apr 24 1:00:00 PM", "2024-03-10T06:59Z", "2024-03-10T07:00+0000", "2024-11-03T01:30-05",
    "1850-01-01T00:00+05:30",
    "2024-03-10T06:59", "0", "-1", "1711846800", "1711846800.9", "99999999999", "-99999999999",
    "100000000000", "00:00", "23:59", "24:00", "7:5", "20240229", "2024-02-29\n", "2024-02-29\x00",
    "\u0662\u0660\u0662\u0664-01-01", "\u00a02024-01-01",
)  # fmt: skip


def row_of(number: int) -> dict[str, list[Any]]:
    """A training row: `A` and `B` are frequent codes, `only-<n>` comes once each."""
    code = ("A", "B", "A", "C", f"only-{number}", "")[number % 6]
    texts = {
        "work": ("Private", "Public", "")[number % 3],
        "day": f"2024-{1 + number % 12:02}-{1 + number % 28:02}" if number % 9 else "",
        "stamp": f"{1 + number % 28} Mar {20 + number % 5} {1 + number % 12}:05:09 Pm",
        "instant": f"2023-{1 + number % 12:02}-01T{number % 24:02}:30+01:00",
        "epoch": str(1_600_000_000 + 50_000 * number),
        "clock": f"{number % 24}:{number % 60:02}",
        "unread": "no date",
        "code": code,
        "city": ("Bern", "Genf", "two\nlines", "Bern")[number % 4],
    }
    row: dict[str, list[Any]] = {n: [text.encode()] if text else [] for n, text in texts.items()}
    return row | {"age": [float(number % 50)], "label": [1.0], "weight": [1.0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Transform graph, `graph`, and a SavedModel with it, `model`."""
    path = tmp_path_factory.mktemp("columns")
    fit(path, SPEC, PREPROCESSING, [row_of(number) for number in range(240)])
    inputs = model_inputs_of(str(path / "graph"), PREPROCESSING)
    network = build_network(inputs, ARCHITECTURE, "n")
    wide = network.get_layer("wide").embeddings
    wide.assign(tf.random.stateless_normal(wide.shape, (1, 2)))
    network.save(path / "network.keras")
    export_server_model(network, str(path / "graph"), PREPROCESSING, str(path / "model"))
    return path


def odd_rows() -> list[dict[str, str]]:
    plain = {n: (v[0].decode() if v else "") for n, v in row_of(1).items() if n in STRINGS}
    rows = [{**plain, column: text} for column in ("code", "city", "work") for text in ODD]
    return rows + [{**plain, column: text} for column in FORMATS for text in ("", *TIMES)]


def transformed(folder: Path, rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    examples = []
    for row in rows:
        example = tf.train.Example()
        example.features.feature["age"].float_list.value.append(7.0)
        for name, text in row.items():
            if text:
                example.features.feature[name].bytes_list.value.append(text.encode())
        examples.append(example.SerializeToString())
    graph = tf.saved_model.load(str(folder / "graph" / "transform_fn"))
    outputs = graph.transform_fn(tf.io.parse_example(examples, SPEC))
    return {name: values.numpy() for name, values in outputs.items()}


def columns_of(rows: list[dict[str, str]]) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {
        name: np.array([row[name] for row in rows], object) for name in STRINGS
    }
    return columns | {"age": np.full(len(rows), 7.0, np.float32)}


def test_graph_and_device_make_the_same_inputs(folder: Path) -> None:
    rows = odd_rows() + [
        {n: (v[0].decode() if v else "") for n, v in row_of(k).items() if n in STRINGS}
        for k in range(240)
    ]
    device = DeviceFeatures(describe(str(folder / "graph"), PREPROCESSING).document())
    on_device, in_graph = device(columns_of(rows)), transformed(folder, rows)
    for name in ("numeric", "categorical"):
        np.testing.assert_array_equal(on_device[name], in_graph[name], name)
    inputs = model_inputs_of(str(folder / "graph"), PREPROCESSING)
    assert in_graph["numeric"].shape[1] == inputs.numeric == 7
    # age, six ages of dates, work, the parts of six dates, two of many values
    assert in_graph["categorical"].shape[1] == inputs.categorical == 1 + 6 + 1 + 14 + 2
    assert in_graph["categorical"].min() >= 0
    assert in_graph["categorical"].max() < inputs.ids


def test_frequent_values_have_ids_others_buckets_and_missing_ones_an_id(folder: Path) -> None:
    document = describe(str(folder / "graph"), PREPROCESSING).document()["hashed"]
    code, city = document["columns"]
    assert set(code["values"]) == {"A", "B", "C"}, "others come once"
    assert set(city["values"]) == {"Bern", "Genf"}, "a value of two lines is hashed"
    device = DeviceFeatures(describe(str(folder / "graph"), PREPROCESSING).document())
    rows = [{**odd_rows()[0], "code": text} for text in ("A", "", "only-4", "new")]
    ids = device(columns_of(rows))["categorical"][:, -2].tolist()
    assert ids[:2] == [code["values"]["A"], code["offset"] + 5]
    assert ids[2:] == [code["offset"] + hash_bucket(text, 5) for text in ("only-4", "new")]
    assert len({*ids[:2], code["offset"] + 6}) == 3


def test_both_signatures_answer_as_a_device_does(folder: Path) -> None:
    rows = odd_rows()
    columns = columns_of(rows)
    document = describe(str(folder / "graph"), PREPROCESSING).document()
    server = tf.saved_model.load(str(folder / "model")).signatures["serving_columns"]
    named = {name: tf.constant(values[:, np.newaxis]) for name, values in columns.items()}
    named |= {name: tf.constant([[text] for text in columns[name]], tf.string) for name in STRINGS}
    served = server(**named)["probability"].numpy()
    network = tf.keras.models.load_model(folder / "network.keras", compile=False)
    expected = network(DeviceFeatures(document)(columns), training=False).numpy()
    np.testing.assert_allclose(served, expected, atol=1e-6)
    assert len(set(expected.ravel().tolist())) > 40


def test_a_date_column_of_no_date_at_all_is_missing_everywhere(folder: Path) -> None:
    document = describe(str(folder / "graph"), PREPROCESSING).document()
    unread = next(date for date in document["dates"] if date["column"] == "unread")
    assert (unread["newest"], set(unread["boundaries"])) == (0, {0.0})


def test_hash_is_the_published_one_and_tensorflows() -> None:
    # Aumasson and Bernstein, appendix A
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert sip_hash(bytes(range(15)), key) == 0xA129CA6149BE45E5
    texts = [*ODD, *("y" * n for n in range(40))]
    found = tf.strings.to_hash_bucket_strong(texts, 1_000_003, [1, 2]).numpy().tolist()
    assert found == [hash_bucket(text, 1_000_003, (1, 2)) for text in texts]


@pytest.mark.parametrize(("columns", "width"), [(("code",), 1), (("clock", "city"), 3)])
def test_single_kinds(tmp_path: Path, columns: tuple[str, ...], width: int) -> None:
    names = {*columns, "code", "label", "weight"}
    spec = {name: SPEC[name] for name in SPEC if name in names}
    if "code" not in columns:
        spec[not_a_feature("code")] = tf.io.VarLenFeature(tf.string)
    fit(tmp_path, spec, PREPROCESSING, [row_of(number) for number in range(60)])
    graph = str(tmp_path / "graph")
    inputs = model_inputs_of(graph, PREPROCESSING)
    assert (inputs.numeric, inputs.categorical) == (1, width)
    found = describe(graph, PREPROCESSING)
    assert set(found.layout.columns) == {*columns}
    rows = [{**odd_rows()[0], columns[0]: text} for text in (*ODD, *TIMES)]
    on_device = DeviceFeatures(found.document())(columns_of(rows))
    in_graph = {
        name: values.numpy()
        for name, values in tf.saved_model.load(f"{graph}/transform_fn")
        .transform_fn(
            {
                name: tf.sparse.from_dense([[row.get(name, "")] for row in rows])
                if spec[name].dtype == tf.string
                else tf.sparse.from_dense(tf.zeros([len(rows), 1]))
                for name in spec
            }
        )
        .items()
    }
    for name in ("numeric", "categorical"):
        np.testing.assert_array_equal(on_device[name], in_graph[name], name)


def test_a_column_of_which_each_value_comes_once_is_hashed_altogether(tmp_path: Path) -> None:
    spec = {name: SPEC[name] for name in ("code", "label", "weight")}
    rows = [row_of(n) | {"code": [f"only-{n}".encode()]} for n in range(60)]
    fit(tmp_path, spec, PREPROCESSING, rows)
    found = describe(str(tmp_path / "graph"), PREPROCESSING)
    document = found.document()
    [code] = document["hashed"]["columns"]
    assert code["values"] == {}
    texts = np.array(["only-1", "", "new"], object)
    ids = DeviceFeatures(document)({"code": texts})["categorical"][:, 0].tolist()
    assert ids == [hash_bucket("only-1", 5), 5, hash_bucket("new", 5)]
    inputs = model_inputs_of(str(tmp_path / "graph"), PREPROCESSING)
    assert inputs.ids == 6 + document["hashed"]["vocabulary"]


def test_a_bundle_of_format_1_has_one_id_for_missing_and_unknown() -> None:
    column: dict[str, Any] = {"column": "work", "offset": 3, "values": ["Private", "Public"]}
    texts = np.array(["Public", "", "Circus"], object)
    for missing, expected in (({}, [5, 3, 3]), ({"missing": 6}, [5, 6, 3])):
        bundle = {"buckets": 4, "numeric": [], "categorical": [column | missing]}
        assert DeviceFeatures(bundle)({"work": texts})["categorical"][:, 0].tolist() == expected


def test_layout_of_every_kind_has_no_gaps() -> None:
    layout = layout_of(PREPROCESSING.columns, PREPROCESSING)
    offsets = layout.offsets
    assert offsets.numbers == (0, 5, 10, 15, 20, 25, 30)
    assert offsets.listed == (35,)
    assert offsets.parts[:3] == (39, 52, 60)
    assert offsets.hashed == (offsets.vocabulary - 12, offsets.vocabulary - 6)
    assert layout.categories == 24
