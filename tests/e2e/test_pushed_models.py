"""What was pushed, loaded where it will be used: in processes that know nothing of this project."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.e2e.clients import EDGE, SERVER, fresh, row_order
from tests.support.e2e.runs import Record, summary


def staged_rows(root: Path) -> tuple[Path, list[dict[str, str]]]:
    """The staged test rows, as raw data gives them."""
    [path] = root.glob("smoke/staged/*/test/data.csv")
    with path.open(newline="") as file:
        return path, list(csv.DictReader(file))


@pytest.fixture(scope="module")
def report(root: Path, cold: str) -> dict:
    return summary(root, cold)


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


def test_edge_bundle_needs_only_numpy_and_the_interpreter(
    root: Path, cold: str, report: dict
) -> None:
    import tf_keras

    from models.network.preprocessing import CATEGORICAL, NUMERIC, model_inputs_of
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
