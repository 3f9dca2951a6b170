"""`retrain` on the command line, over the pipeline of mini_dag.py: decisions, log, exit codes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core import lock
from core.errors import InputError
from core.version_record import VersionRecord, write_record
from pipeline.cli.main import main
from pipeline.config.load import load
from pipeline.ingestion import ledger
from pipeline.retraining import records
from pipeline.retraining.records import Decision, RecordedOutcome
from pipeline.retraining.span_rows import read_requests
from pipeline.run import environment
from tests.support.mini_run import build
from tests.support.tiny_data import ROWS, table, write_config, write_raw


@dataclass
class Retrain:
    """Calls of `retrain` under one root."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def raw(self) -> Path:
        return self.folder / "raw"

    @property
    def run_folder(self) -> Path:
        return self.folder / "runs" / "tiny"

    def __call__(self, *flags: str) -> tuple[int, dict[str, Any]]:
        config = str(self.folder / "tiny.yaml")
        where = ["--config", config, "--root", str(self.folder / "runs"), "--json"]
        self.capsys.readouterr()
        code = main(["retrain", *where, *flags], build)
        out = self.capsys.readouterr().out
        return code, json.loads(out) if out else {}

    @property
    def runs(self) -> list[Path]:
        return sorted(self.run_folder.glob("reports/*"))


@pytest.fixture
def retrain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Retrain:
    environment.prepare()
    monkeypatch.setenv("MINI_WORK", "finish")
    write_raw(tmp_path)
    write_config(tmp_path)
    return Retrain(tmp_path, capsys)


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(retrain: Retrain) -> None:
    code, said = retrain("--dry-run", "--now", "2026-03-01T03:00:00+01:00")
    assert code == 0
    decision = Decision.model_validate(said["decision"])
    assert (decision.action, decision.spans) == ("run", [1, 2])
    assert decision.reasons == ["model: no server and no edge model is served yet"]
    assert decision.at == datetime(2026, 3, 1, 2, tzinfo=UTC)
    assert {e.kind: e.state for e in decision.evidence[1:] if e.state != "unknown"} == {
        "repeats": "quiet"
    }
    assert not retrain.run_folder.exists()


def test_what_ran_and_was_not_pushed_is_not_run_again_until_something_changes(
    retrain: Retrain,
) -> None:
    code, said = retrain()
    assert (code, said["decision"]["action"], len(retrain.runs)) == (3, "run", 1)
    assert said["pushed"]["server"]["version"] is None
    code, again = retrain()
    assert (code, again["decision"]["action"], len(retrain.runs)) == (3, "blocked", 1)
    assert again["decision"]["reasons"][0].startswith("blocked already by server: ")
    assert retrain("--dry-run")[0] == 3
    operated = retrain("--set", "schedule.cron=0 4 * * *", "--set", "metrics.textfile=/no/a.prom")
    assert (operated[0], operated[1]["decision"]["action"], len(retrain.runs)) == (3, "blocked", 1)

    log = records.read(retrain.run_folder)
    assert [decision.action for decision in log.decisions] == ["run", "blocked", "blocked"]
    run_id = retrain.runs[0].name
    assert log.decision_of(run_id) == log.decisions[0]
    config = mlmd.ConnectionConfig()
    config.sqlite.filename_uri = str(retrain.run_folder / "metadata.sqlite")
    run = MetadataStore(config).get_context_by_type_and_name("pipeline_run", run_id)
    noted = run.custom_properties["retrain_reasons"].string_value
    assert noted == "model: no server and no edge model is served yet"

    (retrain.raw / "span-3").mkdir()
    (retrain.raw / "span-3" / "data.csv").write_text(table(ROWS, 5 * ROWS))
    code, new = retrain()
    assert (code, new["decision"]["spans"], len(retrain.runs)) == (3, [1, 2, 3], 2)


def test_what_goes_wrong_after_the_run_does_not_change_how_it_ended(
    retrain: Retrain, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = records.append

    def full(folder: Path, line: Decision | RecordedOutcome) -> None:
        if isinstance(line, RecordedOutcome):
            raise OSError("the disk is full")
        append(folder, line)

    monkeypatch.setattr(records, "append", full)
    warned: list[str] = []
    monkeypatch.setattr("pipeline.cli.retrain.print_warnings", lambda out, w: warned.extend(w))
    code, _ = retrain()
    assert (code, len(retrain.runs)) == (3, 1)
    doubt, recording = warned
    assert doubt.startswith("labeling.gates.max_error_gap: decides nothing"), "before the run"
    assert recording == "the outcome of the decision is not recorded: OSError: the disk is full"


def test_a_run_that_broke_is_tried_again(retrain: Retrain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINI_WORK", "user code")
    assert retrain()[0] == 1
    monkeypatch.setenv("MINI_WORK", "input error")
    assert retrain()[0] == 2
    assert len(retrain.runs) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--now", "soon"], "--now soon: not a time like"),
        (["--set", "retrain.max_label_shift=2"], "retrain.max_label_shift: 2 is not allowed"),
        (["--set", "data.hold_back_spans=[1, 2]"], "every span is held back"),
    ],
)
def test_bad_input_exits_with_2(
    retrain: Retrain, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
) -> None:
    config = str(retrain.folder / "tiny.yaml")
    where = ["--config", config, "--root", str(retrain.folder / "runs")]
    assert main(["retrain", *where, *flags], build) == 2
    assert message in capsys.readouterr().err
    assert not retrain.run_folder.exists()


def test_accepted_spans_are_added_to_those_of_the_configuration(retrain: Retrain) -> None:
    for span in ("span-3", "span-4"):
        (retrain.raw / span).mkdir()
        (retrain.raw / span / "data.csv").write_text(table(ROWS))
    flags = ("--dry-run", "--set", "data.accept_spans=[3]")
    assert retrain(*flags)[1]["decision"]["spans"] == [1, 2, 3]
    assert retrain(*flags, "--accept-span", "4")[1]["decision"]["spans"] == [1, 2, 3, 4]


def test_while_a_run_is_under_way_nothing_is_decided(retrain: Retrain) -> None:
    retrain.run_folder.mkdir(parents=True)
    with lock.hold(retrain.run_folder / lock.FILE):
        assert retrain() == (1, {})
    assert records.read(retrain.run_folder).decisions == []


def test_a_decision_of_before_is_read(tmp_path: Path) -> None:
    measured = {"name": "age jensen_shannon_divergence", "value": 0.2, "bound": 0.1,
                "exceeded": True, "key": "schema.pbtxt: age: drift_comparator"}  # fmt: skip
    line = {
        "line": "decision", "format": 1, "id": "1", "at": "2026-01-02T03:04:05Z",
        "config": "census", "config_sha256": "c", "code_sha256": "d", "contract_sha256": "f",
        "action": "run", "reasons": ["drift: far"], "spans": [1], "files": {},
        "evidence": [{"kind": "drift", "state": "reason", "message": "far",
                      "measurements": [measured]}],
        "held_back": [{"span": 2, "kind": "incomplete", "message": "no marker"}],
    }  # fmt: skip
    path = tmp_path / records.FILE
    path.parent.mkdir()
    path.write_text(json.dumps(line) + "\n")
    [decision] = records.read(tmp_path).decisions
    [found] = decision.evidence[0].measurements
    assert (found.value, found.feature, found.span) == (0.2, None, None)
    assert decision.held_back[0].span == 2
    records.append(tmp_path, decision)
    assert records.read(tmp_path).decisions == [decision, decision]


def test_the_log_keeps_whole_lines(tmp_path: Path) -> None:
    outcome = RecordedOutcome(
        id="1", run_id="r", state="FAILED", pushed={"server": None}, why={}, exit_code=1
    )
    records.append(tmp_path, outcome)
    with open(tmp_path / records.FILE, "a") as file:
        file.write('{"line": "outcome", "id": "2"')  # the disk was full
    records.append(tmp_path, outcome.model_copy(update={"id": "3"}))
    assert list(records.read(tmp_path).outcomes) == ["1", "3"]
    with open(tmp_path / records.FILE, "a") as file:
        file.write('{"line": "decision", "id": 4}\n')
    with pytest.raises(InputError, match=r"decisions.jsonl: a line is not of this log: .*move it"):
        records.read(tmp_path)


def test_a_ledger_before_the_first_run_is_empty(tmp_path: Path) -> None:
    assert ledger.read(tmp_path).trained == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no requests in it"),
        ("[1]\n", "not a JSON object"),
        ('{"age": 1\n', "not JSON"),
        ('{"x": 1}\n', "none of the columns age, hours, job"),
        ('{"age": "old"}\n', "'old' is not a whole number"),
    ],
)
def test_a_log_that_cannot_be_read_is_said(retrain: Retrain, text: str, message: str) -> None:
    path = retrain.folder / "log.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_requests(path, load(str(retrain.folder / "tiny.yaml")))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log.jsonl", '{"age": 1}\n\n{"age": 2, "job": null, "x": 3}\n{"age": 3, "job": "cook"}\n'),
        ("log.csv", "x,age,job\n0,1,\n0,2,\n0,3,cook\n"),
    ],
)
def test_the_newest_requests_are_read(retrain: Retrain, name: str, text: str) -> None:
    path = retrain.folder / name
    path.write_text(text)
    config = load(str(retrain.folder / "tiny.yaml"), ["retrain.request_rows=2"])
    rows = read_requests(path, config)
    assert rows.table.to_dict("list") == {"age": ["2", "3"], "job": ["", "cook"]}
    [batch] = rows.batches()
    assert batch.num_rows == 2


def test_a_damaged_live_version_is_a_reason_to_run_and_not_asked(retrain: Retrain) -> None:
    served = retrain.run_folder / "serving" / "tiny" / "17"
    served.mkdir(parents=True)
    (served / "saved_model.pb").write_bytes(b"garbled")
    files = {"saved_model.pb": "0" * 64}
    write_record(served, VersionRecord("", "2026-01-02T03:04:05Z", "digest", files=files))
    code, found = retrain("--dry-run")
    assert (code, found["decision"]["action"]) == (0, "run")
    assert f"{served}/saved_model.pb is damaged" in found["decision"]["reasons"][0]
    assert retrain()[1]["decision"]["reasons"] == found["decision"]["reasons"]
