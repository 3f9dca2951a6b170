"""Explainer: both targets of the rows of tiny_transform.py, as a client asks them."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tfx.types.standard_artifacts import Examples, Model

from components.artifacts import Explanation
from components.evaluation.explainer import Explainer, ExplainerSettings, check_columns
from core.errors import InputError
from core.targets import TARGETS
from models.export.raw_rows import sample_rows
from tests.support import tiny_transform
from tests.support.servers.made_model import SCRIPT, MadeModel, old_clerks
from tests.support.tiny_transform import raw_row

COLUMNS = ("age", "capital-gain", "work", "sex", "note", "title")
TYPES = {
    "age": "INT", "capital-gain": "FLOAT", "work": "BYTES", "sex": "BYTES", "note": "BYTES",
    "title": "BYTES", "age_group": "BYTES", "place": "BYTES", "class": "BYTES",
}  # fmt: skip


def settings(**changes: Any) -> ExplainerSettings:
    values = {
        "explain": {"rows": 60, "background": 10},
        "columns": {
            "label": "class", "classes": ["no", "yes"], "positive": "yes",
            "numeric": ["age", "capital-gain"], "categorical": ["work", "sex"],
            "text": ["note", "title"], "dates": {},
            "groups": {"age_group": {"column": "age", "bounds": [40]}},
        },
        "evaluation": {
            "slices": [["sex"], ["age_group"], ["sex", "age_group"], ["place"]],
            "min_slice_rows": 10,
        },
        "types": TYPES,
        "seed": 1,
        **changes,
    }  # fmt: skip
    return ExplainerSettings.model_validate_json(json.dumps(values))


def write(folder: Path) -> None:
    """Labelled raw rows by split; of the place one has none, and it is HTML in another."""
    for split in ("train", "test"):
        path = folder / f"Split-{split}" / "data"
        path.parent.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(path)) as writer:
            for number in range(tiny_transform.ROWS):
                example = tf.train.Example.FromString(tiny_transform.raw_example(number))
                feature = example.features.feature
                row = raw_row(number)
                group = "40+" if row["age"][0] >= 40 else "<40"
                texts = {"age_group": group, "row_id": f"{split}:{number}"}
                texts |= {"place": (SCRIPT, "Łódź")[number % 2]} if number % 9 else {}
                for name, text in texts.items():
                    feature[name].bytes_list.value.append(text.encode())
                for name in ("label", "weight"):
                    feature[name].float_list.value.extend(row[name])
                feature["class"].bytes_list.value.append(b"yes" if row["label"][0] else b"no")
                writer.write(example.SerializeToString())


@pytest.fixture(scope="module")
def explained(tiny_nodes: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the component writes, by target."""
    folder = tmp_path_factory.mktemp("explained")
    write(folder / "examples")
    examples, explanation = Examples(), Explanation()
    examples.uri, explanation.uri = str(folder / "examples"), str(folder / "explanation")
    examples.split_names = '["train", "test"]'
    Path(explanation.uri).mkdir()
    server, edge = Model(), Model()
    server.uri, edge.uri = str(folder / "server"), str(tiny_nodes / "edge")
    Path(server.uri).mkdir()
    Path(server.uri, "Format-Serving").symlink_to(tiny_nodes / "model")
    executor = Explainer.EXECUTOR_SPEC.executor_class()
    executor.Do(
        {"examples": [examples], "server": [server], "edge": [edge]},
        {"explanation": [explanation]},
        {"settings": settings().model_dump_json(), "code_sha256": "x"},
    )
    found = json.loads(Path(explanation.uri, "explanation.json").read_text(encoding="utf-8"))
    targets: dict[str, Any] = found["targets"]
    return targets


@pytest.mark.parametrize("target", TARGETS)
def test_the_columns_that_the_label_follows_carry_most(
    explained: dict[str, Any], target: str
) -> None:
    found = explained[target]
    assert set(found["mean_abs"]) == {*COLUMNS}, "no label, weight or row id"
    assert (found["rows"], found["scale"]) == (60, "probability")
    assert found["additivity"] <= 1e-5
    strongest = max(found["mean_abs"], key=found["mean_abs"].__getitem__)
    assert strongest in ("age", "sex", "title")
    assert {"sex=Male", "age_group=40+", "sex=Male,age_group=40+"} <= found["by_group"].keys()
    assert f"place={SCRIPT}" in found["by_group"], "text is kept as it is; who shows it escapes it"
    assert "note" not in found["dependence"]
    for low, high in found["stability"].values():
        assert 0 <= low <= high


@pytest.mark.parametrize("target", TARGETS)
def test_what_stands_in_for_a_slice_column_is_told(explained: dict[str, Any], target: str) -> None:
    warnings = explained[target]["warnings"]
    [sex] = [warning for warning in warnings if "tell sex" in warning]
    assert "title" in sex
    assert "AUC 1.00" in sex
    assert "capital-gain" not in sex
    if target == "server":  # the small student hardly looks at the age
        assert any("age_group is made from it" in warning for warning in warnings)


def test_both_targets_are_asked_as_they_are_served(
    explained: dict[str, Any], tiny_nodes: Path, tmp_path: Path
) -> None:
    write(tmp_path)
    rows = sample_rows(
        [str(tmp_path / "Split-train" / "*")], {c: TYPES[c] for c in COLUMNS}, 999, 1
    )
    assert rows.count == tiny_transform.ROWS
    folders = {"server": tiny_nodes / "model", "edge": tiny_nodes / "edge" / "Format-Serving"}
    for target, folder in folders.items():
        model = importlib.import_module(TARGETS[target].loader).load(folder)
        numbers = np.stack([rows.columns[name] for name in model.numbers], axis=1)
        texts = np.stack([rows.columns[name] for name in model.texts], axis=1)
        mean = float(model.answer(numbers, texts).mean())
        assert explained[target]["base_value"] == pytest.approx(mean, abs=0.15)


@pytest.mark.parametrize("name", ["class", "label", "weight", "row_id"])
@pytest.mark.parametrize("kind", ["numbers", "texts"])
def test_a_model_that_takes_the_label_the_weight_or_the_row_id_is_refused(
    name: str, kind: str
) -> None:
    model = MadeModel(old_clerks)
    check_columns("edge", model, "class")
    setattr(model, kind, (*getattr(model, kind), name))
    with pytest.raises(InputError, match=f"edge: the model takes column '{name}'"):
        check_columns("edge", model, "class")


def test_numbers_are_read_as_they_were_written(tmp_path: Path) -> None:
    example = tf.train.Example()
    example.features.feature["gain"].float_list.value.append(0.1)
    with tf.io.TFRecordWriter(str(tmp_path / "rows")) as writer:
        writer.write(example.SerializeToString())
        writer.write(tf.train.Example().SerializeToString())
    rows = sample_rows([str(tmp_path / "rows")], {"gain": "FLOAT", "note": "BYTES"}, 5, 1)
    assert sorted(map(str, rows.columns["gain"].tolist())) == ["0.1", "nan"]
    assert rows.columns["note"].tolist() == ["", ""]
    (tmp_path / "empty").touch()
    with pytest.raises(InputError, match="there are no rows"):
        sample_rows([str(tmp_path / "empty")], {"gain": "FLOAT"}, 5, 1)
