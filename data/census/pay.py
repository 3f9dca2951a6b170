"""What people usually earned in the United States in 1994: formulas and a knowledge base.

General knowledge of the labour market, of which nothing was fitted to labels.
"""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

COUPLE = {"Married-civ-spouse", "Married-AF-spouse"}
LOW_PAY = 320  # dollars a week
UNKNOWN_PAY = 350  # dollars a week, where no occupation is recorded
# Years of school behind each rank of education-num.
SCHOOL_YEARS = (0, 3, 6, 8, 9, 10, 11, 12, 12, 13, 14, 14, 16, 18, 19, 20)


def expected_pay(row: Row) -> float:
    """Yearly dollars by the human-capital earnings function (Mincer, 1974) at wages of 1994.

    Log pay grows by .10 for each year of school and by a parabola in years of experience; 9 dollars
    an hour after high school and without experience; 50 weeks a year.
    """
    school = SCHOOL_YEARS[int(row["education-num"] or 9) - 1]
    experience = max(0.0, min((row["age"] or 40) - school - 6, 40))
    growth = 0.10 * (school - 12) + 0.05 * experience - 0.0008 * experience**2
    return 9.0 * math.exp(growth) * (row["hours-per-week"] or 40) * 50


def read_weekly_dollars() -> dict[str, int]:
    """A knowledge base beside this module: usual full-time pay by occupation."""
    path = Path(__file__).with_name("occupations.csv")
    with open(path, encoding="utf-8", newline="") as file:
        return {row["occupation"]: int(row["weekly_dollars"]) for row in csv.DictReader(file)}


WEEKLY_DOLLARS = read_weekly_dollars()


def usual_income(row: Row) -> float:
    """Yearly dollars, from the usual pay in the occupation instead of one wage for all.

    That pay is of people in the middle of their working lives with a year of college. Within an
    occupation log pay grows by .06 for each year of school and by a parabola in years of
    experience. Married people earn a fifth more (the marriage premium that labour economists
    find), owners of a company more still, and federal pay is a tenth above the market.
    """
    school = SCHOOL_YEARS[int(row["education-num"] or 9) - 1]
    experience = max(0.0, min((row["age"] or 40) - school - 6, 40))
    growth = 0.06 * (school - 13) + 0.04 * experience - 0.0006 * experience**2 - 0.45
    growth += 0.18 if row["marital-status"] in COUPLE else 0.0
    growth += {"Self-emp-inc": 0.25, "Federal-gov": 0.1}.get(row["workclass"] or "", 0.0)
    weekly = WEEKLY_DOLLARS.get(row["occupation"] or "", UNKNOWN_PAY)
    return weekly * 52 * math.exp(growth) * (row["hours-per-week"] or 40) / 40
