"""Fixtures of the tests of whole, small runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.run import environment
from tests.support.fork_server import Forks
from tests.support.mini_runs import Runs
from tests.support.tiny_data import write_config, write_raw


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The small pipeline with its data, not yet run."""
    environment.prepare()
    write_raw(tmp_path)
    return Runs(write_config(tmp_path), tmp_path / "runs", monkeypatch)


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """A process that has loaded TensorFlow, once for all tests."""
    process = Forks()
    yield process
    process.end()
