"""A shadow beside the live version."""

from typing import Any

import numpy as np
import pytest

from core.errors import InputError
from pipeline.monitoring.side_by_side import compare
from pipeline.serving.options import ShadowName, read_shadow


def asked(live: np.ndarray, other: np.ndarray) -> list[dict[str, Any]]:
    told = {"target": "edge", "version": 8}
    return [
        {"answer": float(a), "shadow": {**told, "answer": float(b)}}
        for a, b in zip(live, other, strict=True)
    ]


def test_without_a_shadow_there_is_nothing() -> None:
    assert compare([{"answer": 0.5}], np.array([-1]), 10, 0.05) is None


def test_how_they_differ_and_what_labels_say() -> None:
    draw = np.random.default_rng(1)
    labels = draw.random(2_000) < 0.4
    live = np.where(draw.random(2_000) < 0.8, labels, ~labels) * 0.8 + 0.1
    other = np.where(draw.random(2_000) < 0.1, 1 - live, live)
    known = labels.astype(np.int8)
    found = compare(asked(live, other), known, 100, 0.01)
    assert found is not None
    assert (found.target, found.version, found.rows, found.failed) == ("edge", 8, 2_000, 0)
    assert found.other_decisions is not None
    assert found.other_decisions.low < 0.1 < found.other_decisions.high
    assert found.difference == pytest.approx(0.08, abs=0.01)
    assert found.largest == pytest.approx(0.8)
    assert found.accuracy_gain is not None
    assert found.accuracy_gain.low < -0.06 < found.accuracy_gain.high
    assert found.verdict == "go back"
    better = compare(asked(other, live), known, 100, 0.01)
    assert better is not None
    assert better.verdict == "go on"


def test_few_labels_and_wide_intervals_are_unknown() -> None:
    answers = np.full(50, 0.9)
    none = compare(asked(answers, answers), np.full(50, -1, np.int8), 40, 0.05)
    assert none is not None
    assert (none.verdict, none.labelled, none.accuracy_gain) == ("unknown", 0, None)
    wide = compare(asked(answers, 1 - answers), np.array([0, 1] * 25, np.int8), 40, 0.05)
    assert wide is not None
    assert wide.verdict == "unknown"


def test_rows_that_the_shadow_did_not_answer_are_counted_with_the_reason() -> None:
    lines = asked(np.full(3, 0.9), np.full(3, 0.8))
    lines[1]["shadow"] = {"target": "edge", "version": 8, "error": "the model failed: x"}
    found = compare(lines, np.full(3, -1, np.int8), 1, 0.05)
    assert found is not None
    assert (found.rows, found.failed, found.error) == (2, 1, "the model failed: x")


def test_what_a_shadow_may_be() -> None:
    assert read_shadow(None, "server") is None
    assert read_shadow("edge", "server") == ShadowName("edge", "live", None)
    assert read_shadow("previous", "edge") == ShadowName("edge", "previous", None)
    assert read_shadow("17", "server") == ShadowName("server", None, 17)
    for text, target in (("edge", "edge"), ("live", "server"), ("1.5", "server"), ("", "edge")):
        with pytest.raises(InputError, match=r"--shadow .*: give previous"):
            read_shadow(text, target)
