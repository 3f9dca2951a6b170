"""The benchmark of explanations: shares, what is possible, targets."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.explain import study as explain
from benchmarks.explain.study import CounterfactualShare
from models.explain.single import RowExplainer
from models.explain.training_rows import describe
from tests.support.servers.made_model import MadeModel, cells, old_clerks

SHARE = CounterfactualShare("edge", explain.WITH_GAIN[0], 500, 0.95, 0.95, 1.0, [400, 75], 1.5)
EXPLAINED = {"edge": {"rows": 200, "additivity": 1e-9}}


def made(actionable: tuple[str, ...]) -> RowExplainer:
    model = MadeModel(old_clerks)
    return RowExplainer(model, describe(cells(), 20, 1), ("no", "yes"), actionable, {}, 1)


def test_shares_are_of_rows_and_of_what_is_possible() -> None:
    rows = cells()
    refused = rows.take(MadeModel(old_clerks).answer(rows.numbers, rows.texts) <= 0.5)
    found = explain.share_of("edge", "job", made(("job",)), made(()), refused)
    ages = np.nan_to_num(refused.numbers[:, 0])
    assert found.possible == pytest.approx(np.mean(ages > 40))
    assert found.found == found.possible < 1
    assert found.verified == 1
    assert found.changes == [round(found.found * refused.count)]


def test_a_change_that_does_not_hold_is_not_verified() -> None:
    rows = cells(age=[30.0] * 40, job=["clerk"] * 40).take(np.array([0]))
    anew = made(())
    assert explain.is_turned(anew, rows, {"age": {"from": 30, "to": 50}})
    assert not explain.is_turned(anew, rows, {"age": {"from": 30, "to": 31}})
    assert explain.agreement_of(made(()), cells()) == pytest.approx(1)


def test_targets() -> None:
    assert all(check.passed for check in explain.checks_of(4.0, EXPLAINED, [SHARE]))
    few = replace(SHARE, found=0.5)
    failed = [c.target for c in explain.checks_of(16.0, EXPLAINED, [few]) if not c.passed]
    assert len(failed) == 3
    assert failed[0].startswith("CPU s of the node, 200 rows")
    other = replace(SHARE, columns="education, occupation, hours-per-week", found=0.5, possible=0.5)
    assert all(check.passed for check in explain.checks_of(4.0, EXPLAINED, [other]))
    page = explain.share_table([SHARE]) + explain.cost_table(4.0, 40.0, EXPLAINED)
    assert "| 95.0% |" in page
    assert "10.0%" in page
