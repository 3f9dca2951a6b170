"""Fixtures of the tests of labels."""

from pathlib import Path

import pytest

from tests.support.small_census import write_raw


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of raw census data, which no test changes."""
    return write_raw(tmp_path_factory.mktemp("raw"))
