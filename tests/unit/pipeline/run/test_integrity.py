"""Digests of an artifact's files: what is noted of them, and which damage they show."""

import json
from pathlib import Path

import pytest
from tfx.proto.orchestration import execution_result_pb2

from core.names import FILES_SHA256
from pipeline.metadata import damage
from pipeline.metadata.damage import damage_of, digests_as_text
from pipeline.run.integrity import note_digests


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "census" / "artifacts" / "Node" / "output" / "1"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "one").write_bytes(b"1" * 1000)
    (folder / "empty").touch()
    return folder


@pytest.fixture(params=["each file", "all at once"])
def noted(request: pytest.FixtureRequest, artifact: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "all at once":
        monkeypatch.setattr(damage, "_LONGEST", 10)
    return digests_as_text(artifact)


def test_whole_files_pass(artifact: Path, noted: str) -> None:
    assert damage_of(str(artifact), noted) is None


@pytest.mark.parametrize("content", [b"", b"1" * 999, b"1" * 999 + b"0", b"1" * 1001, None])
def test_damage_is_found(artifact: Path, noted: str, content: bytes | None) -> None:
    (artifact / "sub" / "one").unlink()
    if content is not None:
        (artifact / "sub" / "one").write_bytes(content)
    found = damage_of(str(artifact), noted)
    assert found is not None
    assert str(artifact) in found


def test_the_damaged_file_is_named(artifact: Path) -> None:
    noted = digests_as_text(artifact)
    (artifact / "empty").write_bytes(b"x")
    assert damage_of(str(artifact), noted) == f"{artifact / 'empty'} is damaged"
    (artifact / "empty").unlink()
    assert damage_of(str(artifact), noted) == f"{artifact / 'empty'} is gone"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    for noted in ("", "{}"):
        assert damage_of(str(tmp_path / "gone"), noted) == f"{tmp_path / 'gone'} is gone"
    assert damage_of(str(tmp_path), "") is None, "made before digests were noted"


@pytest.mark.parametrize("name", ["census", 'zählung "[1]"'])
def test_files_of_json_name_the_run_folder_no_more(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    artifact = folder / "artifacts" / "Evaluator" / "evaluation" / "1"
    artifact.mkdir(parents=True)
    told = {"model": f"{folder}/artifacts/Trainer/model/1", "other": "/elsewhere/x"}
    (artifact / "eval_config.json").write_text(json.dumps(told))
    output = execution_result_pb2.ExecutorOutput()
    made = output.output_artifacts["evaluation"].artifacts.add(uri=str(artifact))
    note_digests(output, folder)
    written = json.loads((artifact / "eval_config.json").read_text())
    assert written == {"model": "artifacts/Trainer/model/1", "other": "/elsewhere/x"}
    assert damage_of(str(artifact), made.custom_properties[FILES_SHA256].string_value) is None
