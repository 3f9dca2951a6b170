"""A version is served whole or not at all."""

from pathlib import Path
from typing import Any

import pytest
from tfx.components.evaluator import constants
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.pusher import AtomicExecutor


def push(model: Path, served: Path, blessed: bool = True) -> Any:
    """Runs the executor; returns the `pushed_model` artifact."""
    source, blessing = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    source.uri = str(model)
    verdict = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, verdict)
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(model.parent / "pushed")
    destination = pusher_pb2.PushDestination()
    destination.filesystem.base_directory = str(served)
    AtomicExecutor().Do(
        {"model": [source], "model_blessing": [blessing]},
        {"pushed_model": [pushed]},
        {"push_destination": proto_utils.proto_to_json(destination)},
    )
    return pushed


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model" / "Format-Serving"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_text("graph")
    (folder / "variables" / "data").write_text("x" * 100)
    return folder.parent


def test_a_blessed_model_is_served_and_recorded(model: Path, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "census"
    pushed = push(model, served)
    [version] = served.iterdir()
    assert (version / "saved_model.pb").read_text() == "graph"
    assert (version / "variables" / "data").is_file()
    assert pushed.get_string_custom_property("pushed_destination") == str(version)
    assert pushed.get_string_custom_property("pushed_version") == version.name
    assert [path.name for path in served.parent.iterdir()] == ["census"]


def test_a_model_that_is_not_blessed_is_not_served(model: Path, tmp_path: Path) -> None:
    pushed = push(model, tmp_path / "serving" / "census", blessed=False)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


def test_a_full_disk_serves_nothing(model: Path, small_disk: Path) -> None:
    (model / "Format-Serving" / "variables" / "data").write_bytes(b"x" * 6 * 2**20)
    with pytest.raises(Exception, match="No space left"):
        push(model, small_disk / "census")
    assert list(small_disk.iterdir()) == []
