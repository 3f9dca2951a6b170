"""A version is served whole or not at all, once, whatever cuts the Pusher off."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_executor
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.artifacts import Cards
from components.pushing.pusher import AtomicExecutor
from core.names import (
    CARD_FILES,
    EDGE_MODEL_FILE,
    EDGE_RUNNER_FILES,
    TRAINING_ROWS_FILE,
    WARM_UP_FILE,
    WARM_UP_ROWS_FILE,
)
from core.version_record import read_record, version_folders
from models.cards.document import HISTORY_BEGIN, HISTORY_END
from models.export.export import export_server_model
from models.export.model_content import content_sha256
from models.network.network import build_network
from models.network.preprocessing import model_inputs_of
from tests.support import tiny_transform
from tests.support.tiny_rows import ARCHITECTURE


def push(
    model: Path,
    served: Path,
    blessed: bool = True,
    blessing: Path | None = None,
    cards: Path | None = None,
) -> Any:
    """Runs the executor; returns the `pushed_model` artifact."""
    source, verdict_on_it = standard_artifacts.Model(), standard_artifacts.ModelBlessing()
    source.uri = str(model)
    verdict_on_it.uri = str(blessing or model.parent / "blessing")
    verdict = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    verdict_on_it.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, verdict)
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(model.parent / "pushed")
    destination = pusher_pb2.PushDestination()
    destination.filesystem.base_directory = str(served)
    given: dict[str, Any] = {"model": [source], "model_blessing": [verdict_on_it]}
    if cards is not None:
        given["cards"] = [Cards()]
        given["cards"][0].uri = str(cards)
    AtomicExecutor(base_executor.BaseExecutor.Context(pipeline_run_id="this run")).Do(
        given,
        {"pushed_model": [pushed]},
        {"push_destination": proto_utils.proto_to_json(destination)},
    )
    return pushed


def export_tiny_server_model(folder: Path) -> None:
    graph = str(tiny_transform.tiny_transform() / "graph")
    inputs = model_inputs_of(graph, tiny_transform.PREPROCESSING)
    network = build_network(inputs, ARCHITECTURE, "network")
    export_server_model(network, graph, tiny_transform.PREPROCESSING, str(folder))


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
    record = read_record(version)
    assert record is not None
    assert record.run_id == "this run"
    assert record.model_sha256 == content_sha256(model / "Format-Serving")


def test_a_saved_model_gets_the_rows_it_was_asked_as_warm_up_requests(tmp_path: Path) -> None:
    model, served = tmp_path / "model", tmp_path / "serving" / "census"
    export_tiny_server_model(model / "Format-Serving")
    blessing = tmp_path / "blessing"
    blessing.mkdir()
    rows = [0, 1, 5]  # 0 has no `work`
    with tf.io.TFRecordWriter(str(blessing / WARM_UP_ROWS_FILE)) as writer:
        for number in rows:
            row = tf.train.Example.FromString(tiny_transform.raw_example(number))
            row.features.feature["class"].bytes_list.value.append(b"yes")
            writer.write(row.SerializeToString())
    push(model, served, blessing=blessing)
    [version] = served.iterdir()
    records = list(tf.data.TFRecordDataset(str(version / WARM_UP_FILE)).as_numpy_iterator())
    logs = [prediction_log_pb2.PredictionLog.FromString(record) for record in records]
    signatures = tf.saved_model.load(str(version)).signatures
    answers: dict[str, list[list[float]]] = {}
    for log in logs:
        request = log.predict_log.request
        spec = request.model_spec
        assert (log.WhichOneof("log_type"), spec.name) == ("predict_log", "census")
        inputs = {n: tf.constant(tf.make_ndarray(t)) for n, t in request.inputs.items()}
        found = signatures[spec.signature_name](**inputs)["probability"].numpy()[:, 0]
        answers.setdefault(spec.signature_name, []).append(found.tolist())
        assert b"class" not in log.SerializeToString()
    by_examples, by_columns = answers["serving_default"], answers["serving_columns"]
    assert [len(batch) for batch in by_examples] == [1, 1, 1, 3]
    for one, other in zip(by_examples, by_columns, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert by_examples[3] == pytest.approx([batch[0] for batch in by_examples[:3]], abs=1e-6)
    again = push(model, served, blessing=blessing)
    assert again.get_int_custom_property("already_live") == 1, "the requests are no other model"


def test_training_rows_go_with_the_version_and_are_no_other_model(
    model: Path, tmp_path: Path
) -> None:
    served, blessing = tmp_path / "serving" / "census", tmp_path / "blessing"
    blessing.mkdir()
    (blessing / TRAINING_ROWS_FILE).write_text("{}")
    push(model, served, blessing=blessing)
    [version] = served.iterdir()
    assert (version / TRAINING_ROWS_FILE).read_text() == "{}"
    record = read_record(version)
    assert record is not None
    assert TRAINING_ROWS_FILE in record.files
    (blessing / TRAINING_ROWS_FILE).write_text('{"other": "rows"}')
    again = push(model, served, blessing=blessing)
    assert again.get_int_custom_property("already_live") == 1


def test_the_runner_goes_with_an_edge_bundle_and_is_no_part_of_the_model(tmp_path: Path) -> None:
    bundle, served = tmp_path / "model" / "Format-Serving", tmp_path / "edge" / "census"
    bundle.mkdir(parents=True)
    (bundle / EDGE_MODEL_FILE).write_bytes(b"model")
    push(bundle.parent, served)
    [version] = served.iterdir()
    record = read_record(version)
    assert record is not None
    assert {*record.files} == {EDGE_MODEL_FILE, *EDGE_RUNNER_FILES}
    assert record.model_sha256 == content_sha256(version) == content_sha256(bundle)
    assert push(bundle.parent, served).get_int_custom_property("already_live") == 1


def test_cards_lie_beside_the_record_and_are_no_part_of_the_model(
    model: Path, tmp_path: Path
) -> None:
    served, cards = tmp_path / "serving" / "census", tmp_path / "cards"
    cards.mkdir()
    text = f"numbers\n{HISTORY_BEGIN}\nnone yet\n{HISTORY_END}\nsources\n"
    for name in ("model_card.md", "model_card.html", "data_card.md"):
        (cards / name).write_text(text)
    push(model, served, cards=cards)
    [version] = served.iterdir()
    record = read_record(version)
    assert record is not None
    assert not {*record.files} & {*CARD_FILES}
    assert record.model_sha256 == content_sha256(version)
    for name in ("model_card.md", "model_card.html"):
        written = (version / name).read_text()
        assert "none yet" not in written
        assert all(said in written for said in (version.name, "this run", record.model_sha256))
    assert not (version / "data_card.html").exists()
    (version / "model_card.md").write_text("other words")
    assert push(model, served, cards=cards).get_int_custom_property("already_live") == 1


def test_a_model_that_is_not_blessed_is_not_served(model: Path, tmp_path: Path) -> None:
    pushed = push(model, tmp_path / "serving" / "census", blessed=False)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not (tmp_path / "serving").exists()


def test_a_full_disk_serves_nothing(model: Path, small_disk: Path) -> None:
    (model / "Format-Serving" / "variables" / "data").write_bytes(b"x" * 6 * 2**20)
    with pytest.raises(Exception, match="No space left"):
        push(model, small_disk / "census")
    assert list(small_disk.iterdir()) == []


def test_the_live_model_is_not_pushed_again(model: Path, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "census"
    first, again = push(model, served), push(model, served)
    [version] = served.iterdir()
    assert not first.has_custom_property("already_live")
    assert again.get_int_custom_property("already_live") == 1
    assert again.get_int_custom_property("pushed") == 1
    assert again.get_string_custom_property("pushed_destination") == str(version)


def test_a_model_that_was_live_earlier_gets_a_new_version(model: Path, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "census"
    push(model, served)
    graph = model / "Format-Serving" / "saved_model.pb"
    graph.write_text("another graph")
    push(model, served)
    graph.write_text("graph")
    push(model, served)
    graphs = [(path / "saved_model.pb").read_text() for path in version_folders(served).values()]
    assert graphs == ["graph", "another graph", "graph"]


def test_a_damaged_live_version_is_replaced(model: Path, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "census"
    push(model, served)
    [version] = served.iterdir()
    (version / "variables" / "data").write_text("x" * 50)
    push(model, served)
    assert len(version_folders(served)) == 2


def killed(work: Callable[[], object]) -> bool:
    """Does the work in a fork of this process; whether SIGKILL ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.parametrize("renamed", [False, True], ids=["before the rename", "after it"])
def test_killed_at_the_rename_then_resumed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    served = tmp_path / "serving" / "census"
    rename = Path.rename

    def kill(path: Path, target: Path) -> None:
        if renamed:
            rename(path, target)
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", kill)
        assert killed(lambda: push(model, served))
    left = version_folders(served)
    assert len(left) == int(renamed)
    assert all(read_record(path) for path in left.values())
    pushed = push(model, served)
    [version] = served.iterdir()
    assert pushed.get_string_custom_property("pushed_version") == version.name
    assert pushed.has_custom_property("already_live") is renamed
    assert [path.name for path in served.parent.iterdir()] == ["census"]


def test_a_reader_sees_whole_versions_only(model: Path, tmp_path: Path) -> None:
    served = tmp_path / "serving" / "census"
    for number in range(60):
        (model / "Format-Serving" / "variables" / f"part-{number}").write_bytes(b"x" * 20000)
    whole = {path.name for path in (model / "Format-Serving" / "variables").iterdir()}
    seen: list[tuple[set[str], bool, bool]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for path in version_folders(served).values():
                parts = {part.name for part in (path / "variables").iterdir()}
                graph = (path / "saved_model.pb").is_file()
                seen.append((parts, graph, read_record(path) is not None))

    reader = threading.Thread(target=read)
    reader.start()
    push(model, served)
    done.wait(0.05)
    done.set()
    reader.join()
    assert seen
    assert all(look == (whole, True, True) for look in seen)
