"""A row explained, as JSON values."""

import json

import numpy as np
import pytest

from models.explain.single import RowExplainer
from models.explain.training_rows import describe
from tests.support.servers.made_model import SCRIPT, MadeModel, cells, old_clerks


def test_of_two_classes_numbers_of_more_each_class_by_its_name() -> None:
    two = RowExplainer(MadeModel(old_clerks), describe(cells(), 20, 1), ("no", "yes"), (), {}, 1)
    rows = cells().take(np.arange(4))
    told = two.told(two.attributions(rows), rows.names)
    answers = two.model.answer(rows.numbers, rows.texts)
    for n, one in enumerate(told):
        assert one["answer"] == pytest.approx(answers[n])
        total = one["base_value"] + sum(one["attributions"].values())
        assert total == pytest.approx(one["answer"], abs=1e-5)
        assert set(one["attributions"]) == {"age", "hours", "job", "note"}
        assert one["attributions"]["note"] == one["attributions"]["hours"] == 0
    assert json.loads(json.dumps(two.shown(rows, 1)))["job"] == SCRIPT

    names = ("a", "b", "c")
    model = MadeModel(lambda r: [old_clerks(r), 0.6 - old_clerks(r) / 2, 0.4 - old_clerks(r) / 2],
                      names)  # fmt: skip
    three = RowExplainer(model, describe(cells(), 20, 1), names, (), {}, 1)
    for one in three.told(three.attributions(rows), rows.names):
        assert set(one["answer"]) == {*names}
        for name in names:
            added = sum(values[name] for values in one["attributions"].values())
            assert one["base_value"][name] + added == pytest.approx(one["answer"][name], abs=1e-5)
        assert one["class"] == max(one["answer"], key=one["answer"].get)
