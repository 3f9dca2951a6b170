"""The benchmark of distillation: its tables, and what it asks for."""

from typing import Any

import numpy as np

from benchmarks.distillation import __main__ as study
from benchmarks.distillation.students import DISTILLED, LABELS, LABELS_ALONE, figures
from pipeline.config.load import load
from tests.support.tiny_rows import make_rows


def student(auc: float) -> dict[str, Any]:
    measures = {"auc": auc, "accuracy": 0.87, "bytes": 6488, "latency_us": 1.5}
    return {**measures, "cpu_seconds": 3.0, "made": 0}


FOUND = {
    "census": {
        "teacher": {"auc": 0.927, "accuracy": 0.873},
        "rows": [26_000, 6500, 16_281],
        DISTILLED: [student(0.926), student(0.927)],
        LABELS: [student(0.924), student(0.9271)],
    }
}


def test_every_seed_counts() -> None:
    checks = {check.target: check for check in study.checks_of(FOUND)}
    gain = checks["census: least gain in AUC over labels alone, of all seeds"]
    assert not gain.passed
    assert abs(gain.value + 0.0001) < 1e-9
    assert checks["census: AUC"].passed
    assert not checks["census: accuracy"].passed
    assert "| census " in study.tables(FOUND)


def test_labels_alone_is_a_valid_section() -> None:
    section = load("census").distiller.model_copy(update=LABELS_ALONE)
    assert type(section).model_validate(section.model_dump()) == section


def test_answers_are_measured() -> None:
    rows = make_rows(50)
    assert figures(rows.label[:, 0], rows) == {"auc": 1.0, "accuracy": 1.0}
    assert figures(np.zeros(50, np.float32), rows)["auc"] == 0.5
