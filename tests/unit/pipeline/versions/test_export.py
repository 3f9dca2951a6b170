"""`export` writes a client of a pushed edge version, whole or not at all."""

import json
from pathlib import Path

import pytest

from core.errors import InputError
from core.targets import EDGE
from models.bundle.manifest import manifest_of
from models.export.clients.delivered import WEB_FILES
from pipeline.cli.main import main
from pipeline.versions.export import FORMS, export_client
from tests.support.records.versions import NAME, make_version

TOLD = {"text": {"columns": ["note"]}, "numeric": [], "categorical": [], "classes": ["no", "yes"]}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A version whose model is no model, under `root`."""
    path = make_version(tmp_path / "root" / NAME, 7, target=EDGE.name)
    (path / "tflite").write_bytes(b"model")
    (path / "preprocessing.json").write_text(json.dumps(TOLD))
    (path / "training_rows.json").write_text("{}")
    return path


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("python", ["cells.py", "preprocessing.json", "run.py", "tflite"]),
        ("web", sorted([*WEB_FILES, "preprocessing.json", "tflite"])),
    ],
)
def test_the_files_of_each_form(bundle: Path, tmp_path: Path, form: str, files: list[str]) -> None:
    assert export_client(bundle, form, tmp_path / "out") == files
    assert (tmp_path / "out" / "tflite").read_bytes() == b"model"
    (bundle / "manifest.json").write_text(json.dumps(manifest_of(bundle, {})))
    assert "manifest.json" in export_client(bundle, form, tmp_path / "with_manifest")
    assert set(FORMS) == {"python", "web", "c99"}


def test_a_form_that_cannot_express_the_bundle_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not texts \(note\): leave them out"):
        export_client(bundle, "c99", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


@pytest.mark.parametrize("form", ["python", "web", "c99"])
@pytest.mark.parametrize("file", ["tflite", "preprocessing.json"])
@pytest.mark.parametrize("manifest", [True, False])
def test_a_damaged_bundle_is_not_passed_on(
    bundle: Path, tmp_path: Path, form: str, file: str, manifest: bool
) -> None:
    (bundle / "preprocessing.json").write_text(json.dumps({**TOLD, "text": {}}))
    if manifest:
        (bundle / "manifest.json").write_text(json.dumps(manifest_of(bundle, {})))
        (bundle / file).write_bytes(b"other")
    else:
        (bundle / file).unlink()
    with pytest.raises(InputError, match=rf"{file}: damaged: .*copy the bundle anew"):
        export_client(bundle, form, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["root"]


def test_a_file_that_ends_early_is_told(bundle: Path, tmp_path: Path) -> None:
    (bundle / "preprocessing.json").write_text(json.dumps({**TOLD, "text": {}}))
    (bundle / "tflite").write_bytes((1000).to_bytes(4, "little") + b"TFL3")
    with pytest.raises(InputError, match="tflite: damaged: it ends early"):
        export_client(bundle, "c99", tmp_path / "out")


def test_a_folder_in_use_is_left_alone(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(InputError, match="not an empty folder; name another"):
        export_client(bundle, "web", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]
    with pytest.raises(InputError, match="there is no folder"):
        export_client(bundle, "web", tmp_path / "none" / "out")


def test_a_folder_that_cannot_be_made_is_told(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match=r"--output /proc/x: cannot be written: No such file"):
        export_client(bundle, "web", Path("/proc/x"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert "run.py" in export_client(bundle, "python", Path())


def test_the_verb_takes_the_live_version_and_says_what_it_wrote(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--root", str(tmp_path / "root"), "--format", "web"]
    assert main(["export", *root, "--output", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith("edge version 7: edge.js, index.html")
    assert main(["export", *root, "--output", str(tmp_path / "x"), "--version", "6"]) == 2
    assert "no version 6" in capsys.readouterr().err
