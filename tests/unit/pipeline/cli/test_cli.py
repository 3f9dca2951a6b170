"""The command line: what it reads is fast, what it prints is readable, its exit codes."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from core.files import REPOSITORY
from pipeline.cli.main import VERBS, main
from pipeline.report import summary
from pipeline.report.display import print_failure, print_results
from pipeline.report.summary import Summary
from pipeline.run.failures import Failure
from tests.support.records.one_run import Store
from tests.support.records.summaries import RUN_ID, VALUES

PROBE = """
import sys
from pipeline.cli.main import main
code = 0
try:
    code = main(sys.argv[1:])
except SystemExit as error:
    code = error.code
heavy = {"tensorflow", "tfx", "apache_beam", "torch", "pandas"} & set(sys.modules)
assert not heavy, heavy
sys.exit(code)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one run of the census configuration."""
    folder = tmp_path / "census"
    folder.mkdir()
    Store(folder)
    summary.write(Summary.model_validate(VALUES), summary.path_of(folder, RUN_ID))
    return tmp_path


@pytest.mark.parametrize(
    "verb",
    [["runs"], ["models"], ["show"], ["show", RUN_ID, "--json"], ["why", "edge"], ["--help"]],
)
def test_reading_takes_less_than_two_seconds_and_no_tensorflow(root: Path, verb: list[str]) -> None:
    where = [] if verb == ["--help"] else ["--root", str(root)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *verb, *where],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    assert cpu < (1 if verb == ["--help"] else 2), "CPU seconds"


def test_help_lists_every_verb_and_imports_the_module_of_none() -> None:
    code = (
        "import sys; from pipeline.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally: print({m for m in sys.modules if m.startswith('pipeline.cli.')})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    *shown, imported = done.stdout.splitlines()
    for verb, (_, what) in VERBS.items():
        assert any(line.split() == [verb, *what.split()] for line in shown), verb
    assert imported in (
        "{'pipeline.cli.main', 'pipeline.cli.common'}",
        "{'pipeline.cli.common', 'pipeline.cli.main'}",
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([verb, "--help"])
    assert f"usage: python -m pipeline {verb} [-h]" in capsys.readouterr().out


def test_a_mistyped_verb_is_named_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["rum"])
    assert "invalid choice: 'rum' (choose from 'run', 'schedule', " in capsys.readouterr().err


def test_show_prints_nodes_gates_models_and_versions(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", RUN_ID, "--root", str(root)]) == 0
    out = capsys.readouterr().out
    assert "Trainer              RAN         13.4 s" in out
    assert "to change: --set KEY=VALUE" in out
    assert "evaluation.server.min.auc" in out
    assert "teacher_pruned" in out
    assert "server: version 1767323045 pushed to serving/census/1767323045" in out
    assert "edge: not pushed: gap sex tpr 0.13 > 0.10" in out


def test_json_is_the_summary(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--json", "--root", str(root)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert Summary.model_validate(shown) == Summary.model_validate(VALUES)
    assert main(["runs", "--json", "--root", str(root)]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["run_id"], row["state"], row["pushed"]) == (RUN_ID, "COMPLETE", ["server"])


def test_no_runs_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--root", str(tmp_path)]) == 0
    assert "no runs under" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "2020"], "there is no run 2020"),
        (["runs", "--set", "trainer.sparsity=1.5"], "give a number >= 0 and < 1"),
        (["run", "--config", "nowhere"], "there is no configuration 'nowhere'"),
        (["run", "--set", "trainer.sparsty=0.1"], "the nearest is 'trainer.sparsity'"),
    ],
)
def test_input_errors_exit_with_2(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([*arguments, "--root", str(root)]) == 2
    assert message in capsys.readouterr().err


def test_a_failure_is_printed_whole_on_its_lines() -> None:
    out = Console(width=40, record=True)
    cause = "[3] a message that is longer than the console is wide"
    failure = Failure(node="Trainer", cause=cause, code="models/x.py:3 in fit", resume="again")
    print_failure(out, failure)
    lines = out.export_text().splitlines()
    assert lines[0] == f"Trainer failed: {cause}"
    assert lines[1:] == ["  at models/x.py:3 in fit", "  to go on: again"]


def test_no_cell_of_the_tables_is_cut_off() -> None:
    out = Console(width=80, record=True)
    print_results(out, Summary.model_validate(VALUES))
    text = out.export_text()
    assert "…" not in text
    assert "evaluation" in text


def test_a_signal_before_the_first_node_ends_the_run(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "run", "--config", "census"]
    process = subprocess.Popen(
        [*command, "--root", str(tmp_path)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "staging the data\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 128 + signal.SIGTERM
    assert main(["runs", "--root", str(tmp_path)]) == 0


def test_faults_of_labelling_functions_are_printed_with_the_results() -> None:
    finding = {
        "severity": "error",
        "kind": "constant",
        "function": "lf_gain",
        "message": "votes [1] everywhere",
        "action": "drop it",
    }
    labels = {**VALUES["labels"], "findings": [finding]}
    out = Console(width=80, record=True)
    print_results(out, Summary.model_validate({**VALUES, "labels": labels}))
    lines = out.export_text().splitlines()
    assert lines[:2] == ["error: lf_gain votes [1] everywhere", "  to do: drop it"]


def test_training_checks_and_a_model_that_was_live_are_printed() -> None:
    training = {"start": "warm", "from_run": "20250101T000000Z", "reason": None,
                "new_rows": 0.25, "initial_val_loss": 0.4}  # fmt: skip
    checks = {"sample_rows": 100, "latency_ms": 0.5, "live_version": 17,
              "compared_on": "60 labelled rows of span 2", "problem": None}  # fmt: skip
    values = {**VALUES, "training": training, "push_checks": {"server": checks}}
    values["pushed"] = {
        "server": {"version": 17, "path": "serving/census/17", "already_live": True},
        "edge": {"version": None, "why": "this model was rolled back as version 3 (slow)"},
    }
    out = Console(width=140, record=True)
    print_results(out, Summary.model_validate(values))
    text = out.export_text()
    assert "training: warm, from run 20250101T000000Z; 25.0% of the embedding rows are new" in text
    assert "server: compared with live version 17 on 60 labelled rows of span 2" in text
    assert "server: already live as version 17 in serving/census/17" in text
    assert "edge: not pushed: this model was rolled back as version 3 (slow)" in text
