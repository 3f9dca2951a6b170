"""The year that is played to `retrain`: what deliveries bring, and looks put in words."""

import csv
from datetime import UTC, datetime

import pytest

from benchmarks.census_year import DELIVERIES, NEW_CATEGORY, ROWS, TEST_ROWS, Year
from benchmarks.demo_retrain import CONFIG, YearRow, markdown, why
from core.contract import read_contract
from pipeline.config.load import load
from pipeline.ingestion.spans import SpanFinding
from pipeline.ingestion.window import Ledger, find_window
from pipeline.retraining.evidence import Evidence
from pipeline.retraining.records import Action, Decision


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    return Year(tmp_path_factory.mktemp("year"))


def column(year: Year, span: int, name: str) -> list[str]:
    with open(year.spans / f"span-{span}" / "data.csv", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]


def test_the_deliveries_are_what_they_say(year: Year) -> None:
    settings = load(CONFIG).data
    held: dict[int, list[tuple[int, str]]] = {}
    seen: dict[str, list[str]] = {}
    for delivery in DELIVERIES:
        delivery.bring(year)
        window = find_window(year.spans, settings, Ledger())
        held[delivery.month] = [(f.span, f.kind) for f in window.held_back]
        if delivery.month == 7:
            seen["flipped"] = column(year, 7, "income-per-year")
        if delivery.what.startswith("span 9: hours"):
            seen["hours"] = column(year, 9, "hours-per-week")
    assert held[4] == held[5] == [(4, "incomplete")]
    assert held[6] == []
    assert held[12] == [(10, "duplicate")]
    assert window.spans == (4, 5, 7, 8, 9, 11)
    pairs = zip(seen["flipped"], column(year, 7, "income-per-year"), strict=True)
    assert sum(one != other for one, other in pairs) == pytest.approx(0.3 * ROWS, rel=0.1)
    assert min(map(int, seen["hours"])) >= 100
    ages = [sum(map(int, column(year, span, "age"))) / ROWS for span in (4, 5)]
    assert ages[1] > ages[0] + 5
    assert NEW_CATEGORY in column(year, 11, "workclass")
    assert f'value: "{NEW_CATEGORY}"' in year.contract.read_text()
    assert read_contract(year.contract)
    assert len((year.spans / "test" / "data.csv").read_text().splitlines()) == TEST_ROWS + 1


def decision(action: Action, held_back: list[SpanFinding], *evidence: Evidence) -> Decision:
    return Decision(
        id="1",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        config=CONFIG,
        config_sha256="c",
        code_sha256="d",
        contract_sha256="e",
        action=action,
        reasons=["suspicious labels in span 7: labels agree in 60%; correct it, or accept it"],
        evidence=list(evidence),
        spans=[1],
        files={},
        held_back=held_back,
    )


def test_a_look_in_words() -> None:
    new = Evidence(
        kind="new span",
        state="reason",
        message="span 2 not in the training data of the served model",
    )
    quiet = Evidence(kind="age", state="quiet", message="3 days")
    waiting = SpanFinding(span=4, kind="incomplete", message="no marker")
    assert why(decision("run", [waiting], new, quiet)) == (
        "new span: span 2; span 4 held back: incomplete"
    )
    blocked = decision("blocked", [], quiet)
    assert why(blocked) == "suspicious labels in span 7: labels agree in 60%"


def test_the_table() -> None:
    lines = markdown([YearRow("1", "span 1", "run", "no model", "pushed", "model 1", "0.9", "0.6")])
    assert lines.splitlines()[0].startswith("| month | what arrived | decision |")
    assert lines.splitlines()[2] == "| 1 | span 1 | run | no model | pushed | model 1 | 0.9 | 0.6 |"
