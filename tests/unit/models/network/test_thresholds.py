"""Thresholds by group: rates that are alike, and a network that carries them everywhere."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from core.errors import InputError
from models.compression.goals import measured_sparsity
from models.export.tflite import VARIANTS, convert_all, predict
from models.network.layout import Layout
from models.network.mitigation import counted
from models.network.network import answers_of, build_network, logits_of
from models.network.rows import Rows
from models.network.thresholds import (
    GROUP_SHIFT,
    equal_rate_shifts,
    shifted,
    shifts_by_id,
    thresholds_document,
)
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, make_rows


def rows_of(label: list[int], codes: list[int], rate: str = "tpr") -> tuple[Rows, np.ndarray]:
    labels = np.array(label, np.float32)[:, None]
    count = len(label)
    rows = Rows(np.zeros((count, 1), np.float32), np.zeros((count, 1), np.int64), labels, labels)
    rows = dataclasses.replace(rows, weight=np.ones_like(labels))
    of = np.array(codes)
    return counted(rows, of, 2, rate), of


def test_rates_become_alike_with_the_most_right_decisions() -> None:
    logits = np.array([2.0, 1.0, -1.0, -2.0, 1.5, -0.5, -0.7, -3.0])
    rows, codes = rows_of([1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1])
    shifts = equal_rate_shifts(logits, rows, codes)
    moved = logits + shifts[codes]
    assert (moved > 0).tolist() == [True, True, False, False, True, True, False, False]


@pytest.mark.parametrize("rate", ["tpr", "fpr", "selection_rate"])
def test_many_rows_come_near_to_one_rate(rate: str) -> None:
    draw = np.random.RandomState(1)
    codes = (draw.rand(4000) < 0.3).astype(int)
    logits = draw.normal(0, 1, 4000) - 0.7 * codes
    label = (logits + 0.2 * codes + draw.normal(0, 1, 4000) > 0).astype(int)
    rows, codes = rows_of(label.tolist(), codes.tolist(), rate)
    assert rows.counted is not None

    def rates(moved: np.ndarray) -> np.ndarray:
        assert rows.counted is not None
        return (rows.counted * (moved > 0)[:, None]).sum(axis=0) / rows.counted.sum(axis=0)

    before, after = rates(logits), rates(logits + equal_rate_shifts(logits, rows, codes)[codes])
    assert abs(before[0] - before[1]) > 0.1
    assert abs(after[0] - after[1]) < 0.01


def test_answers_that_are_all_the_same_stay_so() -> None:
    rows, codes = rows_of([1, 0, 1, 0], [0, 0, 1, 1])
    shifts = equal_rate_shifts(np.full(4, 0.3), rows, codes)
    assert np.isfinite(shifts).all()
    assert len({*(np.full(4, 0.3) + shifts[codes] > 0).tolist()}) == 1


LAYOUT = Layout(
    numeric=("n",), categorical=(("job", ("x",)), ("sex", ("F", "M"))), buckets=2, text=None
)


def test_each_value_of_the_column_has_its_id() -> None:
    place, by_id = shifts_by_id(LAYOUT, "sex", {"F": 0.5, "M": -0.25, "": 0.1, "elsewhere": 9.0})
    first = LAYOUT.offsets.listed[1]
    assert place == 2
    assert by_id == {first + 1: 0.5, first + 2: -0.25, first + 3: 0.1}
    with pytest.raises(InputError, match=r"do not read race.*min_diff"):
        shifts_by_id(LAYOUT, "race", {"F": 0.5})


def test_a_network_carries_its_shifts_into_files_and_tflite(tmp_path: Path) -> None:
    tf_keras.utils.set_random_seed(1)
    network, rows = build_network(INPUTS, ARCHITECTURE, "student"), make_rows(300)
    made = shifted(network, INPUTS, 1, {3: 1.5, 4: -0.5})
    logits, before = (logits_of(n)(rows.features).numpy()[:, 0] for n in (made, network))
    ids = rows.categorical[:, 1]
    expected = np.where(ids == 3, 1.5, np.where(ids == 4, -0.5, 0)).astype(np.float32)
    np.testing.assert_array_equal(logits, before + expected)
    assert measured_sparsity(made) == measured_sparsity(network)
    assert not made.get_layer(GROUP_SHIFT).trainable
    made.save(tmp_path / "student.keras")
    loaded = tf_keras.models.load_model(tmp_path / "student.keras", compile=False)
    answers = answers_of(made, rows)
    np.testing.assert_array_equal(answers_of(loaded, rows), answers)
    assert measured_sparsity(loaded) == measured_sparsity(network)
    contents = convert_all(loaded, rows)
    for variant in VARIANTS:
        assert np.abs(predict(contents[variant], rows.features) - answers).max() < 0.02


def test_the_document_says_where_each_group_is_decided() -> None:
    found = thresholds_document("sex", {"F": 0.5, "M": 0.0})
    assert found["values"]["M"] == 0.5
    assert found["values"]["F"] == pytest.approx(1 / (1 + np.exp(0.5)))
