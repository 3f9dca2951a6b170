"""Columns of numbers: amounts, ids, and numbers that mean unknown."""

import re
import shlex
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.raw_table import CATEGORY, DECIMAL_COMMA, NUMBER, number
from pipeline.init import header_words
from pipeline.init.kinds import codes
from pipeline.init.kinds.seen import (
    LEFT_OUT,
    ROWS_A_VALUE,
    Counts,
    Seen,
    otherwise,
    short,
)

MOST_CODES = 200  # different whole numbers that may be codes
LEAST_ROWS_OF_IDS = 20
SENTINEL_SHARE, LEAST_TIMES = 0.01, 5  # of a number that may mean unknown: its rows, at least
LEAST_OTHERS = 3  # values besides it
_CODE_OF_UNKNOWN = re.compile(r"-([789])\1*(\.0+)?", re.ASCII)


def number_kind(counts: Counts) -> tuple[str, dict[str, str]]:
    """The way in which most values are numbers, and the plain form of those that are."""
    plain = _numbers(counts, NUMBER)
    if len(plain) == len(counts):
        return NUMBER, plain
    with_comma = _numbers(counts, DECIMAL_COMMA)
    return (DECIMAL_COMMA, with_comma) if len(with_comma) > len(plain) else (NUMBER, plain)


def _numbers(counts: Iterable[str], kind: str) -> dict[str, str]:
    return {cell: plain for cell in counts if (plain := number(cell, kind)) is not None}


def as_numbers(header: str, counts: Counts, kind: str, numbers: Mapping[str, str]) -> Seen:
    """Numbers; left out where they are ids, or one number to a model."""
    if len(counts) == 2:
        low, high = sorted(counts)
        return Seen(header, CATEGORY, f"two values: {low} and {high}", "", (low, high))
    values = np.array(list(map(float, numbers.values())))
    whole = bool((values == np.floor(values)).all())
    low, high = values.min(), values.max()
    if len(np.unique(values.astype(np.float32))) == 1:
        why = f"{low:g} to {high:g}, which is one number as a 32-bit float, as models see it"
        return Seen(header, LEFT_OUT, why, "scale or shift it")
    spread = f"{low:g} to {high:g}"
    total = counts.total()
    different = len(np.unique(values))
    another = whole and different == total and total >= LEAST_ROWS_OF_IDS
    if another and (high - low < 2 * total or header_words.is_id(header)):
        return Seen(
            header,
            LEFT_OUT,
            f"an id: whole numbers, {spread}, another one in each row",
            otherwise(header, NUMBER),
        )
    form = _form(numbers)
    advice = _unknown_number(values, counts)
    if not whole:
        return Seen(header, kind, f"numbers, {spread}{form}", advice)
    named = len(counts) <= MOST_CODES and total >= ROWS_A_VALUE * len(counts)
    if not advice and ((named and header_words.is_code(header)) or codes.may_be(counts, numbers)):
        advice = f"a code? {otherwise(header, CATEGORY)}"
    return Seen(header, kind, f"whole numbers, {spread}, {len(counts)} different{form}", advice)


def _unknown_number(values: NDArray[np.float64], counts: Counts) -> str:
    """What to do about a number that may stand for an unknown value, such as -999; "" if none."""
    cells = np.array(list(counts))
    times = np.array(list(counts.values()))
    least = max(LEAST_TIMES, SENTINEL_SHARE * times.sum())
    below = values < 0
    negative = cells[below & (times >= least)].tolist()
    alone = len(negative) == 1 or all(map(_CODE_OF_UNKNOWN.fullmatch, negative))
    unknown: list[str] = []
    whole = bool((values[below] == np.floor(values[below])).all())
    others = int((~below).sum())
    if alone and whole and 0 < len(negative) == below.sum() and others >= LEAST_OTHERS:
        unknown, cells = negative, cells[~below]
        values, times = values[~below], times[~below]
    order = np.argsort(values, kind="stable")
    for end, rest in ((order[0], order[1:]), (order[-1], order[:-1])):
        if len(rest) >= LEAST_OTHERS and times[end] >= least:
            low, high = values[rest].min(), values[rest].max()
            if min(abs(values[end] - low), abs(values[end] - high)) > high - low:
                unknown.append(str(cells[end]))
    if not unknown:
        return ""
    share = sum(counts[cell] for cell in unknown) / counts.total()
    flags = " ".join(shlex.quote(f"--missing={cell}") for cell in unknown)
    return f"{' and '.join(unknown)} ({share:.0%} of its rows): probably 'unknown', {flags}"


def _form(numbers: Mapping[str, str]) -> str:
    changed = next((cell for cell, plain in numbers.items() if plain != cell), None)
    return f"; '{short(changed)}' is read as {numbers[changed]}" if changed is not None else ""
