"""Parts of the page that need more than their text read: the DAG, the configuration, words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from core.files import REPOSITORY
from pipeline.config.load import load
from pipeline.report import config_file
from pipeline.report.page import html
from pipeline.report.page.part import RunRecord
from pipeline.report.page.parts.origin.configuration import again, configuration, differences, flat
from pipeline.report.page.parts.outcome import outcome
from pipeline.report.page.parts.process.learning import curve_points, saw_all_rows
from pipeline.report.page.parts.process.nodes import nodes, wiring
from pipeline.report.summary import Summary
from tests.support.records.reported import reported
from tests.support.records.summaries import NODE, VALUES

CONFIGS = sorted(path.stem for path in (REPOSITORY / "configs").glob("*.yaml"))


def record_of(folder: Path, **changes: Any) -> RunRecord:
    return RunRecord(Summary.model_validate({**VALUES, **changes}), [], folder, None)


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "base"])
def test_a_configuration_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    config = load(name)
    config_file.write(config, tmp_path / "config.yaml")
    assert load(str(tmp_path / "config.yaml")) == config


def test_only_what_differs_is_a_difference() -> None:
    mine = flat({"a": {"b": 1, "c": {}}, "d": [1], "e": None})
    assert mine == {"a.b": 1, "a.c": {}, "d": [1], "e": None}
    found = differences(mine, flat({"a": {"b": 2, "c": {}}, "d": [1], "f": None}))
    assert list(found) == ["a.b", "e", "f"]


def test_the_configuration_is_beside_that_of_the_run_before(tmp_path: Path) -> None:
    record = reported(tmp_path / "census")
    before = replace(record, settings={**(record.settings or {}), "seed": 9})
    text = str(configuration(replace(record, previous=before)).html)
    assert "1 value that the run before" in text
    assert text.count("<code>seed</code>") == 2, "once as a difference, once among all"
    same = str(configuration(replace(record, previous=record)).html)
    assert "Every value is as it was" in same


def test_the_command_names_the_configuration_as_it_was(tmp_path: Path) -> None:
    record = reported(tmp_path / "a b" / "census")
    text = str(again(record).html)
    path = config_file.path_of(record.folder, record.summary.run_id)
    assert f"run --config &#39;{path}&#39; --root" in text


def test_the_dag_is_drawn_as_it_was_wired_whatever_ran(tmp_path: Path) -> None:
    upstream = {"A": [], "B": ["A"], "C": ["A", "B"], "D": ["C"]}
    ran = {"A": NODE, "B": {**NODE, "state": "FAILED"}, "C": {**NODE, "state": "SKIPPED"}}
    part = nodes(record_of(tmp_path, upstream=upstream, nodes=ran))
    assert part is not None
    text = str(part.html)
    for name, state in (("A", "RAN"), ("B", "FAILED"), ("C", "SKIPPED"), ("D", "WAITING")):
        box = text.index(f'class="box {state}"')
        assert text.index(f">{name}</text>") > box
    assert "4 nodes: 1 ran, 1 failed, 1 not run, 1 not yet" in text


def test_an_arrow_that_others_imply_is_not_drawn(tmp_path: Path) -> None:
    record = record_of(tmp_path, upstream={"A": [], "B": ["A"], "C": ["A", "B"]}, nodes={})
    assert set(wiring(record.summary, []).edges) == {("A", "B"), ("B", "C")}


def test_the_dag_of_a_run_of_before_is_told_by_what_nodes_read_and_made(tmp_path: Path) -> None:
    record = reported(tmp_path / "census", upstream={})
    made = record.executions[0].made
    reader = replace(record.executions[1], inputs={"examples": made})
    dag = wiring(record.summary, [record.executions[0], reader])
    assert ("CsvExampleGen", "StatisticsGen") in dag.edges
    assert nx.is_directed_acyclic_graph(dag)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "The run went through to its end: server was pushed, edge was not pushed."),
        ({"state": "INTERRUPTED"}, "The run was interrupted: server was pushed"),
        (
            {"pushed": {t: {"version": 1, "path": "p", "already_live": True} for t in "ab"}},
            "a and b were live already.",
        ),
        ({"gates": []}, "Gap sex tpr 0.13 &gt; 0.10."),
        (
            {"gates": [{**VALUES["gates"][0], "target": "edge", "passed": False}]},
            "<li>auc 0.905 &lt; 0.85</li>",
        ),
        ({}, "the nearest to its bound is auc with 0.905 (&gt;= 0.85)"),
        (
            {"failure": {"cause": "a <b>\nline", "code": "x.py:1 in f", "resume": "again",
                         "exit_code": 2, "input_at_fault": True, "node": "Tuner"}},
            "a &lt;b&gt;",
        ),
    ],
)  # fmt: skip
def test_what_was_pushed_is_said_in_words(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    assert said in str(outcome(record_of(tmp_path, **changes)).html)


def test_an_epoch_without_a_number_is_no_point() -> None:
    found = {"history": {"loss": [1.0, None], "val_loss": [2.0]}, "pruning_history": {"loss": [3]}}
    points = [(p["step"], p["rows"], p["epoch"], p["loss"]) for p in curve_points("x", found)]
    assert points == [
        ("training", "training rows", 1, 1.0),
        ("training", "evaluation rows", 1, 2.0),
        ("pruning", "training rows", 3, 3),
    ]


@pytest.mark.parametrize(
    ("pruning", "said"),
    [
        ({"loss": [3.0], "val_loss": []}, True),
        ({"loss": [3.0], "val_loss": [2.0]}, False),
        ({"loss": [], "val_loss": []}, False),
        (None, False),
    ],
)
def test_rows_that_were_fitted_evaluate_nothing(pruning: dict[str, Any] | None, said: bool) -> None:
    assert saw_all_rows({"pruning_history": pruning}) == said


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (33.4, "33 s"), (125.0, "2 min 05 s"), (7300, "2 h 01 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert html.duration(seconds) == text


@pytest.mark.parametrize(
    ("one", "other", "text"),
    [(0.5, 0.25, "+0.2500"), (0.25, 0.5, f"{html.MINUS}0.2500"), (1.0, 1.0, "0.0000"),
     (None, 1.0, html.NONE)],
)  # fmt: skip
def test_differences_have_a_sign(one: float | None, other: float | None, text: str) -> None:
    assert html.difference(one, other) == text


def test_pieces_escape_what_is_no_markup() -> None:
    evil = "<i>&"
    made = html.join(
        [
            html.table(evil, [evil], [[evil]]),
            html.facts([(evil, evil)]),
            html.fold(evil, evil),
            html.chart(evil, evil, evil),
            html.command(evil),
            html.digest(evil * 9),
            html.listing([evil]),
            html.heading(evil),
            html.paragraph(evil),
            html.paragraph(evil, evil),
            html.badge(evil),
        ]
    )
    assert "<i>" not in made
