"""summary.json: its shape, and what is read from ML Metadata and artifacts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd
from pydantic import ValidationError

from core.errors import InputError
from core.files import REPOSITORY
from core.sections.labeling import LabelGates
from core.version_record import withdrawn_folder
from pipeline.metadata.connection import SQLITE
from pipeline.metadata.store import open_store
from pipeline.report import summary
from pipeline.report.findings import base_model, collect, finite
from pipeline.report.history import list_runs, read_run
from pipeline.report.summary import Summary
from pipeline.versions.reconcile import forget_deleted
from tests.support.records.one_run import Store
from tests.support.records.summaries import MODEL, NODE, RUN_ID, VALUES

UNSET: dict[str, Any] = dict.fromkeys(LabelGates.model_fields)
NO_BOUNDS = LabelGates.model_construct(**UNSET)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = Summary.model_validate(VALUES)
    path = summary.path_of(tmp_path, RUN_ID)
    summary.write(written, path)
    assert summary.read(path) == written
    assert path == tmp_path / "reports" / RUN_ID / "summary.json"
    assert [p.name for p in path.parent.iterdir()] == ["summary.json"]
    assert json.loads(path.read_text())["labels"]["functions"]["lf_gain"]["overlap"] == 0.1


def test_lists_of_numbers_are_written_on_one_line(tmp_path: Path) -> None:
    counts = {"negative": [0, 12, 3], "positive": []}
    ends = {"rows": 3, "positives": 1, "intervals": {"auc": [-1e-07, 0.5]}}
    model = {
        **MODEL,
        "scores": {"bins": 3, "groups": {"sex=[\n  1,\n  2\n]": counts}},
        "evidence": {"overall": ends},
        "confusion": [[1, 2], [3, 4]],
    }
    written = Summary.model_validate({**VALUES, "models": {"teacher_pruned": model}})
    path = summary.path_of(tmp_path, RUN_ID)
    summary.write(written, path)
    text = path.read_text()
    assert '"negative": [0, 12, 3],' in text
    assert "[-1e-07, 0.5]" in text
    assert summary.read(path) == written
    assert json.loads(text) == written.model_dump(mode="json")


@pytest.mark.parametrize(("state", "lines"), [("RUNNING", 1), ("COMPLETE", 50), ("FAILED", 50)])
def test_that_of_a_run_that_goes_on_is_on_one_line(tmp_path: Path, state: str, lines: int) -> None:
    written = Summary.model_validate({**VALUES, "state": state})
    path = summary.path_of(tmp_path, RUN_ID)
    summary.write(written, path)
    found = path.read_text().splitlines()
    assert len(found) == 1 if lines == 1 else len(found) > lines
    assert summary.read(path) == written


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"state": "DONE"},
        {"nodes": {"Trainer": {**NODE, "state": "OK"}}},
        {"models": {"teacher_float64": MODEL}},
        {"surprise": 1},
        {"gates": [{"target": "server"}]},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Summary.model_validate({**VALUES, **change})


def test_every_field_is_documented() -> None:
    page = (REPOSITORY / "docs" / "summary.md").read_text()
    documented = set(re.findall(r"`(\w+)", page))
    assert set(Summary.model_fields) <= documented


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


AT_MOST: dict[str, Any] = {"sign": "<=", "limit": 0.1}


def gate(**changes: Any) -> dict[str, Any]:
    return {**VALUES["gates"][0], **changes}


def test_reports_are_found_through_ml_metadata(store: Store) -> None:
    store.add("SnorkelLabeler", "LabelReport", {"label_report.json": VALUES["labels"]})
    store.add("FeatureSelector", "FeatureReport", {"feature_report.json": {"kept": ["age"]}})
    store.add(
        "Tuner",
        "TunerResults",
        {"tuner_results.json": [{"score": 0.9}], "search.json": {"taken": "0"}},
    )
    store.add("VariantEvaluator", "VariantReport", {"variants.json": {"teacher_pruned": MODEL}})
    gates = [
        gate(),
        gate(metric="gap sex tpr", bound="<= 0.10", **AT_MOST, value=0.134, passed=False),
    ]
    store.add("FairnessGate.server", "GateReport", {"gates.json": gates})
    pushed: dict[str, int | str] = {
        "pushed": 1,
        "pushed_destination": str(store.folder / "serving" / "census" / "17"),
        "pushed_version": "17",
    }
    version = store.folder / "serving" / "census" / "17"
    version.mkdir(parents=True)
    store.add("Pusher.server", "PushedModel", {}, pushed, mlmd.Execution.CACHED)
    opened = open_store(store.folder)
    assert opened is not None
    found = collect(opened.executions(RUN_ID), store.folder, running=True, label_bounds=NO_BOUNDS)
    assert found.labels == VALUES["labels"]
    assert found.features == {"kept": ["age"]}
    assert found.tuner == [{"score": 0.9}]
    assert found.search == {"taken": "0"}
    assert found.models == {"teacher_pruned": MODEL}
    assert [row.metric for row in found.gates] == ["auc", "gap sex tpr"]
    assert (found.pushed["server"].version, found.pushed["server"].path) == (
        17,
        "serving/census/17",
    )
    assert found.pushed["edge"].why == "the run has not come to it yet"
    withdrawn = withdrawn_folder(version.parent)
    withdrawn.mkdir()
    version.rename(withdrawn / "17")
    again = collect(opened.executions(RUN_ID), store.folder, True, NO_BOUNDS).pushed["server"]
    assert (again.version, again.why) == (None, "version 17 was rolled back")
    (withdrawn / "17").rmdir()
    again = collect(opened.executions(RUN_ID), store.folder, True, NO_BOUNDS).pushed["server"]
    assert again.version is None
    assert "its folder" in str(again.why)


def test_the_run_whose_weights_were_started_from(store: Store) -> None:
    start = {"start": "warm", "reason": None, "new_rows": 0.0, "initial_val_loss": 0.4}
    base = str(store.folder / "artifacts" / "Trainer" / "ModelRun")
    store.add("Trainer", "ModelRun", {"training.json": {"start": start, "base_model": base}})
    opened = open_store(store.folder)
    assert opened is not None
    executions = opened.executions(RUN_ID)
    assert base_model(executions) == base
    assert opened.run_of(base) == RUN_ID
    assert opened.run_of("nowhere") is None
    told: dict[str, object] = start | {"notes": [], "mitigation": None}
    assert collect(executions, store.folder, False, NO_BOUNDS).training == told


def test_a_push_whose_version_was_deleted_stands_for_nothing(store: Store) -> None:
    served = store.folder / "serving" / "census"
    for node, number in (("Pusher.server", 17), ("Pusher.edge", 18), ("Pusher", 19)):
        pushed: dict[str, int | str] = {
            "pushed": 1,
            "pushed_destination": str(served / str(number)),
        }
        store.add(node, "PushedModel", {}, pushed)
    store.add("Pusher.other", "PushedModel", {}, {"pushed": 0})
    (served / "17").mkdir(parents=True)
    (withdrawn_folder(served) / "18").mkdir(parents=True)
    opened = open_store(store.folder, writable=True)
    assert opened is not None
    assert forget_deleted(opened) == [19]
    assert forget_deleted(opened) == []
    assert len(opened.artifacts("PushedModel")) == 3


def test_why_a_model_was_not_pushed(store: Store) -> None:
    gates = [
        gate(
            target="edge",
            metric="gap sex tpr",
            bound="<= 0.10",
            **AT_MOST,
            value=0.134,
            passed=False,
        ),
        gate(target="edge", slice="sex=Male", value=0.7, passed=False),
        gate(target="edge", metric="f1", value=None, passed=False),
    ]
    store.add("FairnessGate.edge", "GateReport", {"gates.json": gates})
    store.add("Pusher.edge", "PushedModel", {}, {"pushed": 0})
    store.add("Pusher.server", "PushedModel", {}, {"pushed": 0})
    opened = open_store(store.folder)
    assert opened is not None
    pushed = collect(
        opened.executions(RUN_ID), store.folder, running=False, label_bounds=NO_BOUNDS
    ).pushed
    assert pushed["edge"].why == (
        "gap sex tpr 0.134 > 0.10; auc on sex=Male 0.7 < 0.85; f1 not measurable < 0.85"
    )
    assert pushed["server"].why == "the Evaluator did not bless it"


def test_a_failed_execution_has_no_findings(store: Store) -> None:
    report = {"label_report.json": VALUES["labels"]}
    store.add("SnorkelLabeler", "LabelReport", report, state=mlmd.Execution.FAILED)
    opened = open_store(store.folder)
    assert opened is not None
    found = collect(opened.executions(RUN_ID), store.folder, running=False, label_bounds=NO_BOUNDS)
    assert found.labels is None
    assert found.pushed["server"].why == "the run stopped before it"


def test_what_json_has_no_words_for_becomes_null() -> None:
    values = {"a": float("nan"), "b": [1.0, float("inf")], "c": {"d": 2}}
    assert finite(values) == {"a": None, "b": [1.0, None], "c": {"d": 2}}


def test_runs_are_listed_newest_first_and_killed_ones_told_apart(store: Store) -> None:
    for run_id, state in (("20260101T000000Z", "RUNNING"), (RUN_ID, "COMPLETE")):
        written = Summary.model_validate({**VALUES, "run_id": run_id, "state": state})
        summary.write(written, summary.path_of(store.folder, run_id))
    rows = list_runs(store.folder)
    assert [(row.run_id, row.state) for row in rows] == [
        (RUN_ID, "COMPLETE"),
        ("20260101T000000Z", "INTERRUPTED"),
    ]
    assert rows[0].pushed == ["server"]
    assert read_run(store.folder, None).run_id == RUN_ID


def test_a_run_without_a_summary_is_listed(store: Store) -> None:
    assert [(row.run_id, row.state) for row in list_runs(store.folder)] == [(RUN_ID, "UNKNOWN")]


def test_an_unknown_run_is_an_input_error(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"there is no run 2020 under .*{RUN_ID}"):
        read_run(store.folder, "2020")
    with pytest.raises(InputError, match="no runs there yet"):
        read_run(tmp_path / "nowhere", None)


def test_a_store_that_was_never_finished_holds_no_runs(tmp_path: Path) -> None:
    assert open_store(tmp_path) is None
    (tmp_path / SQLITE).touch()
    assert open_store(tmp_path) is None


def test_numbers_of_rows_stay_whole() -> None:
    written = json.loads(Summary.model_validate(VALUES).model_dump_json())
    model = written["models"]["teacher_pruned"]
    assert repr(model["metrics"]["examples"]) == "16281"
    assert repr(model["slices"]["sex=Female"]["examples"]) == "5421"
