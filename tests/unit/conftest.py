"""Fixtures that several tests use."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_nodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the modelling nodes make of the rows of tiny_transform.py, once for all tests."""
    from tests.unit.components.training.test_modelling_nodes import make_nodes

    return make_nodes(tmp_path_factory.mktemp("nodes"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs takes the rights of root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
