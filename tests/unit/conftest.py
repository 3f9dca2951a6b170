"""Fixtures that several unit tests use."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_nodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the modelling nodes make of the rows of tiny_transform.py, once for all tests."""
    # Not at the top: it brings TFX, without which most files of tests start at once.
    from tests.support.tiny_nodes import make_nodes

    return make_nodes(tmp_path_factory.mktemp("nodes"))
