"""Labelling functions of the census set: does a person earn more than 50,000 dollars (1994)?

Each function takes a row, a mapping from column name to value (None if the value is missing), and
votes POSITIVE, NEGATIVE or ABSTAIN. All are written from general knowledge of pay in the United
States of the 1990s (formulas and usual pay: pay.py); none was fitted to labels and none reads sex,
race or native country. Every Snorkel `LabelingFunction` of this module takes part: a new function
needs no registration.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from snorkel.labeling import labeling_function
from snorkel.preprocess import preprocessor

from data.census.pay import COUPLE, LOW_PAY, WEEKLY_DOLLARS, Row, expected_pay, usual_income

NEGATIVE, POSITIVE, ABSTAIN = 0, 1, -1

HIGHER_DEGREE = {"Masters", "Doctorate", "Prof-school"}
DEGREE = HIGHER_DEGREE | {"Bachelors"}
NO_DIPLOMA = re.compile(r"Preschool|\d+(st|th)\b")  # "9th", "5th-6th": the last grade at school
WELL_PAID = {"Exec-managerial", "Prof-specialty"}
MIDDLE = {"Sales", "Tech-support", "Protective-serv"}
MANUAL = {"Machine-op-inspct", "Transport-moving", "Craft-repair"}


def number(row: Row, column: str) -> float:
    """The value of a number column; NaN where it is missing, which no comparison holds for."""
    value = row[column]
    return math.nan if value is None else float(value)


@labeling_function()
def higher_degree(row: Row) -> int:
    """Master's, professional and doctoral degrees lead to well-paid work after a few years."""
    return POSITIVE if row["education"] in HIGHER_DEGREE and number(row, "age") >= 30 else ABSTAIN


@labeling_function()
def couple_with_degree(row: Row) -> int:
    """A graduate who is married and past the first years at work."""
    settled = row["marital-status"] in COUPLE and number(row, "age") >= 28
    return POSITIVE if settled and row["education"] in DEGREE else ABSTAIN


@labeling_function()
def no_diploma(row: Row) -> int:
    """A pattern: without a high-school diploma few jobs pay that much."""
    return NEGATIVE if NO_DIPLOMA.match(row["education"] or "") else ABSTAIN


@labeling_function()
def high_school_unmarried(row: Row) -> int:
    """Up to some college, and no second adult whose career suggests otherwise."""
    alone = number(row, "education-num") <= 10 and row["marital-status"] not in COUPLE
    return NEGATIVE if alone else ABSTAIN


@labeling_function()
def large_capital_gain(row: Row) -> int:
    """Gains of many thousands come from wealth."""
    return POSITIVE if number(row, "capital-gain") >= 7000 else ABSTAIN


@labeling_function()
def modest_capital_gain(row: Row) -> int:
    """Gains of a few thousand dollars come from small savings, often of the retired."""
    return NEGATIVE if 0 < number(row, "capital-gain") < 3000 else ABSTAIN


@labeling_function()
def capital_loss_of_investor(row: Row) -> int:
    """Only who holds investments loses this much on them."""
    return POSITIVE if number(row, "capital-loss") >= 1800 else ABSTAIN


@labeling_function()
def manager_or_professional(row: Row) -> int:
    """Managers and professionals, married, with at least some college."""
    couple = row["marital-status"] in COUPLE
    placed = row["occupation"] in WELL_PAID and couple and number(row, "education-num") >= 10
    return POSITIVE if placed else ABSTAIN


@labeling_function()
def middle_occupation(row: Row) -> int:
    """Sales, technical support and police pay well to those with a degree or a long week."""
    if row["occupation"] not in MIDDLE or row["marital-status"] not in COUPLE:
        return ABSTAIN
    earns = row["education"] in DEGREE or number(row, "hours-per-week") >= 50
    return POSITIVE if earns else ABSTAIN


@labeling_function(resources={"weekly_dollars": WEEKLY_DOLLARS})
def low_paid_occupation(row: Row, weekly_dollars: Mapping[str, int]) -> int:
    """A knowledge base: service, household, cleaning and farm work, by its usual pay."""
    usual = weekly_dollars.get(row["occupation"])
    return NEGATIVE if usual is not None and usual < LOW_PAY else ABSTAIN


@labeling_function()
def manual_occupation(row: Row) -> int:
    """Operators, drivers and trades: well paid only with experience, diploma and overtime."""
    if row["occupation"] not in MANUAL:
        return ABSTAIN
    experienced = row["marital-status"] in COUPLE and 35 <= number(row, "age") <= 60
    overtime = number(row, "hours-per-week") > 45 and number(row, "education-num") >= 9
    return ABSTAIN if experienced and overtime else NEGATIVE


@labeling_function()
def clerk(row: Row) -> int:
    """Office clerks earn below the line."""
    return NEGATIVE if row["occupation"] == "Adm-clerical" else ABSTAIN


@labeling_function()
def not_working(row: Row) -> int:
    """No occupation recorded, no pay or never worked."""
    unpaid = row["workclass"] in {"Without-pay", "Never-worked"}
    return NEGATIVE if unpaid or row["occupation"] is None else ABSTAIN


@labeling_function()
def never_married(row: Row) -> int:
    """Mostly young, at the start of their working lives."""
    return NEGATIVE if row["marital-status"] == "Never-married" else ABSTAIN


@labeling_function()
def no_longer_married(row: Row) -> int:
    """One adult's pay alone, without a higher degree or a manager's post."""
    apart = row["marital-status"] in {"Divorced", "Separated", "Widowed", "Married-spouse-absent"}
    return NEGATIVE if apart and row["education"] not in DEGREE else ABSTAIN


@labeling_function()
def dependent(row: Row) -> int:
    """Children and other relatives in somebody's household."""
    return NEGATIVE if row["relationship"] in {"Own-child", "Other-relative"} else ABSTAIN


@labeling_function()
def established_couple(row: Row) -> int:
    """Married, in the years of highest pay, full time, with more than a high-school diploma."""
    prime = row["marital-status"] in COUPLE and 35 <= number(row, "age") <= 60
    full = prime and number(row, "hours-per-week") >= 40 and number(row, "education-num") >= 10
    return POSITIVE if full else ABSTAIN


@labeling_function()
def young(row: Row) -> int:
    """Under 26 hardly anybody has reached that pay."""
    return NEGATIVE if number(row, "age") < 26 else ABSTAIN


@labeling_function()
def of_pension_age(row: Row) -> int:
    """Past 65, without income from capital."""
    return NEGATIVE if number(row, "age") > 65 and number(row, "capital-gain") < 5000 else ABSTAIN


@labeling_function()
def part_time(row: Row) -> int:
    """Less than 35 hours a week."""
    return NEGATIVE if number(row, "hours-per-week") < 35 else ABSTAIN


@labeling_function()
def long_week(row: Row) -> int:
    """Fifty hours or more, in an office rather than on a farm, by somebody who is settled."""
    settled = row["marital-status"] in COUPLE and number(row, "age") >= 30
    office = row["occupation"] in WELL_PAID | MIDDLE | {"Adm-clerical"}
    return POSITIVE if number(row, "hours-per-week") >= 50 and settled and office else ABSTAIN


@labeling_function()
def owner_of_company(row: Row) -> int:
    """Incorporated businesses are those that earn well."""
    settled = row["marital-status"] in COUPLE and number(row, "age") >= 30
    return POSITIVE if row["workclass"] == "Self-emp-inc" and settled else ABSTAIN


@labeling_function()
def federal_career(row: Row) -> int:
    """Federal pay scales rise with service."""
    settled = row["marital-status"] in COUPLE and number(row, "age") >= 35
    return POSITIVE if row["workclass"] == "Federal-gov" and settled else ABSTAIN


@preprocessor(memoize=True)
def with_expected_pay(row: Any) -> Any:
    """Work that two functions share: `expected_pay` as a further column."""
    row["expected_pay"] = expected_pay(row)
    return row


@labeling_function(pre=[with_expected_pay])
def high_expected_pay(row: Row) -> int:
    """School, experience and hours alone lead to expect more than the line."""
    return POSITIVE if row["expected_pay"] >= 52_000 else ABSTAIN


@labeling_function(pre=[with_expected_pay])
def low_expected_pay(row: Row) -> int:
    """School, experience and hours alone lead to expect far less than the line."""
    return NEGATIVE if row["expected_pay"] < 28_000 else ABSTAIN


@preprocessor(memoize=True)
def with_usual_income(row: Any) -> Any:
    """Work that two functions share: `usual_income` as a further column."""
    row["usual_income"] = usual_income(row)
    return row


@labeling_function(pre=[with_usual_income])
def usual_income_near(row: Row) -> int:
    """What such people usually earn lies on one side of the line."""
    if row["usual_income"] >= 46_000:
        return POSITIVE
    return NEGATIVE if row["usual_income"] < 32_000 else ABSTAIN


@labeling_function(pre=[with_usual_income])
def usual_income_far(row: Row) -> int:
    """What such people usually earn lies far from the line, so that luck hardly bridges it."""
    if row["usual_income"] >= 65_000:
        return POSITIVE
    return NEGATIVE if row["usual_income"] < 20_000 else ABSTAIN


@labeling_function()
def professional_degree(row: Row) -> int:
    """Physicians, lawyers and doctors of any kind are the best paid graduates."""
    degree = row["education"] in {"Prof-school", "Doctorate"} and number(row, "age") >= 28
    return POSITIVE if degree and number(row, "hours-per-week") >= 35 else ABSTAIN


@labeling_function()
def alone_and_young(row: Row) -> int:
    """Under 35 and not married: early in a career, degree or not."""
    alone = row["marital-status"] not in COUPLE
    return NEGATIVE if alone and number(row, "age") < 35 else ABSTAIN


@labeling_function()
def alone_usual_week(row: Row) -> int:
    """Not married and no long week: half of the married men's income, at all ages."""
    alone = row["marital-status"] not in COUPLE
    return NEGATIVE if alone and number(row, "hours-per-week") < 50 else ABSTAIN


@labeling_function()
def couple_up_to_high_school(row: Row) -> int:
    """Married, but with a diploma at most and no manager: less than one in three earns that."""
    plain = number(row, "education-num") <= 9 and row["occupation"] not in WELL_PAID
    return NEGATIVE if row["marital-status"] in COUPLE and plain else ABSTAIN


@labeling_function()
def young_couple(row: Row) -> int:
    """Married before 30 and without a degree: low on the ladder."""
    young = row["marital-status"] in COUPLE and number(row, "age") < 30
    return NEGATIVE if young and row["education"] not in DEGREE else ABSTAIN


@labeling_function()
def small_business(row: Row) -> int:
    """Who is self-employed without a company and without a degree runs a small trade or a farm."""
    own = row["workclass"] == "Self-emp-not-inc"
    return NEGATIVE if own and row["education"] not in DEGREE else ABSTAIN


@labeling_function()
def graduate_long_week(row: Row) -> int:
    """Graduates past 35 who work fifty hours have a career, married or not."""
    long = number(row, "hours-per-week") >= 50 and number(row, "age") >= 35
    return POSITIVE if long and row["education"] in DEGREE else ABSTAIN


@labeling_function()
def winding_down(row: Row) -> int:
    """From 60 on, on a reduced week, without income from capital."""
    reduced = number(row, "age") >= 60 and number(row, "hours-per-week") < 38
    return NEGATIVE if reduced and number(row, "capital-gain") < 5000 else ABSTAIN


@labeling_function()
def no_capital_no_degree(row: Row) -> int:
    """Neither investments nor a degree."""
    capital = row["capital-gain"] == 0 and row["capital-loss"] == 0
    return NEGATIVE if capital and row["education"] not in DEGREE else ABSTAIN


@labeling_function()
def public_teacher(row: Row) -> int:
    """Professionals paid by state or town are mostly teachers and social workers."""
    public = row["workclass"] in {"Local-gov", "State-gov"}
    other = row["occupation"] != "Prof-specialty" or row["education"] in {
        "Prof-school",
        "Doctorate",
    }
    return NEGATIVE if public and not other else ABSTAIN


@labeling_function()
def very_large_capital_gain(row: Row) -> int:
    """Gains of this size are a fortune's."""
    return POSITIVE if number(row, "capital-gain") >= 14_000 else ABSTAIN


@labeling_function()
def prime_couple(row: Row) -> int:
    """Married, in the years of the highest pay of all, full time, with a diploma."""
    prime = row["marital-status"] in COUPLE and 40 <= number(row, "age") <= 58
    full = prime and number(row, "hours-per-week") >= 40 and number(row, "education-num") >= 9
    return POSITIVE if full else ABSTAIN


@labeling_function()
def couple_with_higher_degree(row: Row) -> int:
    """Married, with a higher degree, and past the first ten years at work."""
    settled = row["marital-status"] in COUPLE and number(row, "age") >= 35
    return POSITIVE if settled and row["education"] in HIGHER_DEGREE else ABSTAIN
