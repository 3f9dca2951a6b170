"""What ships when a Selector chooses: by the limits, by a name, and where nothing keeps them."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support.e2e.runs import RESOLVERS, Ran, Record, run_smoke, summary

AUTO = ("--set", "quantizer.variant=auto")
FLOAT16 = ("--set", "selection.edge.max_auc_loss=null", "--set", "selection.edge.prefer=quality")
NONE = ("--set", "selection.edge.max_bytes=1", "--set", "selection.server.variant=teacher")


@pytest.fixture(scope="module")
def copy(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one run, whose variants were fixed."""
    return Path(shutil.copytree(kept, tmp_path_factory.mktemp("selection") / "copy"))


@pytest.fixture(scope="module")
def chosen(copy: Path) -> Ran:
    """A run whose edge variant is chosen by its quality."""
    ran = run_smoke(copy, *AUTO, *FLOAT16)
    assert ran.finished.returncode == 0, ran.finished.stdout
    return ran


@pytest.fixture(scope="module")
def careful(copy: Path, chosen: Ran) -> Ran:
    """A run in which no edge variant keeps the limits, and the server ships the teacher itself."""
    ran = run_smoke(copy, *AUTO, *NONE)
    assert ran.finished.returncode == 0, ran.finished.stdout
    return ran


def test_the_choice_is_made_on_the_frontier_of_the_eval_rows(copy: Path, chosen: Ran) -> None:
    written = summary(copy, chosen.run_id)
    choice = written["choices"]["edge"]
    assert (choice["asked"], choice["prefer"], choice["keeps_limits"]) == ("auto", "quality", True)
    assert written["targets"] == {"server": "teacher_pruned", "edge": choice["variant"]}
    front = {v["measured"]["name"]: v for v in choice["variants"] if v["dominated_by"] is None}
    assert choice["variant"] in front
    best = min((v["measured"] for v in front.values()), key=lambda v: v["auc_loss"])
    alike = [best["name"], *best["tied"]]
    assert choice["variant"] in alike
    rows = written["data"]["rows"]
    assert 0 < choice["rows"] <= rows["eval"] < rows["test"]
    ran = {n for n, s in Record(copy).states(chosen.run_id).items() if s == "COMPLETE"}
    edge = {"Evaluator.edge", "FairnessGate.edge", "PushGate.edge", "ModelCard.edge", "Pusher.edge"}
    assert ran - RESOLVERS <= {"Selector.edge", *edge}
    assert "Selector.edge" in ran
    bundle = copy / "smoke" / written["pushed"]["edge"]["path"]
    assert json.loads((bundle / "preprocessing.json").read_text())["variant"] == choice["variant"]


def test_what_nothing_keeps_is_said_and_the_best_ships(copy: Path, careful: Ran) -> None:
    written = summary(copy, careful.run_id)
    choice = written["choices"]["edge"]
    lost = {v["measured"]["name"]: v["measured"]["auc_loss"] for v in choice["variants"]}
    assert lost[choice["variant"]] == min(lost.values())
    [note] = [note for note in written["notes"] if "no variant keeps the limits" in note]
    assert note.startswith("edge: no variant keeps the limits (student: bytes ")
    assert note in " ".join(careful.finished.stdout.split("\n"))


def test_a_teacher_that_ships_is_not_held_against_itself(copy: Path, careful: Ran) -> None:
    written = summary(copy, careful.run_id)
    assert written["targets"]["server"] == "teacher"
    pushed = written["pushed"]["server"]
    assert pushed["version"] is not None
    assert not pushed["already_live"]
    of_server = [gate for gate in written["gates"] if gate["target"] == "server"]
    assert all(gate["passed"] for gate in of_server)
    assert not [gate for gate in of_server if "teacher" in gate["metric"]]
    [differ] = [gate for gate in of_server if gate["metric"] == "answers differ"]
    assert differ["value"] < 1e-5
    against = [gate for gate in of_server if "against live, before" in gate["metric"]]
    assert against, "it is compared with the pruned teacher that is live"
    where = ["--config", "smoke", "--root", str(copy)]
    assert main(["lineage", "server", *where]) == 0
    assert main(["card", "server", *where]) == 0


def test_a_damaged_bundle_is_named_by_who_loads_it(
    copy: Path, careful: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = summary(copy, careful.run_id)
    bundle = copy / "smoke" / written["pushed"]["edge"]["path"]
    (bundle / "version.json").unlink()  # what else tells of damage
    path = bundle / "preprocessing.json"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"student", b"student_", 1))
    [rows] = copy.glob("smoke/staged/*/test/data.csv")
    capsys.readouterr()
    ask = [
        "predict",
        "--target",
        "edge",
        "--input",
        str(rows),
        "--output",
        str(tmp_path / "out.csv"),
    ]
    code = main([*ask, "--config", "smoke", "--root", str(copy)])
    path.write_bytes(before)
    printed = "".join(capsys.readouterr())
    assert code == 2, printed
    assert f"{path}: damaged: its SHA-256 is " in printed.replace("\n", "")
