"""Starting where an earlier network ended: the proof, what is matched by meaning, cold reasons."""

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tf_keras
from tfx.components.trainer.fn_args_utils import FnArgs

from components.training.trainer import run_fn, start_training
from components.training.tuner import first_trial
from core.sections.training import Hyperparameters
from models.network.network import build_network
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import load_rows
from models.network.training import evaluation_loss
from models.network.warm_start import (
    FOLDER,
    Start,
    StartOutcome,
    cold_reason,
    matching_rows,
    read_start,
    take_over,
    write_start,
)
from models.search.values import architecture_of
from tests.support.tiny_nodes import TRAINER, paths, told
from tests.support.tiny_transform import PREPROCESSING

GONE = "the weights of the last blessed model are gone or damaged"
VALUES = Hyperparameters(
    learning_rate=0.02, hidden_units=(8,), dropout=0.0, embedding_dim=2, l2=0.0
)


def replaced(**changes: Any) -> Hyperparameters:
    return VALUES.model_copy(update=changes)


MEANING: dict[str, Any] = {
    "buckets": 2,
    "numeric": [{"column": "age", "offset": 0, "boundaries": [40.0]}],
    "categorical": [{"column": "job", "offset": 3, "values": ["cook", "clerk"]}],
}


def network(ids: int, seed: int) -> tf_keras.Model:
    tf_keras.utils.set_random_seed(seed)
    made = build_network(ModelInputs(1, 2, ids), architecture_of(VALUES), "teacher")
    weights = [np.random.RandomState(seed).randn(*w.shape) for w in made.get_weights()]
    made.set_weights(weights)
    return made


def answers(model: tf_keras.Model, ids: list[list[int]]) -> np.ndarray:
    numeric = np.linspace(0, 1, len(ids), dtype=np.float32)[:, None]
    rows = {"numeric": numeric, "categorical": np.array(ids, np.int64)}
    return model(rows, training=False).numpy()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    write_start(tmp_path / FOLDER, network(6, seed=1), MEANING, VALUES)
    found = read_start(tmp_path / FOLDER)
    assert found is not None
    assert found.hyperparameters == VALUES
    return found


def test_the_same_inputs_give_the_same_answers(start: Start) -> None:
    now = network(6, seed=2)
    ids = [[0, 3], [1, 4], [2, 5]]
    expected = answers(network(6, seed=1), ids)
    assert not np.allclose(answers(now, ids), expected)
    assert cold_reason(start, MEANING, architecture_of(VALUES)) is None
    outcome = take_over(now, start, MEANING)
    assert (outcome.start, outcome.reason, outcome.new_rows) == ("warm", None, 0.0)
    np.testing.assert_array_equal(answers(now, ids), expected)


def test_rows_go_by_what_they_stand_for(start: Start) -> None:
    meaning = copy.deepcopy(MEANING)
    meaning["categorical"][0]["values"] = ["baker", "clerk", "cook"]
    now = network(7, seed=2)
    outcome = take_over(now, start, meaning)
    assert outcome.new_rows == pytest.approx(1 / 7)
    expected = answers(network(6, seed=1), [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(answers(now, [[0, 3], [1, 6], [2, 5]]), expected)


def test_buckets_go_by_their_share() -> None:
    finer = {**MEANING, "buckets": 4}
    assert matching_rows(MEANING, finer).tolist() == [0, 0, 1, 1, 2, 3, 4, 5]
    assert matching_rows(MEANING, MEANING).tolist() == list(range(6))
    other = {**MEANING, "categorical": [{"column": "job", "offset": 3, "values": ["pilot"]}]}
    assert matching_rows(MEANING, other).tolist() == [0, 1, 2, 3, -1]


def of_every_kind(values: list[str], buckets: int, missing: bool = True) -> dict[str, Any]:
    """Ids: job 0 to 2 or 3; weekday of a date, its age before; buckets, missing, vocabulary."""
    job: dict[str, Any] = {"column": "job", "offset": 2 + 1, "values": ["cook", "clerk"]}
    size = 4 if missing else 3
    job |= {"missing": 3 + 3} if missing else {}
    part = {"part": "weekday", "offset": 3 + size, "values": 7}
    first = 3 + size + 8
    known = {value: first + buckets + 1 + n for n, value in enumerate(values)}
    return {
        "buckets": 2,
        "numeric": [],
        "categorical": [job],
        "dates": [{"column": "seen", "offset": 0, "boundaries": [0.0], "parts": [part]}],
        "hashed": {
            "buckets": buckets,
            "vocabulary": len(values),
            "columns": [{"column": "code", "offset": first, "values": known}],
        },
    }


def test_vocabularies_and_parts_go_by_their_values() -> None:
    before, now = of_every_kind(["a", "b"], 2), of_every_kind(["c", "b", "a"], 2)
    rows = matching_rows(before, now).tolist()
    assert rows[:18] == list(range(18)), "age, job, weekday, buckets and missing stay"
    assert rows[18:] == [-1, 19, 18]
    other = matching_rows(before, of_every_kind(["a"], 3)).tolist()
    assert other[15:] == [-1, -1, -1, 17, 18], "buckets of another number hold other values"


def test_a_missing_value_takes_over_from_format_1() -> None:
    before, now = of_every_kind(["a"], 2, missing=False), of_every_kind(["a"], 2)
    rows = matching_rows(before, now).tolist()
    assert rows[3:7] == [-1, 4, 5, 3], "unknown values were never trained"
    assert rows[7:] == list(range(6, 18))


def test_other_parts_of_a_date_start_cold(start: Start) -> None:
    before, now = of_every_kind(["a"], 2), of_every_kind(["a"], 2)
    now["dates"][0]["parts"][0]["part"] = "month"
    earlier = dataclasses.replace(start, preprocessing=before)
    reason = "the columns changed: added month of seen; dropped weekday of seen"
    assert cold_reason(earlier, now, architecture_of(VALUES)) == reason
    assert cold_reason(earlier, before, architecture_of(VALUES)) is None


def test_words_go_by_themselves(tmp_path: Path) -> None:
    def made(seed: int, words: int) -> tf_keras.Model:
        tf_keras.utils.set_random_seed(seed)
        tokens = tf_keras.Input((3,), dtype="int64", name="tokens")
        table = tf_keras.layers.Embedding(words, 2, name="text_embedding")
        return tf_keras.Model(tokens, table(tokens))

    texts = [{"columns": ["note"], "offset": 2, "width": 3, "vocabulary": v}
             for v in (["win", "now"], ["now", "free", "win"])]  # fmt: skip
    meanings = [{"buckets": 2, "numeric": [], "categorical": [], "text": text} for text in texts]
    write_start(tmp_path / FOLDER, before := made(1, 4), meanings[0], VALUES)
    found = read_start(tmp_path / FOLDER)
    assert found is not None
    now = made(2, 5)
    own = now.get_weights()[0]
    assert take_over(now, found, meanings[1]).new_rows == pytest.approx(1 / 5)
    old = before.get_weights()[0]
    np.testing.assert_array_equal(now.get_weights()[0], [old[0], old[1], old[3], own[3], old[2]])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"numeric": [{"column": "hours", "offset": 0, "boundaries": [40.0]}]},
            "the columns changed: added hours; dropped age",
        ),
        (
            {"text": {"columns": ["note"], "offset": 2, "width": 3, "vocabulary": []}},
            "the columns changed: added note",
        ),
    ],
)
def test_other_columns_start_cold(start: Start, change: dict[str, Any], reason: str) -> None:
    assert cold_reason(start, MEANING | change, architecture_of(VALUES)) == reason


def test_another_architecture_starts_cold(start: Start) -> None:
    for values, reason in (
        (
            replaced(hidden_units=(16, 8)),
            "hidden_units changed from (8,) to (16",
        ),
        (replaced(embedding_dim=4), "embedding_dim changed from 2 to 4"),
        (
            replaced(numeric_embedding="relu"),
            "numeric_embedding changed from none to relu",
        ),
        (replaced(normalization="batch"), "normalization changed from none to batch"),
        (replaced(residual=True), "residual changed from False to True"),
        (replaced(crosses=1), "crosses changed from 0 to 1"),
    ):
        assert str(cold_reason(start, MEANING, architecture_of(values))).startswith(reason)
    values = replaced(dropout=0.5, l2=0.1, learning_rate=0.1, numeric_dim=4)
    assert cold_reason(start, MEANING, architecture_of(values)) is None


def test_every_option_of_an_architecture_starts_warm(tmp_path: Path) -> None:
    values = replaced(
        hidden_units=(8, 4, 4),
        numeric_embedding="periodic",
        normalization="batch",
        residual=True,
        crosses=2,
    )
    earlier, now = (
        build_network(ModelInputs(1, 2, 6), architecture_of(values), "teacher") for _ in range(2)
    )
    earlier.set_weights([np.random.RandomState(1).rand(*w.shape) for w in earlier.get_weights()])
    write_start(tmp_path / FOLDER, earlier, MEANING, values)
    found = read_start(tmp_path / FOLDER)
    assert found is not None
    assert found.hyperparameters == values
    assert cold_reason(found, MEANING, architecture_of(values)) is None
    assert take_over(now, found, MEANING).start == "warm"
    ids = [[0, 3], [1, 4]]
    np.testing.assert_array_equal(answers(now, ids), answers(earlier, ids))


def test_what_was_kept_before_there_were_options_is_read(tmp_path: Path, start: Start) -> None:
    path = tmp_path / FOLDER / "start.json"
    meaning = json.loads(path.read_text())
    for name in ("numeric_embedding", "numeric_dim", "normalization", "residual", "crosses"):
        del meaning["hyperparameters"][name]
    path.write_text(json.dumps(meaning))
    assert read_start(tmp_path / FOLDER) is not None
    assert start.hyperparameters == VALUES


def test_weights_that_do_not_fit_change_nothing(start: Start) -> None:
    now = network(6, seed=2)
    before = now.get_weights()
    start.weights["logit/0"] = np.zeros((3, 1))
    outcome = take_over(now, start, MEANING)
    assert outcome.start == "cold"
    assert "logit has (11, 1) weights" in str(outcome.reason)
    for mine, other in zip(before, now.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_an_embedding_of_any_name_goes_by_what_its_rows_stand_for(tmp_path: Path) -> None:
    def renamed(ids: int, seed: int) -> tf_keras.Model:
        made = network(ids, seed)
        made.get_layer("embedding")._name = "table"
        return made

    write_start(tmp_path / FOLDER, renamed(6, seed=1), MEANING, VALUES)
    found = read_start(tmp_path / FOLDER)
    assert found is not None
    meaning = copy.deepcopy(MEANING)
    meaning["categorical"][0]["values"] = ["clerk", "cook"]
    now = renamed(6, seed=2)
    assert take_over(now, found, meaning) == StartOutcome("warm", None, 0.0)
    expected = answers(network(6, seed=1), [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(answers(now, [[0, 3], [1, 5], [2, 4]]), expected)


def test_a_layer_under_another_name_starts_cold(start: Start) -> None:
    now = network(6, seed=2)
    now.get_layer("wide")._name = "table"
    before = now.get_weights()
    reason = "the earlier network has no weights for table"
    assert take_over(now, start, MEANING) == StartOutcome("cold", reason)
    for mine, other in zip(before, now.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_layers_in_another_order_start_cold(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    class Reversed(tf_keras.layers.Concatenate):
        def __call__(self, inputs: list[Any], *args: Any, **kwargs: Any) -> Any:
            return super().__call__(inputs[::-1], *args, **kwargs)

    monkeypatch.setattr(tf_keras.layers, "Concatenate", Reversed)
    reason = "hidden_0 reads embedded, numeric, not numeric, embedded"
    assert take_over(network(6, seed=2), start, MEANING) == StartOutcome("cold", reason)


def test_weights_that_do_not_say_what_they_stand_for_start_cold(
    tmp_path: Path, start: Start
) -> None:
    path = tmp_path / FOLDER / "start.json"
    kept = json.loads(path.read_text())
    del kept["layers"]
    path.write_text(json.dumps(kept))
    found = read_start(tmp_path / FOLDER)
    assert found is not None
    reason = "the earlier weights do not say what they stand for"
    assert take_over(network(6, seed=2), found, MEANING) == StartOutcome("cold", reason)


@pytest.mark.parametrize("file", ["weights.npz", "start.json"])
def test_a_damaged_start_is_none(tmp_path: Path, start: Start, file: str) -> None:
    path = tmp_path / FOLDER / file
    path.write_bytes(path.read_bytes()[:20])
    assert read_start(tmp_path / FOLDER) is None
    path.unlink()
    assert read_start(tmp_path / FOLDER) is None


def test_a_trainer_starts_where_the_earlier_one_ended(tiny_nodes: Path, tmp_path: Path) -> None:
    earlier = json.loads((tiny_nodes / "model_run" / "training.json").read_text())
    same = {k: earlier["hyperparameters"][k] for k in ("hidden_units", "embedding_dim", "dropout")}
    section = {**TRAINER, **same, "epochs": 1, "pruning_epochs": 1, "warm_start": True}
    run_fn(
        FnArgs(
            custom_config=told(trainer={**section, "learning_rate": 1.0}),
            base_model=str(tiny_nodes / "Format-Serving"),
            serving_model_dir=str(tmp_path / "model" / "Format-Serving"),
            model_run_dir=str(tmp_path / "run"),
            **paths(),
        )
    )
    report = json.loads((tmp_path / "run" / "training.json").read_text())
    assert report["start"]["start"] == "warm"
    assert report["start"]["new_rows"] == 0.0
    teacher = tf_keras.models.load_model(tiny_nodes / "model_run" / "teacher.keras", compile=False)
    inputs = model_inputs_of(paths()["transform_graph_path"], PREPROCESSING)
    ended = evaluation_loss(teacher, load_rows(paths()["eval_files"], inputs))
    assert report["start"]["initial_val_loss"] == pytest.approx(ended, rel=1e-5)
    assert ended < min(earlier["history"]["val_loss"]) * 1.001, "its bias was settled"
    assert report["base_model"] == str(tiny_nodes)
    # The epoch made it worse, so the next one starts from the same weights again.
    assert min(report["history"]["val_loss"]) > ended
    again = read_start(tmp_path / "model" / FOLDER)
    before = read_start(tiny_nodes / FOLDER)
    assert again is not None
    assert before is not None
    for name, values in before.weights.items():
        np.testing.assert_array_equal(again.weights[name], values)


def test_a_trainer_says_why_it_starts_cold(tmp_path: Path, start: Start) -> None:
    base, gone = (str(tmp_path / name / "Format-Serving") for name in (".", "gone"))
    other = replaced(hidden_units=(3,))
    for arguments, reason in (
        ((base, True, MEANING, other), "hidden_units changed from (8,) to (3,)"),
        (
            (gone, True, MEANING, VALUES),
            "the weights of the last blessed model are gone or damaged",
        ),
        ((None, True, MEANING, VALUES), "no earlier model was blessed"),
        ((base, False, MEANING, VALUES), "trainer.warm_start=false"),
    ):
        assert start_training(network(6, seed=2), *arguments) == StartOutcome("cold", reason)
    assert start_training(network(6, seed=2), base, True, MEANING, VALUES).start == "warm"


def test_the_tuner_tries_the_earlier_hyperparameters_first(tmp_path: Path, start: Start) -> None:
    section = replaced(learning_rate=0.5)
    assert first_trial(section, str(tmp_path / "Format-Serving")) == VALUES
    assert first_trial(section, None).learning_rate == 0.5
    assert first_trial(section, str(tmp_path / "gone" / "Format-Serving")).learning_rate == 0.5
