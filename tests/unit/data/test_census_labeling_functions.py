"""The census labelling functions: what they vote on people made up for the purpose."""

import re
from typing import Any

import pytest

from core.files import REPOSITORY
from data.census import labeling_functions, pay
from data.census.labeling_functions import ABSTAIN, NEGATIVE, POSITIVE
from models.labels import functions as labeling

MANAGER: dict[str, Any] = {
    "age": 45,
    "workclass": "Private",
    "education": "Masters",
    "education-num": 14,
    "marital-status": "Married-civ-spouse",
    "occupation": "Exec-managerial",
    "relationship": "Husband",
    "capital-gain": 0,
    "capital-loss": 0,
    "hours-per-week": 50,
}
STUDENT: dict[str, Any] = {
    "age": 19,
    "workclass": None,
    "education": "Some-college",
    "education-num": 10,
    "marital-status": "Never-married",
    "occupation": None,
    "relationship": "Own-child",
    "capital-gain": 0,
    "capital-loss": 0,
    "hours-per-week": 20,
}
FUNCTIONS = {function.name: function for function in labeling.collect(labeling_functions)}


def votes(row: dict[str, Any]) -> dict[str, int]:
    return {name: function(row) for name, function in FUNCTIONS.items()}


def test_there_are_functions_of_both_polarities() -> None:
    assert 15 <= len(FUNCTIONS) <= 50
    assert POSITIVE in votes(MANAGER).values()
    assert NEGATIVE in votes(STUDENT).values()


def test_manager_and_student() -> None:
    assert NEGATIVE not in votes(MANAGER).values()
    assert POSITIVE not in votes(STUDENT).values()
    assert sum(vote == NEGATIVE for vote in votes(STUDENT).values()) >= 6


@pytest.mark.parametrize(
    ("function", "changes", "vote"),
    [
        ("large_capital_gain", {"capital-gain": 15024}, POSITIVE),
        ("large_capital_gain", {"capital-gain": 6999}, ABSTAIN),
        ("modest_capital_gain", {"capital-gain": 594}, NEGATIVE),
        ("capital_loss_of_investor", {"capital-loss": 1902}, POSITIVE),
        ("no_diploma", {"education": "9th"}, NEGATIVE),
        ("low_paid_occupation", {"occupation": "Priv-house-serv"}, NEGATIVE),
        ("not_working", {"workclass": "Without-pay"}, NEGATIVE),
        ("of_pension_age", {"age": 70}, NEGATIVE),
        ("of_pension_age", {"age": 70, "capital-gain": 20051}, ABSTAIN),
        ("part_time", {"hours-per-week": 34}, NEGATIVE),
        ("part_time", {"hours-per-week": 35}, ABSTAIN),
        ("owner_of_company", {"workclass": "Self-emp-inc"}, POSITIVE),
        ("federal_career", {"workclass": "Federal-gov"}, POSITIVE),
        ("low_paid_occupation", {"occupation": None}, ABSTAIN),
        ("no_diploma", {"education": "5th-6th"}, NEGATIVE),
        ("no_diploma", {"education": "HS-grad"}, ABSTAIN),
        ("high_expected_pay", {}, POSITIVE),
        ("low_expected_pay", {"hours-per-week": 15}, NEGATIVE),
        ("no_longer_married", {"marital-status": "Divorced", "education": "HS-grad"}, NEGATIVE),
    ],
)
def test_rule(function: str, changes: dict[str, Any], vote: int) -> None:
    assert FUNCTIONS[function]({**MANAGER, **changes}) == vote


def test_nothing_reads_sex_race_or_country() -> None:
    assert votes(MANAGER) == votes({**MANAGER, "sex": "Female", "race": "Black"})
    assert not {"sex", "race", "native-country"} & MANAGER.keys()


def test_expected_pay_grows_with_school_and_hours() -> None:
    usual = pay.expected_pay(MANAGER)
    assert usual == pytest.approx(
        82_300, rel=0.01
    )  # 18 years of school, 21 of experience, 2,500 hours
    assert pay.expected_pay({**MANAGER, "education-num": 9}) < 0.6 * usual
    assert pay.expected_pay({**MANAGER, "hours-per-week": 25}) == pytest.approx(usual / 2)


def test_the_knowledge_base_knows_every_occupation_of_the_contract() -> None:
    schema = (REPOSITORY / "schema" / "census" / "schema.pbtxt").read_text()
    domain = schema.split('name: "occupation"')[-1].split("}")[0]
    known = pay.WEEKLY_DOLLARS
    assert known.keys() == set(re.findall(r'value: "([^"]+)"', domain))
    low = {name for name, dollars in known.items() if dollars < pay.LOW_PAY}
    assert low == {"Other-service", "Priv-house-serv", "Handlers-cleaners", "Farming-fishing"}


@pytest.mark.parametrize("missing", sorted(MANAGER))
def test_missing_values_are_no_error(missing: str) -> None:
    row = {**MANAGER, missing: None}
    assert set(votes(row).values()) <= {NEGATIVE, POSITIVE, ABSTAIN}
