"""Damage to TFRecord files, which TensorFlow itself does not always notice."""

from pathlib import Path

import pytest
import tensorflow as tf

from pipeline.run.integrity import DamagedExamplesError, check_examples, find_damage


@pytest.fixture(params=["data.gz", "data"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "Split-train" / str(request.param)
    path.parent.mkdir()
    kind = "GZIP" if path.suffix else ""
    with tf.io.TFRecordWriter(str(path), tf.io.TFRecordOptions(compression_type=kind)) as writer:
        for number in range(500):
            writer.write(b"%d" % number**5)
    return path


def test_whole_files_pass(file: Path) -> None:
    assert find_damage(file) is None
    check_examples(file.parent.parent)


@pytest.mark.parametrize("kept", [0.25, 0.5, 0.999])
def test_truncated_files_are_found(file: Path, kept: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(kept * len(content))])
    assert "truncated" in str(find_damage(file))
    with pytest.raises(DamagedExamplesError, match=str(file)):
        check_examples(file.parent.parent)


def test_an_empty_compressed_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "data.gz").touch()
    assert find_damage(tmp_path / "data.gz") == "the file is empty"


def test_a_split_without_files_is_found(tmp_path: Path) -> None:
    (tmp_path / "Split-eval").mkdir()
    with pytest.raises(DamagedExamplesError, match="Split-eval: its files of examples are gone"):
        check_examples(tmp_path)
