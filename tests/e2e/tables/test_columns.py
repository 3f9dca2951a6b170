"""A run on a made table: a category of many values, dates, missing values, and requests of any."""

import csv
import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import tf_keras
from ruamel.yaml import YAML

from core.config import Config
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from pipeline.config import load as config
from pipeline.settings import preprocessing_for
from tests.support.e2e.clients import EDGE, SERVER, fresh, row_order
from tests.support.e2e.runs import Record, pipeline, summary

NAME = "shops-smoke"
COLUMNS = ("amount", "kind", "postcode", "opened", "seen")
CONTRACT = """
feature { name: "amount" type: FLOAT }
feature { name: "kind" type: BYTES string_domain { name: "kind" value: "a" value: "b" } }
feature {
  name: "postcode" type: BYTES
  drift_comparator { infinity_norm { threshold: 0.05 } }
}
feature { name: "opened" type: BYTES }
feature { name: "seen" type: BYTES }
feature { name: "sold" type: BYTES not_in_environment: "SERVING" }
feature { name: "row_id" type: BYTES not_in_environment: "SERVING" }
"""
ODD = {
    "amount": ["", "1e30"],
    "kind": ["", "c", "B"],
    "postcode": ["", "new", "Z\u00fcrich", "two\nlines", "\U0001f600", "00123", "x" * 300],
    "opened": ["", "2024-02-30", "30.02.2024", "1.1.1800", "31.12.9999"],
    "seen": ["", "2024-03-31 01:30+01:00", "2024-03-31 02:30+01:00", "2024-03-31 02:30"],
}
PARIS = ZoneInfo("Europe/Paris")


def table(rows: int, seed: int) -> list[list[str]]:
    """The label goes by postcode, month (Paris) and whether the amount is there."""
    draw, found = random.Random(seed), []
    effect = [random.Random(code).gauss(0, 1.5) for code in range(150)]
    for _ in range(rows):
        code = draw.randrange(150)
        seen = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(2 * 525_600))
        amount = "" if draw.random() < 0.2 else f"{draw.uniform(1, 100):.2f}"
        logit = effect[code] + (1.5 if seen.astimezone(PARIS).month < 7 else -1.5)
        logit += 1.5 if not amount else 0
        sold = draw.random() < 1 / (1 + np.exp(-logit))
        opened = f"{draw.randrange(1, 29)}.{draw.randrange(1, 13)}.{draw.randrange(1990, 2023)}"
        stamp = (seen + timedelta(hours=2)).strftime("%Y-%m-%d %H:%M") + "+02:00"
        found.append(
            [
                amount,
                draw.choice(["a", "b", ""]),
                "" if draw.random() < 0.05 else f"{code:05}",
                "" if draw.random() < 0.1 else opened,
                stamp if draw.random() < 0.98 else "unknown",
                "yes" if sold else "no",
            ]
        )
    return found


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Config]:
    """The root of the run, its id, and its configuration."""
    root = tmp_path_factory.mktemp("shops")
    for part, rows in (("span-1", table(3000, 1)), ("test", table(1000, 2))):
        (root / "raw" / part).mkdir(parents=True)
        with open(root / "raw" / part / "data.csv", "w", newline="") as file:
            csv.writer(file).writerows([[*COLUMNS, "sold"], *rows])
    (root / "schema.pbtxt").write_text(CONTRACT)
    values = {
        "name": "shops",
        "data": {"folder": str(root / "raw")},
        "schema": str(root / "schema.pbtxt"),
        "columns": {
            "label": "sold",
            "classes": ["no", "yes"],
            "positive": "yes",
            "numeric": ["amount"],
            "categorical": ["kind", "postcode"],
            "dates": {
                "opened": {"format": "%d.%m.%Y"},
                "seen": {"format": "%Y-%m-%d %H:%M%z", "timezone": "Europe/Paris"},
            },
        },
        "labeling": {"mode": "gold"},
        "features": {"keep": None},  # two of the columns tell nothing
        "evaluation": {
            "slices": [["kind"], ["postcode"]],
            "server": {"min": {"auc": 0.7}},
            "edge": {"min": {"auc": 0.7}},
        },
    }
    YAML().dump(values, root / "shops.yaml")
    settings = [
        "data.rows=null", "tuner.enabled=false", "trainer.epochs=8", "distiller.epochs=8",
        "explain.enabled=true", "explain.rows=100",
    ]  # fmt: skip
    changes = [argument for setting in settings for argument in ("--set", setting)]
    path = str(root / "shops.yaml")
    finished = pipeline("run", "--config", path, "--root", str(root), "--smoke", *changes)
    assert finished.returncode == 0, finished.stdout
    assert "in 'seen' are not of the format '%Y-%m-%d %H:%M%z'" in finished.stdout
    [run_id] = Record(root, NAME).runs()
    return root, run_id, config.load(path)


def odd_rows(root: Path) -> list[dict[str, str]]:
    """The staged test rows, then a plain one with each odd value in its place."""
    [path] = root.glob(f"{NAME}/staged/*/test/data.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    plain = {**rows[0], "row_id": ""}
    return rows + [{**plain, column: cell} for column in ODD for cell in ODD[column]]


def test_both_models_are_pushed_and_learn_from_every_kind(
    shops: tuple[Path, str, Config],
) -> None:
    root, run_id, _ = shops
    written = summary(root, run_id, NAME)
    assert all(written["pushed"][target]["version"] for target in ("server", "edge"))
    for model in ("teacher_pruned", "student_int8"):
        assert written["models"][model]["metrics"]["auc"] > 0.8
    assert any(name.startswith("postcode=") for name in written["models"]["student_int8"]["slices"])


def test_answers_are_explained_by_columns_of_every_kind(shops: tuple[Path, str, Config]) -> None:
    root, run_id, _ = shops
    folder = Record(root, NAME).output(run_id, "Explainer", "explanation")
    targets = json.loads((folder / "explanation.json").read_text(encoding="utf-8"))["targets"]
    for found in targets.values():
        assert set(found["mean_abs"]) == {*COLUMNS}
        assert found["additivity"] <= 1e-5
        weak = max(found["mean_abs"]["kind"], found["mean_abs"]["opened"])
        for column in ("postcode", "seen", "amount"):
            assert found["mean_abs"][column] > weak, "the label goes by it"
        seen = found["dependence"]["seen"]
        by_time = [point["value"] for point in seen]
        assert by_time == sorted(by_time)
        months = [int(point["value"][5:7]) for point in seen]
        early = [p["answer"] for p, month in zip(seen, months, strict=True) if 1 < month < 6]
        late = [p["answer"] for p, month in zip(seen, months, strict=True) if 7 < month < 12]
        assert min(early) > max(late)
        assert len(found["dependence"]["postcode"]) <= 16, "the most frequent of 150"


@pytest.mark.parametrize("target", ["server", "edge"])
def test_a_row_of_odd_values_is_explained(
    shops: tuple[Path, str, Config], target: str, tmp_path: Path
) -> None:
    root, _, _ = shops
    [row] = [row for row in odd_rows(root) if row["postcode"] == "two\nlines"]
    sent = {name: row[name] for name in COLUMNS}
    (tmp_path / "row.csv").write_text(
        ",".join(sent) + "\n" + ",".join(f'"{cell}"' for cell in sent.values()) + "\n"
    )
    flags = ["--config", str(root / "shops.yaml"), "--root", str(root), "--smoke", "--json"]
    flags += ["--set", "explain.actionable=[amount, kind, postcode]", "--target", target]
    done = pipeline("explain", "--row", str(tmp_path / "row.csv"), "--counterfactuals", "2", *flags)
    assert done.returncode == 0, done.stdout
    [explained] = json.loads(done.stdout[done.stdout.index("{") :])["rows"]
    assert explained["cells"]["postcode"] == "two\nlines"
    told = explained["told"]
    total = told["base_value"] + sum(told["attributions"].values())
    assert total == pytest.approx(told["answer"], abs=1e-5)
    assert explained["counterfactuals"]
    known = {row[COLUMNS.index("postcode")] for row in table(3000, 1)}
    for one in explained["counterfactuals"]:
        assert set(one["changes"]) <= {"amount", "kind", "postcode"}
        if "postcode" in one["changes"]:
            assert one["changes"]["postcode"]["to"] in known


def test_a_device_answers_as_the_evaluator_saw(
    shops: tuple[Path, str, Config], tmp_path: Path
) -> None:
    root, run_id, settings = shops
    rows = odd_rows(root)
    with open(tmp_path / "rows.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    bundle = root / NAME / summary(root, run_id, NAME)["pushed"]["edge"]["path"]
    found = fresh(EDGE, str(bundle), str(tmp_path / "rows.csv"))
    on_device, numeric, categorical = (np.array(values) for values in found[:3])

    record = Record(root, NAME)
    graph = record.output(run_id, "Transform", "transform_graph")
    transformed = record.output(run_id, "Transform", "transformed_examples")
    inputs = model_inputs_of(str(graph), preprocessing_for(settings))
    test = load_rows([str(transformed / "Split-test" / "*")], inputs)
    assert inputs.learned == 150
    features = np.hstack([np.float32(numeric), categorical])[: test.count]
    in_pipeline = np.hstack([test.numeric, test.categorical])
    assert sorted(map(tuple, features)) == sorted(map(tuple, in_pipeline))

    student = tf_keras.models.load_model(
        record.output(run_id, "Distiller", "model") / "student.keras", compile=False
    )
    on_rows = {"numeric": np.float32(numeric), "categorical": np.int64(categorical)}
    expected = student(on_rows, training=False).numpy()[:, 0]
    assert np.abs(on_device - expected).mean() < 0.02
    sold = np.array([row["sold"] == "yes" for row in rows[: test.count]])
    metrics = summary(root, run_id, NAME)["models"]["student_int8"]["metrics"]
    accuracy = np.mean((on_device[: test.count] > 0.5) == sold)
    assert accuracy == pytest.approx(metrics["accuracy"], abs=2 / test.count)


def test_the_server_answers_alike_by_both_signatures(shops: tuple[Path, str, Config]) -> None:
    root, run_id, _ = shops
    rows = odd_rows(root)
    examples = Record(root, NAME).output(run_id, "SnorkelLabeler", "labeled_examples")
    files = sorted(str(path) for path in (examples / "Split-test").glob("*"))
    columns: dict[str, list] = {name: [row[name] for row in rows] for name in COLUMNS}
    columns["amount"] = [float(cell or "nan") for cell in columns["amount"]]
    folder = root / NAME / summary(root, run_id, NAME)["pushed"]["server"]["path"]
    by_examples, by_columns = map(np.array, fresh(SERVER, str(folder), json.dumps(columns), *files))
    test = [row for row in rows if row["row_id"]]
    np.testing.assert_allclose(
        by_examples[row_order(files, test)], by_columns[: len(test)], atol=1e-6
    )
    assert np.isfinite(by_columns).all()
    empty, impossible = (
        by_columns[len(test) + [c for k in ODD for c in ODD[k]].index(cell)]
        for cell in ("2024-02-30", "30.02.2024")
    )
    assert empty == impossible, "what is no date is missing"
