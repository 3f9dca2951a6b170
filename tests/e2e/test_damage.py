"""A root that was moved, a lost store, damaged files: each on a copy of the root after one run."""

import shutil
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support.e2e.runs import NODES, RESOLVERS, Record, run_smoke, summary, versions


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    """A root with one run."""
    shutil.copytree(kept, tmp_path / "copy")
    return tmp_path / "copy"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def test_a_moved_root_is_as_good_as_the_one_before(
    root: Path, copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, root = root, copy.rename(tmp_path / "an other 'root' é")
    [first] = versions(root / "smoke", "serving")
    where = ["--config", "smoke", "--root", str(root)]
    verbs = (["lineage", "server"], ["models"], ["gc", "--keep", "10"], ["retrain", "--dry-run"])
    for verb in (*verbs, ["report"]):  # a page has commands to be typed where it was made
        assert main([*verb, *where]) in (0, 3), verb
        assert f"{before}/" not in capsys.readouterr().out
    ran = run_smoke(root)
    assert ran.finished.returncode == 0, ran.finished.stdout
    states = Record(root).states(ran.run_id)
    assert {node for node, state in states.items() if state != "CACHED"} == RESOLVERS
    assert set(states) == NODES
    assert versions(root / "smoke", "serving") == [first]
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 50
    assert [path for path in files if f"{before}/".encode() in path.read_bytes()] == []


def test_a_lost_store_leaves_what_is_served_to_be_compared_with(copy: Path) -> None:
    folder = copy / "smoke"
    [first] = (path.parent for path in folder.glob("reports/*/summary.json"))
    for path in folder.glob("metadata.sqlite*"):
        path.unlink()
    shutil.rmtree(folder / "artifacts" / "Selector.edge")
    served = {kind: versions(folder, kind) for kind in ("serving", "edge")}
    ran = run_smoke(copy, "--set", "distiller.temperature=3.0")
    assert ran.finished.returncode == 0, ran.finished.stdout
    written = summary(copy, ran.run_id)
    assert len(written["damaged"]) == 2
    assert written["pushed"]["server"]["already_live"]
    assert written["pushed"]["server"]["version"] == int(served["serving"][0])
    assert written["push_checks"]["edge"]["live_version"] == int(served["edge"][0])
    assert "against live" in " ".join(gate["metric"] for gate in written["gates"])
    assert versions(folder, "edge") == [*served["edge"], str(written["pushed"]["edge"]["version"])]
    assert first.name < ran.run_id
    assert main(["rollback", "edge", "--config", "smoke", "--root", str(copy)]) == 0
    assert versions(folder, "edge") == served["edge"]
    assert main(["lineage", "edge", "--config", "smoke", "--root", str(copy)]) == 0


def test_flipped_bits_are_named_and_made_anew(copy: Path) -> None:
    folder = copy / "smoke"
    flipped = [
        *folder.glob("artifacts/VariantEvaluator/variant_report/*/variants.json"),
        *folder.glob("artifacts/Evaluator.edge/evaluation/*/metrics-*"),
        *folder.glob("serving/smoke/*/saved_model.pb"),
        *folder.glob("edge/smoke/*/tflite"),
    ]
    assert len(flipped) == 4
    before = {path: path.read_bytes() for path in flipped}
    for path in flipped:
        flip(path)
    ran = run_smoke(copy)
    assert ran.finished.returncode == 0, ran.finished.stdout
    told = summary(copy, ran.run_id)["damaged"]
    assert {path for path in flipped if any(f"{path} is damaged" in text for text in told)} == {
        *flipped
    }
    for path in flipped[2:]:
        assert path.read_bytes() == before[path], "what is served is put right"
    first, again = summary(copy, Record(copy).runs()[0]), summary(copy, ran.run_id)
    for name, model in first["models"].items():
        same = {key: model[key] for key in ("metrics", "slices", "gaps")}
        assert {key: again["models"][name][key] for key in same} == same
    states = Record(copy).states(ran.run_id)
    assert states["Trainer"] == states["Quantizer"] == states["Transform"] == "CACHED"
    assert states["VariantEvaluator"] == states["Evaluator.edge"] == "COMPLETE"
