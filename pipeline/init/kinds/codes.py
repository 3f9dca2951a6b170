"""Numbers that are names: postcodes, prefixes, codes of charges and diagnoses, ids of products."""

import re
from collections.abc import Mapping

from core.numbers import is_too_large
from core.raw_table import NUMBER
from pipeline.init import header_words
from pipeline.init.kinds.categories import category_or_none, has_frequent, is_listed
from pipeline.init.kinds.seen import LEFT_OUT, MEND, Counts, Seen, otherwise, short, stray

LEAST_WIDTH = 4  # digits of numbers that may be codes
LEAST_CODES, ROWS_A_CODE = 20, 2  # of numbers without a name that says so
ROUND_SHARE = 0.2  # of different amounts that end in 00; of codes fewer do
STRAY_CODES = 3  # different texts among numbers, at least, that are codes with letters
_ZEROS_IN_FRONT = re.compile(r"0\d+", re.ASCII)
_WITH_DIGIT = re.compile(r"\S*\d\S*")


def as_codes(header: str, counts: Counts, is_text: bool) -> Seen | None:
    """Codes among columns that hold nothing but numbers; None of amounts.

    Args:
      header: Name of the column.
      counts: Its values, numbers all of them.
      is_text: Whether the file says that they are texts.
    """
    zeros = next(filter(_ZEROS_IN_FRONT.fullmatch, counts), None)
    if zeros is not None:
        # As a number, 00057 would be 57.
        why = f"{len(counts)} codes with zeros in front, e.g. '{short(zeros)}'"
    elif is_text:
        why = f"{len(counts)} different numbers, which the file holds as texts"
    elif header_words.is_surely_code(header):
        why = f"{len(counts)} codes by their name"
    elif header_words.is_id(header) and has_frequent(counts) and _are_whole(counts):
        why = f"{len(counts)} ids, which repeat"
    elif _fill_a_width(counts):
        why = f"{len(counts)} codes of {len(next(iter(counts)))} digits each"
    else:
        return None
    advice = f"an amount? {otherwise(header, NUMBER)}"
    return category_or_none(header, why, counts, advice, "e.g. by their first digits")


def may_be(counts: Counts, numbers: Mapping[str, str]) -> bool:
    """Whether whole numbers have the form of codes, which amounts may have too."""
    return (
        _are_whole(numbers)
        and len({*map(len, counts)}) == 1
        and len(next(iter(counts))) > LEAST_WIDTH
        and len(counts) >= LEAST_CODES
        and has_frequent(counts)
        and not _are_round(counts)
    )


def as_mixed(header: str, counts: Counts, numbers: Mapping[str, str]) -> Seen | None:
    """Numbers with texts between them: codes, some of them with letters, or a fault.

    None where texts are the most, or the values few.
    """
    rows = sum(counts[cell] for cell in numbers)
    if rows < counts.total() / 2 or is_listed(counts, LEAST_CODES):
        return None
    others = [cell for cell in counts if cell not in numbers]
    coded = len(others) >= STRAY_CODES and all(
        _WITH_DIGIT.fullmatch(cell) and not is_too_large(cell, whole=False) for cell in others
    )
    if (coded or header_words.is_surely_code(header)) and (
        is_listed(counts) or has_frequent(counts)
    ):
        why = f"{len(counts)} codes, some with letters, e.g. '{short(others[0])}'"
        return category_or_none(header, why, counts, "", "")
    return Seen(header, LEFT_OUT, f"numbers, but {stray(counts, numbers)}", MEND)


def _fill_a_width(counts: Counts) -> bool:
    """Whether numbers take up the whole range of a number of digits, and go nowhere beyond it.

    Amounts do not end where a digit is added.
    """
    width = len(next(iter(counts)))
    return (
        width >= LEAST_WIDTH
        and len(counts) >= LEAST_CODES
        and counts.total() >= ROWS_A_CODE * len(counts)
        and all(len(cell) == width and cell.isdecimal() for cell in counts)
        and min(counts)[0] == "1"
        and max(counts)[0] == "9"
        and not _are_round(counts)
    )


def _are_whole(cells: Mapping[str, object]) -> bool:
    return all(cell.isdecimal() for cell in cells)


def _are_round(counts: Counts) -> bool:
    return sum(cell.endswith("00") for cell in counts) >= ROUND_SHARE * len(counts)
