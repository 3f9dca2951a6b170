"""Why a model was pushed or not, in words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.intervals import wilson_interval
from core.version_record import Event
from models.metrics.gates import Gate, at_least, at_most
from pipeline.report.summary import LabelSummary, Summary
from pipeline.report.why import WhyPushed, explain
from pipeline.report.why_words import changes, in_words, rows_needed, within_chance
from pipeline.versions.served import Status, Version
from tests.support.records.summaries import RUN_ID, VALUES

KEY = "evaluation.edge.min.auc"
LOW = at_least("edge", "auc", "overall", 0.8432, 0.85, KEY)
GAP = at_most("edge", "gap sex tpr", "overall", 0.1304, 0.1, "evaluation.edge.max_gap.sex.tpr")
EVENT = Event("rolled back", "2026-01-03T00:00:00Z", "ann@host", "<b>too many</b> [red]refusals", 7)
NOTHING = {"version": None, "why": "auc 0.8432 < 0.85"}


def run(*gates: Gate, pushed: dict[str, Any] | None = None, **more: Any) -> Summary:
    both = {"server": NOTHING, "edge": pushed or NOTHING}
    return Summary.model_validate({**VALUES, "gates": list(gates), "pushed": both, **more})


def version(number: int, status: Status, *events: Event) -> Version:
    return Version("edge", number, Path("x"), RUN_ID, status, events=events)


def test_how_far_a_value_is_from_its_bound_is_said() -> None:
    assert in_words(LOW) == "auc is 0.8432, 0.0068 beyond the bound (at least 0.85)"
    assert in_words(GAP) == "gap sex tpr is 0.1304, 0.0304 beyond the bound (at most 0.1)"
    kept = at_least("edge", "auc", "race=A", 0.9, 0.85, KEY)
    assert in_words(kept, 12) == (
        "auc on race=A (the nearest of 12) is 0.9, 0.05 inside the bound (at least 0.85)"
    )
    just = at_least("edge", "auc", "overall", 0.85, 0.85, KEY)
    assert in_words(just) == "auc is 0.85, just the bound (at least 0.85)"


@pytest.mark.parametrize(
    ("interval", "within", "words"),
    [
        (None, None, ""),
        ((0.83, 0.8499), False, ", beyond chance: its 95% interval of 900 rows is 0.83 to 0.8499"),
        ((0.83, 0.86), True, ", which may be chance: its 95% interval of 900 rows, 0.83 to 0.86, "
         "holds the bound"),
    ],
)  # fmt: skip
def test_whether_it_is_chance_is_said(
    interval: tuple[float, float] | None, within: bool | None, words: str
) -> None:
    gate = replace(LOW, interval=interval, rows=900)
    assert within_chance(gate) is within
    assert in_words(gate).endswith(f"(at least 0.85){words}")


def test_a_fall_beyond_its_bound_is_held_against_no_fall() -> None:
    key = "evaluation.edge.max_drop_from_teacher.auc"
    gate = at_most("edge", "auc drop from teacher", "overall", 0.02, 0.01, key)
    gate = replace(gate, bound="<= 0.01 beyond chance", interval=(0.005, 0.035), rows=400)
    assert within_chance(gate) is False, "there is a fall, whatever the bound"
    undecided = replace(gate, interval=(-0.01, 0.05), undecided=True)
    assert within_chance(undecided) is True
    assert in_words(undecided).endswith("-0.01 to 0.05, holds 0")
    small = replace(gate, value=0.002, interval=(-0.01, 0.014), passed=True)
    assert in_words(small).endswith("holds the bound")
    chance = Gate(
        "edge", "auc above chance", "overall", 0.49, "> 0.5 beyond chance", False,
        "evaluation.edge.better_than_chance", interval=(0.45, 0.53), sign=">=", limit=0.5,
    )  # fmt: skip
    assert in_words(chance).endswith("holds the bound")


def test_what_the_numbers_do_not_say_is_said_too() -> None:
    gate = replace(LOW, why="one answer only: it says no on all 9 test rows")
    assert in_words(gate).endswith(
        "(at least 0.85); one answer only: it says no on all 9 test rows"
    )


def test_a_gate_without_numbers_says_its_reason() -> None:
    gate = replace(LOW, value=None, why="auc not measurable on 9 rows, 0 of them positive")
    assert in_words(gate) == "auc: auc not measurable on 9 rows, 0 of them positive"


@pytest.mark.parametrize(
    ("gate", "flag"),
    [
        (LOW, f"{KEY}=0.843"),
        (GAP, "evaluation.edge.max_gap.sex.tpr=0.131"),
        (replace(GAP, value=0.00012, limit=0.0), "evaluation.edge.max_gap.sex.tpr=0.00012"),
        (replace(GAP, value=61.2345, key="pusher.max_latency_ms"), "pusher.max_latency_ms=61.235"),
        (
            at_least("edge", "auc", "overall", -0.0312, -0.01, "pusher.max_regression.auc"),
            "pusher.max_regression.auc=0.032",
        ),
        (
            at_most("edge", "fpr", "overall", 0.2, 0.12, "pusher.max_regression.fpr"),
            "pusher.max_regression.fpr=0.2",
        ),
        (
            at_least(
                "edge", "auc", "overall", -0.0312, -0.01, "evaluation.edge.min_over_reference"
            ),
            "evaluation.edge.min_over_reference=-0.032",
        ),
        (replace(LOW, undecided=True), "evaluation.when_too_few=warn"),
        (replace(LOW, undecided=True, key="pusher.max_uncertainty"), "pusher.when_too_few=push"),
        (
            replace(LOW, key="evaluation.edge.better_than_chance"),
            "evaluation.edge.better_than_chance=false",
        ),
        (
            at_least("labels", "coverage", "overall", None, 0.9, "labeling.gates.min_coverage"),
            "labeling.gates.min_coverage=null",
        ),
        (replace(LOW, value=None), None),
        (replace(LOW, value=None, key="rollback edge 7"), None),
    ],
)
def test_the_key_and_the_value_to_set_are_named(gate: Gate, flag: str | None) -> None:
    [change] = changes([gate], None)
    assert change.flag == flag
    assert flag is not None or change.words


def test_a_value_that_is_set_is_kept_to() -> None:
    for value in np.random.RandomState(1).rand(300).tolist():
        [up] = changes([replace(GAP, value=value)], None)
        [down] = changes([replace(LOW, value=value)], None)
        assert value <= float(up.value or 0) <= value + 0.0011
        assert value - 0.0011 <= float(down.value or 1) <= value


def test_gates_of_one_key_are_let_pass_by_one_value() -> None:
    others = [replace(LOW, slice=f"race={n}", value=0.8 - n / 100) for n in range(3)]
    assert [change.flag for change in changes([LOW, *others, GAP], None)] == [
        f"{KEY}=0.78",
        "evaluation.edge.max_gap.sex.tpr=0.131",
    ]


def test_a_model_that_was_rolled_back_is_brought_back_by_a_command() -> None:
    gate = replace(LOW, value=None, key="rollback edge 7")
    [change] = changes([gate], None)
    assert change.words == "to make it live after all: python -m pipeline rollback edge 7"


def test_missing_rows_are_counted() -> None:
    low, high = wilson_interval(80, 100) or (0, 0)
    gate = replace(LOW, value=0.8, interval=(low, high), rows=100, limit=0.81)
    told = rows_needed([gate])
    assert told is not None
    rows = int(told.rpartition("tell, ")[2].split()[0].replace(",", ""))
    ends = wilson_interval(0.8 * rows, rows) or (0, 0)
    assert ends[1] == pytest.approx(0.81, abs=0.001)
    assert f"about {rows - 100:,} more test rows" in told
    assert rows_needed([replace(gate, limit=0.9)]) is None, "these rows tell it"
    assert "no number of rows" in (rows_needed([replace(gate, limit=0.8)]) or "")
    rough = at_most("edge", "auc against live, uncertainty", "overall", 0.1, 0.05,
                    "pusher.max_uncertainty")  # fmt: skip
    assert "1,500 more test rows" in (rows_needed([replace(rough, rows=500)]) or "")


def test_gold_rows_that_would_vouch_for_the_labels_are_counted() -> None:
    values = {**VALUES["labels"], "accuracy_on_gold": 0.84, "gold_rows_random": 180}
    labels = LabelSummary.model_validate(values)
    low, _ = wilson_interval(0.84 * 180, 180) or (0, 0)
    key = "labeling.gates.min_accuracy"
    gate = at_least("labels", "accuracy on gold, 95% low", "overall", low, 0.82, key)
    [change] = changes([gate], labels)
    assert change.flag == f"{key}={int(low * 1000) / 1000}"
    told = rows_needed([gate], labels) or ""
    rows = int(told.rpartition("tell, ")[2].split()[0].replace(",", ""))
    assert (wilson_interval(0.84 * rows, rows) or (0, 0))[0] >= 0.82
    assert (wilson_interval(0.84 * rows * 0.95, round(rows * 0.95)) or (0, 0))[0] < 0.82
    assert "more gold rows" in (change.words or "")
    assert "mend the functions that `lf` finds fault with" in (change.words or "")
    above = replace(gate, limit=0.85)
    assert rows_needed([above], labels) is None, "no number of rows makes .84 into .85"


def test_what_failed_comes_first_then_what_is_undecided() -> None:
    kept = at_least("edge", "f1", "overall", 0.7, 0.6, "evaluation.edge.min.f1")
    open_ = replace(kept, metric="accuracy", undecided=True, why="too few")
    found = explain(run(kept, open_, LOW, replace(LOW, target="server")), "edge")
    assert [reason.gate.metric for reason in found.reasons] == ["auc", "accuracy", "f1"]
    assert [len(found.failed), len(found.undecided), len(found.kept)] == [1, 1, 1]
    assert found.outcome == "not pushed: bounds were not kept to"
    assert [change.flag for change in found.changes] == [f"{KEY}=0.843"]


def test_passed_slices_are_one_reason_or_each_its_own() -> None:
    slices = [
        at_least("edge", "auc", f"race={n}", 0.8 + n / 100, 0.75, KEY + "_by_slice")
        for n in range(5)
    ]
    [reason] = explain(run(*slices), "edge").reasons
    assert (reason.gate.slice, reason.count) == ("race=0", 5)
    assert len(explain(run(*slices), "edge", every=True).reasons) == 5


def pushed_as(number: int, *known: Version, already: bool = False) -> WhyPushed:
    pushed = {"version": number, "path": "edge/census/7", "already_live": already}
    return explain(run(pushed=pushed), "edge", known)


def test_what_became_of_a_version_is_told_with_who_and_why() -> None:
    found = pushed_as(8, version(8, "rolled back", EVENT), version(7, "live"))
    assert found.outcome == "pushed as version 8: no bound stood against it"
    assert found.told == [
        "rolled back at 2026-01-03T00:00:00Z by ann@host: <b>too many</b> [red]refusals "
        "(live since: 7)",
        "version 8 is rolled back, version 7 is live; to make it live again: "
        "python -m pipeline rollback edge 8",
    ]
    assert pushed_as(8, version(8, "live")).told == ["version 8 is live"]
    assert pushed_as(8, version(9, "live"), version(8, "previous")).told == [
        "version 9 is live now"
    ]
    assert pushed_as(8, version(8, "deleted")).told == ["the files of version 8 are deleted"]
    assert "no version 8 any more" in pushed_as(8).told[0]
    assert "live already, as version 8" in pushed_as(8, already=True).outcome


def test_a_failed_run_names_node_cause_and_what_to_do() -> None:
    failure = {
        "node": "Trainer", "cause": "the loss is no number", "code": "models/x.py:3 in f",
        "resume": "run it again: python -m pipeline run", "input_at_fault": True,
    }  # fmt: skip
    found = explain(run(state="FAILED", failure=failure), "edge")
    assert found.outcome == "not pushed: the run failed before it could be"
    assert found.told == [
        "Trainer failed: the loss is no number (at models/x.py:3 in f)",
        "data or configuration are at fault: the same run would stop again",
        "to go on: run it again: python -m pipeline run",
    ]


def test_gates_of_labels_are_told_where_they_stopped_the_run() -> None:
    key = "labeling.gates.max_conflict"
    labels = at_most("labels", "conflict", "overall", 0.3, 0.2, key)
    assert explain(run(labels), "edge").reasons == []
    failure = {"node": "LabelGate", "cause": "labels", "code": None, "resume": "mend that"}
    found = explain(run(labels, state="FAILED", failure=failure), "edge")
    assert [reason.gate.metric for reason in found.failed] == ["conflict"]
    [change] = found.changes
    assert change.flag == f"{key}=0.3"
    assert "look at the functions that disagree most" in (change.words or "")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("RUNNING", "not pushed yet: the run is under way"),
        ("INTERRUPTED", "not pushed: the run was interrupted; run the same command again"),
    ],
)
def test_a_run_that_has_not_ended_says_so(state: str, words: str) -> None:
    assert explain(run(state=state), "edge").outcome == words


def test_a_run_without_a_failed_gate_says_what_is_known() -> None:
    why = {"version": None, "why": "the Evaluator did not bless it"}
    assert explain(run(pushed=why), "edge").outcome == "not pushed: the Evaluator did not bless it"
    gone = {"version": None, "why": "version 8 was rolled back (slow)"}
    assert explain(run(LOW, pushed=gone), "edge").outcome.endswith("was rolled back (slow)")
