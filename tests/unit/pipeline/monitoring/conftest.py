"""The configuration that requests are read by."""

import pytest

from core.config import Config
from pipeline.config.load import load


@pytest.fixture(scope="session")
def census() -> Config:
    return load("census", [])
