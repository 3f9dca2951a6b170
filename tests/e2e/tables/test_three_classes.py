"""A run on three classes: two pushed models, their answers and their gates."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from pipeline.monitoring import records
from tests.support import three_classes
from tests.support.e2e.clients import fresh, row_order
from tests.support.e2e.runs import NODES, RESOLVERS, Record, pipeline, summary
from tests.support.servers.browser import Page, chromium
from tests.support.servers.server import serving
from tests.support.three_classes import CLASSES

NAME = "kinds"

ANSWERS = """
import json, sys
import numpy as np

folder, columns, *files = sys.argv[1:]
columns = json.loads(columns)
if files:
    import tensorflow as tf

    signatures = tf.saved_model.load(folder).signatures
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    found = signatures["serving_default"](examples=tf.constant(records))
    named = {}
    for name, values in columns.items():
        kind = tf.string if isinstance(values[0], str) else tf.float32
        named[name] = tf.constant([[value] for value in values], kind)
    by_columns = signatures["serving_columns"](**named)
    print(json.dumps({
        "by_examples": found["probabilities"].numpy().tolist(),
        "by_columns": by_columns["probabilities"].numpy().tolist(),
        "classes": [name.decode() for name in by_columns["classes"].numpy()[0]],
        "class": [name.decode() for name in by_columns["class"].numpy()[:, 0]],
    }))
else:

    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    kernels = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    bundle = json.load(open(folder + "/preprocessing.json"))
    interpreter = Interpreter(folder + "/tflite", experimental_op_resolver_type=kernels)
    runner = interpreter.get_signature_runner(bundle["signature"]["name"])
    inputs = {n: np.array(v, bundle["signature"]["inputs"][n]) for n, v in columns.items()}
    found = runner(**inputs)[bundle["signature"]["output"]]
    print(json.dumps({"probabilities": found.tolist(), "classes": bundle["classes"]}))
"""


class Finished:
    """A run, and where it left what."""

    def __init__(self, folder: Path) -> None:
        self.config, self.root = three_classes.write(folder, "gold"), folder / "runs"
        self.output = self.call("run")
        self.record = Record(self.root, NAME)
        [self.run_id] = self.record.runs()
        self.summary: dict[str, Any] = summary(self.root, self.run_id, NAME)

    def call(self, verb: str, *arguments: str, code: int = 0) -> str:
        finished = pipeline(verb, *arguments, "--config", self.config, "--root", str(self.root))
        assert finished.returncode == code, finished.stdout
        assert "Traceback" not in finished.stdout
        return finished.stdout

    def pushed(self, target: str) -> Path:
        return self.root / NAME / self.summary["pushed"][target]["path"]

    def staged_test_rows(self) -> list[dict[str, str]]:
        [path] = self.root.glob(f"{NAME}/staged/*/test/data.csv")
        with path.open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return Finished(tmp_path_factory.mktemp("gold"))


def test_every_node_runs_and_a_second_run_none(gold: Finished) -> None:
    skipped = {"Tuner"}
    nodes = (NODES - skipped) | {"Explainer"}
    assert gold.record.states(gold.run_id) == dict.fromkeys(nodes, "COMPLETE")
    for model in gold.summary["models"].values():
        assert model["metrics"]["accuracy"] > 0.8
        assert model["metrics"]["macro_f1"] > 0.8
    gold.call("run")
    states = gold.record.states(gold.record.runs()[-1])
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS


def test_the_server_model_answers_as_it_was_evaluated(gold: Finished) -> None:
    rows = gold.staged_test_rows()
    columns: dict[str, list[Any]] = {
        "mass": [float(row["mass"]) for row in rows],
        "length": [float(row["length"]) for row in rows],
        "shape": [row["shape"] for row in rows],
        "site": [row["site"] for row in rows],
    }
    examples = gold.record.output(gold.run_id, "SnorkelLabeler", "labeled_examples")
    files = sorted(str(path) for path in (examples / "Split-test").glob("*"))
    found: Any = fresh(ANSWERS, str(gold.pushed("server")), json.dumps(columns), *files)
    answers = np.array(found["by_columns"])
    np.testing.assert_allclose(
        np.array(found["by_examples"])[row_order(files, rows)], answers, atol=1e-6
    )
    assert found["classes"] == list(CLASSES)
    assert found["class"] == [CLASSES[code] for code in answers.argmax(axis=1)]
    _is_as_evaluated(gold.summary["models"]["teacher_pruned"], rows, answers)


def test_the_edge_bundle_answers_as_it_was_evaluated(gold: Finished) -> None:
    from models.network.preprocessing import model_inputs_of
    from models.network.rows import load_columns, load_rows
    from pipeline.config.load import load
    from pipeline.settings import preprocessing_for

    graph = gold.record.output(gold.run_id, "Transform", "transform_graph")
    transformed = gold.record.output(gold.run_id, "Transform", "transformed_examples")
    inputs = model_inputs_of(str(graph), preprocessing_for(load(gold.config)))
    pattern = [str(transformed / "Split-test" / "*")]
    rows = load_rows(pattern, inputs)
    features = {name: values.tolist() for name, values in rows.features.items()}
    found: Any = fresh(ANSWERS, str(gold.pushed("edge")), json.dumps(features))
    assert found["classes"] == list(CLASSES)
    answers = np.array(found["probabilities"])
    site = load_columns(pattern, ["site"])["site"]
    told = [
        {"kind": CLASSES[code], "site": name} for code, name in zip(rows.codes, site, strict=True)
    ]
    _is_as_evaluated(gold.summary["models"]["student_int8"], told, answers)


def _is_as_evaluated(
    model: dict[str, Any], rows: list[dict[str, str]], answers: np.ndarray
) -> None:
    """The figures of a run are scikit-learn's on the answers of a fresh process."""
    truth = np.array([CLASSES.index(row["kind"]) for row in rows])
    decided = answers.argmax(axis=1)
    found = model["metrics"]
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, decided))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(truth, decided, average="macro"))
    shares = answers / answers.sum(axis=1, keepdims=True)
    assert found["auc"] == pytest.approx(
        metrics.roc_auc_score(truth, shares, multi_class="ovr"), abs=2e-3
    )
    recalls = metrics.recall_score(truth, decided, average=None)
    for name, recall in zip(CLASSES, recalls, strict=True):
        assert found[f"recall[{name}]"] == pytest.approx(recall)
    north = np.array([row["site"] == "north" for row in rows])
    assert model["slices"]["site=north"]["accuracy"] == pytest.approx(
        metrics.accuracy_score(truth[north], decided[north])
    )


def test_gates_are_judged_by_class_and_by_group(gold: Finished) -> None:
    shown = gold.call("show", "--all")
    for target in ("server", "edge"):
        for name in CLASSES:
            assert f"recall[{name}]" in shown
        assert f"evaluation.{target}.min_by_class.recall" in shown
        assert f"evaluation.{target}.max_gap.site.recall" in shown
        assert f"evaluation.{target}.max_gap_growth.site.recall" in shown


@pytest.mark.parametrize("target", ["server", "edge"])
def test_the_share_of_each_class_is_explained(gold: Finished, target: str) -> None:
    folder = gold.record.output(gold.run_id, "Explainer", "explanation")
    found = json.loads((folder / "explanation.json").read_text(encoding="utf-8"))["targets"][target]
    assert set(found["mean_abs"]) == {"mass", "length", "shape", "site"}
    assert found["additivity"] <= 1e-5
    for name in CLASSES:
        by_column = {column: values[name] for column, values in found["mean_abs"].items()}
        assert max(by_column.values()) > 3 * by_column["site"], "which says nothing of the kind"
        assert found["base_value"][name] > 0.1
    assert {"site=north", "shape=round"} <= found["by_group"].keys()

    rows = gold.staged_test_rows()
    told = json.loads(
        gold.call("explain", "--target", target, "--row-id", rows[4]["row_id"], "--json",
                  "--counterfactuals", "2")
    )  # fmt: skip
    [row] = told["rows"]
    answer, decision = row["told"]["answer"], row["told"]["class"]
    assert decision == max(answer, key=answer.__getitem__)
    for name in CLASSES:
        added = sum(values[name] for values in row["told"]["attributions"].values())
        assert row["told"]["base_value"][name] + added == pytest.approx(answer[name], abs=1e-5)
    assert row["counterfactuals"]
    for one in row["counterfactuals"]:
        assert one["class"] != decision
        assert set(one["changes"]) <= {"mass", "length", "shape"}
        assert one["class"] == max(one["answer"], key=one["answer"].__getitem__)


@pytest.mark.parametrize("target", ["server", "edge"])
def test_what_is_served_is_answered_in_a_file_and_watched(
    gold: Finished, target: str, tmp_path: Path
) -> None:
    [path] = gold.root.glob(f"{NAME}/staged/*/test/data.csv")
    out, rows = tmp_path / "answers.csv", gold.staged_test_rows()
    gold.call("predict", "--target", target, "--input", str(path), "--output", str(out))
    with out.open(newline="") as file:
        answers = list(csv.DictReader(file))
    outcomes = [["request", "row", "label"]]
    with serving(gold.root, "--target", target, config=gold.config) as server:
        for first in range(0, len(rows), 100):
            asked = [_as_sent(row) for row in rows[first : first + 100]]
            code, found = server.ask(
                f"/v1/models/{NAME}:predict",
                {"signature_name": "serving_columns", "instances": asked},
                headers={"X-Request-Id": f"{target}{first}"},
            )
            assert code == 200, found
            pairs = zip(found["predictions"], answers[first:], strict=False)
            for at, (answer, line) in enumerate(pairs):
                written = [float(line[f"probability[{name}]"]) for name in CLASSES]
                assert answer["probabilities"] == pytest.approx(written, abs=1e-6)
                assert answer["classes"] == list(CLASSES)
                assert answer["class"] == line["class"]
                outcomes.append([f"{target}{first}", str(at), line["kind"]])
        with chromium(tmp_path / "chromium") as page:
            _ask_by_keyboard(page, server.url, rows[0])
            cells = "[...document.querySelectorAll('#answer td:nth-child(2)')]"
            shown = page.evaluate(f"{cells}.map(cell => cell.textContent)")
            assert page.problems == [] or "favicon" in str(page.problems)
        assert shown[0] == answers[0]["class"]
        shares = [float(answers[0][f"probability[{name}]"]) for name in CLASSES]
        assert [float(share) for share in shown[1:]] == pytest.approx(shares, abs=1e-6)
    later = tmp_path / "later.csv"
    with later.open("w", newline="") as file:
        csv.writer(file).writerows(outcomes)
    gold.call("labels", "outcomes", str(later))
    told = gold.call("monitor", "--target", target, "--set", "monitor.min_rows=200")
    report = records.newest(gold.root / NAME)[target]
    everything = report.slices[records.ALL_ROWS]
    right = np.mean([line["class"] == line["kind"] for line in answers])
    measured, estimated = everything.measured["accuracy"], everything.estimated["accuracy"]
    assert measured.value == pytest.approx(right)
    assert estimated.low < right < estimated.high
    assert set(everything.classes) == set(CLASSES)
    assert {gap.rate for gap in report.gaps} == {f"recall[{name}]" for name in CLASSES}
    assert "Crate[1]" in told


def _as_sent(row: dict[str, str]) -> dict[str, Any]:
    numbers = {name: float(row[name]) for name in ("mass", "length")}
    return {**numbers, "shape": row["shape"], "site": row["site"]}


def _ask_by_keyboard(page: Page, url: str, row: dict[str, str]) -> None:
    page.open(url + "/")
    page.press("Tab")
    for _ in range(4):
        page.type(row[page.evaluate("document.activeElement.name")])
        page.press("Tab")
    page.press("Enter", "\r")
    page.wait_for("document.querySelector('#answer td') !== null")
