"""Served versions of which ML Metadata knows nothing, or whose files are damaged."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core.errors import InputError
from core.files import digests_of
from core.names import FILES_SHA256
from core.version_record import RECORD_FILE, read_record, version_folders, write_record
from pipeline.ingestion import ledger
from pipeline.metadata.connection import put_context
from pipeline.metadata.data_record import pipeline_context
from pipeline.metadata.gc import plan
from pipeline.metadata.graph import read_graph
from pipeline.metadata.lineage import of_version
from pipeline.metadata.store import Metadata
from pipeline.versions.adopt import adopt_versions, skip_taken_ids
from pipeline.versions.reconcile import forget_damaged, mend_versions
from pipeline.versions.rollback import roll_back
from tests.support.records.summaries import RUN_ID, VALUES
from tests.support.records.versions import NAME, make_version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """<root>/<name> with versions 1, 2 and 3 of the server model, 3 rolled back; no store."""
    folder = tmp_path / NAME
    for number in (1, 2, 3):
        path = make_version(folder, number, RUN_ID if number == 2 else "")
        files = {n: d for n, d in digests_of(path).items() if n != RECORD_FILE}
        record = read_record(path)
        assert record is not None
        write_record(path, replace(record, files=files))
    roll_back(folder, NAME, "server", 2, "bad")
    report = folder / "reports" / RUN_ID / "summary.json"
    report.parent.mkdir(parents=True)
    files = {"span-1/data.csv": "1" * 64, "span-2/data.csv": "2" * 64, "test/data.csv": "3" * 64}
    data = {**VALUES["data"], "files": files}
    report.write_text(json.dumps({**VALUES, "run_id": RUN_ID, "data": data}))
    return folder


@pytest.fixture
def store(folder: Path) -> Metadata:
    return Metadata(folder, writable=True)


@pytest.fixture
def told() -> list[str]:
    return []


def test_versions_of_a_lost_store_are_known_again(
    folder: Path, store: Metadata, told: list[str]
) -> None:
    adopt_versions(store, folder, told.append)
    assert ["version 1" in told[0], "version 2" in told[1], "version 3" in told[2]] == [True] * 3
    models = {model.id: model for model in store.artifacts("Model")}
    for model in models.values():
        serving = Path(model.uri) / "Format-Serving"
        assert serving.is_relative_to(folder / "artifacts" / "Selector.server" / "model")
        noted = json.loads(str(model.properties[FILES_SHA256]))
        assert noted == digests_of(Path(model.uri))
        assert list(noted) == ["Format-Serving/saved_model.pb"]
    blessed = store.artifacts("ModelBlessing")
    assert [b.properties["current_model_id"] for b in blessed] == sorted(models)
    assert [b.properties["blessed"] for b in blessed] == [1, 1, 1]
    pushed = store.artifacts("PushedModel")
    assert [p.properties["pushed_version"] for p in pushed] == ["1", "2", "3"]
    known = version_folders(folder / "serving" / NAME)
    assert [Path(str(p.properties["pushed_destination"])) for p in pushed[:2]] == [*known.values()]
    told.clear()
    adopt_versions(store, folder, told.append)
    assert told == [], "once"


def test_runs_spans_and_lineage_are_known_as_far_as_reports_tell(
    folder: Path, store: Metadata, told: list[str]
) -> None:
    later = f"9{RUN_ID[1:]}"
    store.register_run(later, {})
    adopt_versions(store, folder, told.append)
    assert store.run_ids() == [RUN_ID, later]
    assert store.runs()[RUN_ID]["config_sha256"] == VALUES["config_sha256"]
    assert ledger.read(folder).trained == {
        span: (frozenset([str(span) * 64]), RUN_ID) for span in (1, 2)
    }
    graph = read_graph(store)
    lineage = of_version(graph, folder, "server", None)
    assert lineage.model.run_id == RUN_ID
    nodes = ["Selector.server", "PushGate.server", "Pusher.server"]
    assert [step.node for step in lineage.steps] == nodes
    assert plan(graph, folder, 1) == [], "gc keeps what is behind versions"
    shutil.rmtree(folder / "serving" / NAME / "1")
    assert {r.path.name for r in plan(graph, folder, 1)} == {"version-1"}


def test_files_that_are_gone_are_taken_from_what_is_served(
    folder: Path, store: Metadata, told: list[str]
) -> None:
    adopt_versions(store, folder, told.append)
    told.clear()
    shutil.rmtree(folder / "artifacts")
    forget_damaged(store, told.append)
    assert [text.endswith("is gone; that model is no longer gone by") for text in told] == [
        True
    ] * 3
    assert store.artifacts("Model") == []
    told.clear()
    adopt_versions(store, folder, told.append)
    assert len(told) == len(store.artifacts("Model")) == 3


def test_a_run_that_was_cut_off_after_its_push_goes_on_by_itself(
    folder: Path, store: Metadata, told: list[str]
) -> None:
    store.register_run(RUN_ID, {})
    run = store.store.get_context_by_type_and_name("pipeline_run", RUN_ID)
    trainer = mlmd.Context(name=f"{NAME}.Trainer")
    put_context(store.store, mlmd.ContextType(name="node"), trainer)
    kind = store.store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    execution = mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.COMPLETE)
    store.store.put_execution(execution, [], [run, trainer, pipeline_context(store.store, NAME)])
    adopt_versions(store, folder, told.append)
    assert [text.partition(":")[0] for text in told] == ["server version 1", "server version 3"]


def test_damaged_versions_are_put_right_or_no_longer_gone_by(
    folder: Path, store: Metadata, told: list[str]
) -> None:
    adopt_versions(store, folder, told.append)
    told.clear()
    live = folder / "serving" / NAME / "2"
    [push] = [a for a in store.artifacts("PushedModel") if a.properties["pushed_version"] == "2"]
    shutil.copy(live / "saved_model.pb", Path(push.uri))
    for damaged in (b"graph 3", b"", None):
        (live / "saved_model.pb").unlink()
        if damaged is not None:
            (live / "saved_model.pb").write_bytes(damaged)
        mend_versions(store, folder, told.append)
        assert (live / "saved_model.pb").read_text() == "graph 2"
    assert [text.startswith(f"{live}/saved_model.pb is ") for text in told] == [True] * 3
    told.clear()
    shutil.rmtree(push.uri)
    (live / "saved_model.pb").write_text("graph 9")
    mend_versions(store, folder, told.append)
    message = f"{live}/saved_model.pb is damaged; this version of the server model is no longer"
    assert [text.startswith(message) for text in told] == [True]
    assert push.id not in {artifact.id for artifact in store.artifacts("PushedModel")}


def test_no_rollback_to_a_damaged_version(folder: Path) -> None:
    (folder / "serving" / NAME / "1" / "saved_model.pb").write_text("graph 0")
    with pytest.raises(InputError, match=r"version 1 cannot be served: .*\.pb is damaged"):
        roll_back(folder, NAME, "server", 1, None)
    assert list(version_folders(folder / "serving" / NAME)) == [1, 2]


@pytest.mark.parametrize("there", [[], [3], [3, 41, 1_790_000_000_000]])
def test_ids_of_outputs_that_are_there_are_passed_over(
    folder: Path, store: Metadata, told: list[str], there: list[int]
) -> None:
    for number in there:
        (folder / "artifacts" / "Make" / "examples" / str(number)).mkdir(parents=True)
    skip_taken_ids(folder)
    adopt_versions(store, folder, told.append)
    ids = [execution.id for execution in store.executions(RUN_ID)]
    assert min(ids) > max([0, *(number for number in there if number < 100)])
    assert max(ids) < 100
