"""What was pushed, loaded where it will be used: in processes that know nothing of this project."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.conftest import Record

SERVER = """
import json, sys
import tensorflow as tf

folder, columns, *files = sys.argv[1:]
signatures = tf.saved_model.load(folder).signatures
records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
by_examples = signatures["serving_default"](examples=tf.constant(records))["probability"]
named = {}
for name, values in json.loads(columns).items():
    text = isinstance(values[0], str)
    named[name] = tf.constant([[v] for v in values], tf.string if text else tf.float32)
by_columns = signatures["serving_columns"](**named)["probability"]
print(json.dumps([by_examples[:, 0].numpy().tolist(), by_columns[:, 0].numpy().tolist()]))
"""

EDGE = """
import csv, json, re, sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder, rows = sys.argv[1:]
bundle = json.load(open(folder + "/preprocessing.json"))
interpreter = Interpreter(folder + "/tflite")
answer = interpreter.get_signature_runner(bundle["signature"]["name"])
buckets = bundle["buckets"]
probabilities, numeric, categorical, tokens = [], [], [], []
text = bundle.get("text", {"columns": [], "vocabulary": [], "offset": 0})
ids_of = {gram: text["offset"] + place for place, gram in enumerate(text["vocabulary"])}
for row in csv.DictReader(open(rows)):
    ranks, ids = [], []
    for column in bundle["numeric"]:
        boundaries = np.float32(column["boundaries"])
        if row[column["column"]] == "":
            rank, bucket = np.float32(0.5), buckets
        else:
            value = np.float32(row[column["column"]])
            bucket = int(np.sum(value >= boundaries))
            last = len(boundaries) - 1
            below, above = boundaries[np.clip([bucket - 1, bucket], 0, last)]
            within = (value - below) / (above - below) if above > below else np.float32(0)
            rank = (np.float32(bucket) + np.clip(within, 0, 1)) / np.float32(buckets)
        ranks.append(rank)
        ids.append(column["offset"] + bucket)
    for column in bundle["categorical"]:
        value = row[column["column"]]
        known = column["values"]
        ids.append(column["offset"] + (known.index(value) + 1 if value in known else 0))
    words_of_row = []
    for column in text["columns"]:
        cell = row[column]
        for pattern, replacement in text["steps"]:
            cell = re.sub(pattern, replacement, cell)
        words = [word for word in cell.lower().split(" ") if word]
        found = [ids_of.get(word, text["unknown"]) for word in words]
        for n in range(2, text["ngrams"] + 1):
            grams = (" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
            found += [ids_of[gram] for gram in grams if gram in ids_of]
        found = found[: text["width"]]
        words_of_row += found + [text["padding"]] * (text["width"] - len(found))
    inputs = {"numeric": np.float32([ranks]), "categorical": np.int64([ids])}
    if text["columns"]:
        inputs["tokens"] = np.int64([words_of_row])
    out = answer(**inputs)
    probabilities.append(float(out[bundle["signature"]["output"]][0, 0]))
    numeric.append([float(rank) for rank in ranks])
    categorical.append(ids)
    tokens.append(words_of_row)
assert "tensorflow" not in sys.modules
print(json.dumps([probabilities, numeric, categorical, tokens]))
"""


def fresh(code: str, *arguments: str) -> list:
    """Runs a script in a new interpreter outside the repository; returns its JSON output."""
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def staged_rows(root: Path) -> tuple[Path, list[dict[str, str]]]:
    """The staged test rows, as raw data gives them."""
    [path] = root.glob("smoke/staged/*/test/data.csv")
    with path.open(newline="") as file:
        return path, list(csv.DictReader(file))


@pytest.fixture(scope="module")
def report(root: Path, cold: str) -> dict:
    return json.loads((root / "smoke" / "reports" / cold / "summary.json").read_text())


def test_server_model_answers_as_it_did_in_the_evaluator(
    root: Path, cold: str, report: dict
) -> None:
    _, rows = staged_rows(root)
    labels = np.array([row["income-per-year"] == ">50K" for row in rows])
    folder = Record(root).output(cold, "SnorkelLabeler", "labeled_examples")
    files = sorted(str(path) for path in (folder / "Split-test").glob("*"))
    numeric = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
    categorical = ["workclass", "education", "marital-status", "occupation", "relationship",
                   "race", "sex", "native-country"]  # fmt: skip
    columns: dict[str, list] = {
        c: [float(row[c]) if row[c] else float("nan") for row in rows] for c in numeric
    }
    columns |= {c: [row[c] for row in rows] for c in categorical}
    model = root / "smoke" / report["pushed"]["server"]["path"]
    by_examples, by_columns = map(np.array, fresh(SERVER, str(model), json.dumps(columns), *files))

    order = row_order(files, rows)
    np.testing.assert_allclose(by_examples[order], by_columns, atol=1e-6)
    gates = {g["metric"]: g["value"] for g in report["gates"]
             if g["target"] == "server" and g["slice"] == "overall"}  # fmt: skip
    decisions = by_columns > 0.5
    assert np.mean(decisions == labels) == pytest.approx(gates["accuracy"], abs=1e-9)
    female = np.array([row["sex"] == "Female" for row in rows])
    tpr = [decisions[labels & group].mean() for group in (female, ~female)]
    assert abs(tpr[0] - tpr[1]) == pytest.approx(gates["gap sex tpr"], abs=1e-9)


def row_order(files: list[str], rows: list[dict[str, str]]) -> list[int]:
    """Place in the TFRecord files of each row, by row_id."""
    import tensorflow as tf

    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ids = [
        tf.train.Example.FromString(record).features.feature["row_id"].bytes_list.value[0].decode()
        for record in records
    ]
    place = {row_id: n for n, row_id in enumerate(ids)}
    return [place[row["row_id"]] for row in rows]


def test_edge_bundle_needs_only_numpy_and_the_interpreter(
    root: Path, cold: str, report: dict
) -> None:
    import tf_keras

    from models.network.features import model_inputs_of
    from models.network.preprocessing import CATEGORICAL, NUMERIC
    from models.network.rows import load_rows
    from pipeline.config import load as config
    from pipeline.settings import preprocessing_for

    path, rows = staged_rows(root)
    bundle = root / "smoke" / report["pushed"]["edge"]["path"]
    on_device, numeric, categorical, _ = fresh(EDGE, str(bundle), str(path))

    graph = Record(root).output(cold, "Transform", "transform_graph")
    transformed = Record(root).output(cold, "Transform", "transformed_examples")
    inputs = model_inputs_of(str(graph), preprocessing_for(config.load("smoke")))
    test = load_rows([str(transformed / "Split-test" / "*")], inputs)
    features = np.hstack([np.float32(numeric), np.float32(categorical)])
    in_pipeline = np.hstack([test.numeric, np.float32(test.categorical)])
    assert sorted(map(tuple, features)) == sorted(map(tuple, in_pipeline))

    student = tf_keras.models.load_model(
        Record(root).output(cold, "Distiller", "model") / "student.keras", compile=False
    )
    rows_on_device = {NUMERIC: np.float32(numeric), CATEGORICAL: np.int64(categorical)}
    expected = student(rows_on_device, training=False).numpy()[:, 0]
    folder = Record(root).output(cold, "Quantizer", "variants")
    measured = json.loads((folder / "quantization.json").read_text())["student_int8"]
    assert np.abs(on_device - expected).mean() < 2 * measured["difference"] + 1e-4
    labels = np.array([row["income-per-year"] == ">50K" for row in rows])
    gates = {g["metric"]: g["value"] for g in report["gates"]
             if g["target"] == "edge" and g["slice"] == "overall"}  # fmt: skip
    accuracy = np.mean((np.array(on_device) > 0.5) == labels)
    assert accuracy == pytest.approx(gates["accuracy"], abs=2 / len(rows))
