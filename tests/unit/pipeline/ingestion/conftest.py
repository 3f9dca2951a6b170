"""Fixtures of the tests of staging."""

from pathlib import Path

import pytest

from tests.support.tiny_data import write_config, write_raw


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Raw data with its contract and configuration."""
    write_config(tmp_path)
    return write_raw(tmp_path)
