"""The benchmark of mitigations: its configurations, and what its tables and targets say."""

import json
from pathlib import Path

import pytest

from benchmarks.fairness import study
from benchmarks.fairness.study import AIM, BASE, CELLS, MODES, TARGETS, Cell, Values
from pipeline.config.load import load


def values(accuracy: float, gap: float) -> Values:
    of_target = {"accuracy": accuracy, "auc": 0.92, "f1": 0.7, "tpr gap": gap}
    return {target: {**of_target, "fpr gap": 0.1, "selection_rate gap": 0.2} for target in TARGETS}


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_every_cell_is_a_valid_configuration(cell: Cell) -> None:
    for mode in cell.modes:
        config = load("census", [*MODES[mode], "seed=31", *cell.told])
        assert config.fairness.reads_column is cell.reads
        assert config.fairness.column == "sex"


def test_there_is_one_whole_run_for_each_set_of_columns() -> None:
    for mode in MODES:
        whole = [cell.folder for cell in CELLS if cell.whole and mode in cell.modes]
        assert sorted(whole) == ["reads", "unread"]


def test_the_targets_are_the_gap_and_the_accuracy_that_is_lost() -> None:
    gold = {
        BASE: [values(0.87, 0.06), values(0.872, 0.07)],
        AIM: [values(0.869, 0.01), values(0.871, 0.05)],
    }
    checks = {check.target: check for check in study.checks_of(gold)}
    assert len(checks) == 4
    gap = checks["server: TPR gap by sex, sex unread"]
    assert (gap.value, gap.passed) == (pytest.approx(0.03), False)
    lost = checks["edge: accuracy lost"]
    assert (lost.value, lost.passed) == (pytest.approx(0.001), True)


def test_what_has_been_measured_is_read_and_tabulated(tmp_path: Path) -> None:
    cells = {cell: (31, 32) for cell in CELLS if "gold" in cell.modes}
    for number, cell in enumerate(cells):
        for seed in (31, 32):
            path = tmp_path / cell.folder / "cells" / f"{cell.name}, {seed}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values(0.8 + number / 100, 0.05)), encoding="utf-8")
    found = study.measure_all("gold", cells, tmp_path)
    assert found[BASE] == [values(0.8, 0.05)] * 2
    page = study.tables({"gold": found}, study.checks_of(found))
    assert "| gold labels, edge" in page
    assert page.count("0.8000 ± 0.0000") == len(TARGETS)
    assert "| rate 16 " in page
    assert "FAIL" in page
