"""The manifest of an edge bundle: what it says, and that a damaged file is named."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.files import REPOSITORY, sha256_of
from core.names import PREPROCESSING_FILE
from models.bundle.manifest import check_bundle, inputs_sha256
from models.export.device import load_interpreter, read_bundle
from models.export.model_content import content_sha256
from models.frontier.edge_candidates import write_bundle


@pytest.fixture
def bundle(tiny_nodes: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_nodes / "edge" / "Format-Serving", tmp_path / "bundle"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)


def test_it_names_each_file_and_what_made_it(bundle: Path) -> None:
    told = json.loads((bundle / "manifest.json").read_text())
    assert told["format"] == 1
    assert told["variant"] == "student_int8"
    assert {*told["files"]} == {"tflite", "preprocessing.json"}
    for name, of_file in told["files"].items():
        assert of_file == {
            "bytes": (bundle / name).stat().st_size,
            "sha256": sha256_of(bundle / name),
        }
    document = json.loads((bundle / "preprocessing.json").read_text())
    assert told["preprocessing_format"] == document["format"]
    assert told["inputs_sha256"] == inputs_sha256(document)
    assert told["made_by"]["tflite_schema"] == 3
    assert told["made_by"]["tensorflow"].startswith("2.")
    assert set(told["made_by"]["min_runtime"]) <= set("0123456789.")


def test_all_variants_of_a_student_have_the_same_inputs(
    tiny_nodes: Path, bundle: Path, tmp_path: Path
) -> None:
    write_bundle(tiny_nodes / "variants", "student", tmp_path / "other")
    folders = (bundle, tmp_path / "other")
    first, other = (json.loads((each / "manifest.json").read_text()) for each in folders)
    assert first["variant"] != other["variant"]
    assert first["inputs_sha256"] == other["inputs_sha256"]
    document = json.loads((bundle / "preprocessing.json").read_text())
    document["numeric"][0]["boundaries"][0] += 1
    assert inputs_sha256(document) != first["inputs_sha256"]


@pytest.mark.parametrize("name", ["tflite", "preprocessing.json"])
def test_a_damaged_file_is_named(bundle: Path, name: str) -> None:
    check_bundle(bundle)
    flip(bundle / name)
    with pytest.raises(InputError, match=f"{bundle / name}: damaged: its SHA-256 is ") as told:
        read_bundle(bundle)
    assert "\n" not in str(told.value)
    (bundle / name).unlink()
    with pytest.raises(InputError, match=r"it is gone, and manifest\.json names it"):
        read_bundle(bundle)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"tflite": 3}}', '{"files": []}'])
def test_a_manifest_that_is_none_is_named(bundle: Path, text: str) -> None:
    (bundle / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest.json: damaged: no manifest can be read"):
        read_bundle(bundle)


def test_a_manifest_of_another_format_is_refused(bundle: Path) -> None:
    (bundle / "manifest.json").write_text('{"format": 9, "files": {}}')
    with pytest.raises(InputError, match="format 9, and this code reads 1"):
        read_bundle(bundle)


def test_a_bundle_of_before_has_none_and_is_the_same_model(bundle: Path) -> None:
    before = content_sha256(bundle)
    (bundle / "manifest.json").unlink()
    assert read_bundle(bundle)["variant"] == "student_int8"
    assert content_sha256(bundle) == before


def test_what_a_device_reads_brings_neither_tensorflow_nor_pydantic() -> None:
    code = (
        "import sys; import models.export.device; "
        "sys.exit(bool({'tensorflow', 'pydantic', 'tfx'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0


@pytest.mark.parametrize(
    ("file", "read"), [("tflite", load_interpreter), (PREPROCESSING_FILE, read_bundle)]
)
def test_files_that_cannot_be_read_are_told_without_a_manifest_too(
    tmp_path: Path, file: str, read: Callable[[Path], Any]
) -> None:
    for content in (None, b"{"):
        if content is not None:
            (tmp_path / file).write_bytes(content)
        with pytest.raises(InputError, match=f"{file}: damaged: it cannot be read"):
            read(tmp_path)
