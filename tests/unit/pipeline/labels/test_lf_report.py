"""What `lf` reports is what a run's labeler would, and rests on the gold rows' labels alone."""

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from rich.console import Console

from core.errors import InputError
from core.files import REPOSITORY
from models.labels import findings as label_findings
from models.labels import functions as labeling
from pipeline.config.load import load
from pipeline.labels import analysis, display, page, state
from pipeline.labels.report import LfReport
from tests.support import labeler
from tests.support.small_census import GOLD_ROWS, ROWS, settings, write_raw

PAGE = REPOSITORY / "docs" / "weak-supervision.md"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def report(raw: Path, root: Path, *more: str) -> LfReport:
    return analysis.analyse(load("census", settings(raw, *more)), root, NOW).report


FEW = "labeling.functions=tests.support.faulty_functions.few"  # they leave rows without a vote


def rounded(value: Any) -> Any:
    """The value with numbers of four digits: the label model's sums run in another order."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


@pytest.mark.parametrize("choice", ["random", "informative"])
def test_it_says_what_the_labeler_of_a_run_says(raw: Path, tmp_path: Path, choice: str) -> None:
    by_group = ("fairness.labels=by_group", "fairness.column=race")
    chosen = (
        "labeling.gold_rows=50",
        f"labeling.gold_choice={choice}",
        "labeling.random_share=.5",
        "labeling.even_errors=.5",
    )
    config = load("census", settings(raw, *chosen, *by_group))
    found = analysis.analyse(config, tmp_path, NOW).report
    rows: dict[str, list[dict[str, str]]] = {}
    for split in ("train", "eval", "test"):
        [path] = tmp_path.glob(f"staged/*/{split}/data.csv")
        with open(path, newline="") as file:
            rows[split] = list(csv.DictReader(file))
    examples = labeler.write_examples(tmp_path / "in", rows, shards=2)
    ran = labeler.label(
        tmp_path,
        examples,
        gold_rows=50,
        epochs=100,
        seed=config.seed,
        groups=["sex", "race", "age_group"],
        by_group={"column": "race", "rate": "tpr"},
        tuning=config.labeling.tuning.model_dump(mode="json"),
        features=config.columns.features,
        gold_choice=choice,
        random_share=0.5,
        even_errors=0.5,
    )
    assert rounded(found.labels.model_dump(mode="json")) == rounded(ran.report)
    assert {gate.metric for gate in found.gates} >= {"coverage", "gap sex coverage"}
    assert found.labels.by_group is not None
    assert sum(group.rows for group in found.labels.by_group.groups.values()) > 0.9 * ROWS


def test_true_labels_other_than_the_gold_rows_are_not_read(raw: Path, tmp_path: Path) -> None:
    ids = [f"span-1:{n}" for n in range(1, ROWS + 1)]
    gold = {n for _, n in labeling.draw(1, ids, GOLD_ROWS)}
    other = {"<=50K": ">50K", ">50K": "<=50K"}

    def turn(rows: list[list[str]]) -> list[list[str]]:
        return [row if n in gold else [*row[:-1], other[row[-1]]] for n, row in enumerate(rows)]

    turned = write_raw(tmp_path / "turned", turn)
    first, second = report(raw, tmp_path / "a"), report(turned, tmp_path / "b")
    assert first.data_sha256 != second.data_sha256
    same = {"data_sha256": ""}
    assert first.model_copy(update=same) == second.model_copy(update=same)
    examples = [e for pair in first.disagreements for e in pair.examples]
    shown = {e.row_id: e.label for e in [*examples, *first.uncovered.examples]}
    assert {row_id for row_id, label in shown.items() if label} <= {ids[n] for n in gold}
    assert any(shown.values())


def test_examples_are_of_the_pair_and_show_what_it_reads(raw: Path, tmp_path: Path) -> None:
    found = report(raw, tmp_path, FEW)
    pairs = found.disagreements
    pair = next(p for p in pairs if "never_married" in (p.first, p.second))
    assert pair.rows <= pair.both
    assert pair.examples
    for example in pair.examples:
        assert example.columns["marital-status"] == "Never-married"
        assert "native-country" not in example.columns
    assert found.uncovered.rows > 0
    assert found.uncovered.rows == round((1 - (found.labels.coverage or 0)) * ROWS)
    top = found.uncovered.in_common[0]
    assert top.share > top.share_of_all
    assert [c.column for c in found.uncovered.in_common] == list(
        found.uncovered.examples[0].columns
    )


def test_rows_that_nothing_sets_apart_are_shown_whole(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analysis, "COMMON", 0)
    [first, *_] = report(raw, tmp_path, FEW).uncovered.examples
    assert {"age", "occupation", "native-country"} < set(first.columns)


def test_texts_of_the_data_are_escaped(raw: Path, tmp_path: Path) -> None:
    found = report(raw, tmp_path, FEW)
    common = replace(found.uncovered.in_common[0], value="<script>alert(1)</script>")
    uncovered = found.uncovered.model_copy(update={"in_common": [common]})
    html = page.render(found.model_copy(update={"uncovered": uncovered}))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_labels_by_group_are_shown_with_names_of_groups_as_text(raw: Path, tmp_path: Path) -> None:
    told = ("fairness.labels=by_group", "fairness.column=sex", "fairness.rate=selection_rate")
    plain = analysis.analyse(load("census", settings(raw)), tmp_path, NOW)
    found = analysis.analyse(load("census", settings(raw, *told)), tmp_path, NOW)
    done = found.report.labels.by_group
    assert done is not None
    changes = state.with_changes(found, plain).report.changes
    assert changes is not None
    assert changes.settings == ["fairness"]
    groups = {"<i>[red]é": done.groups["Female"], "Male": done.groups["Male"]}
    labels = found.report.labels.model_copy(update={"by_group": replace(done, groups=groups)})
    shown = found.report.model_copy(update={"labels": labels})
    html, out = page.render(shown), Console(file=io.StringIO(), width=200)
    display.print_report(out, shown)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    assert "&lt;i&gt;[red]é" in html
    for name, group in groups.items():
        [line] = [line for line in text.splitlines() if line.startswith(f" {name} ")]
        assert line.split()[1:3] == [str(group.rows), str(group.gold_rows)]
        assert f"{group.shift:+.2f}" in line
        assert f"{group.shift:+.2f}" in html


def test_an_edited_function_is_told_with_its_votes(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    config = load("census", settings(raw))
    calls = []
    for name, age in (("stricter", 22), ("looser", 26)):
        body = f"return 0 if row['age'] < {age} else -1"
        labeler.write_functions(tmp_path, monkeypatch, name, body)
        labels = config.labeling.model_copy(update={"functions": name})
        calls.append(
            analysis.analyse(config.model_copy(update={"labeling": labels}), tmp_path, NOW)
        )
    state.remember(calls[0], tmp_path)
    after = state.with_changes(calls[1], state.last(tmp_path)).report
    assert after.changes is not None
    change = after.changes.functions["last"]
    assert change.changed_votes is not None
    assert change.coverage == pytest.approx(change.changed_votes / ROWS, abs=1e-4)
    assert (after.changes.settings, after.changes.new, after.changes.removed) == ([], [], [])
    assert all(not c.changed_votes for n, c in after.changes.functions.items() if n != "last")
    found = calls[1].report.labels
    more = {"gold_rows": found.gold_rows + 50, "gold_rows_answered": 50}
    answered = calls[1].report.model_copy(update={"labels": found.model_copy(update=more)})
    changed = state.with_changes(replace(calls[1], report=answered), calls[1]).report.changes
    assert changed is not None
    assert changed.settings == ["answers of people"], "the budget is what it was"


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / state.FILE
    path.parent.mkdir()
    path.write_bytes(content)
    assert state.last(tmp_path) is None


def test_no_module_of_functions(raw: Path, tmp_path: Path) -> None:
    config = load("census", settings(raw, "labeling.mode=gold", "labeling.functions=null"))
    with pytest.raises(InputError, match=r"labeling.functions: null; name the module"):
        analysis.analyse(config, tmp_path, NOW)


def test_every_field_and_kind_of_finding_is_documented() -> None:
    shape = LfReport.model_json_schema()
    fields = {
        name for part in [shape, *shape["$defs"].values()] for name in part.get("properties", {})
    }
    documented = set(re.findall(r"`(?:labels\.)?(\w+)`", PAGE.read_text()))
    assert fields <= documented
    assert set(get_args(label_findings.Kind)) <= documented


def test_the_worked_example_of_the_documentation_works(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_classes, by_name = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "worked_example.py").write_text(two_classes)
    (tmp_path / "example_by_name.py").write_text(by_name)
    monkeypatch.syspath_prepend(str(tmp_path))
    config = load("census", settings(raw))

    def analysed(module: str) -> LfReport:
        labels = config.labeling.model_copy(update={"functions": module})
        told = config.model_copy(update={"labeling": labels})
        return analysis.analyse(told, tmp_path, NOW).report

    found = analysed("worked_example")
    young = found.labels.functions["young"]
    named = analysed("example_by_name").labels.functions["young"]
    assert named.coverage == pytest.approx(young.coverage)
    assert named.polarity == ["negative"]
    assert list(found.labels.functions) == ["young", "executive", "idle", "wealthy"]
    assert all(row.coverage > 0.02 for row in found.labels.functions.values())
    assert [f for f in found.labels.findings if f.severity != "note"] == []
