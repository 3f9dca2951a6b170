"""Columns of dates and times, and the format in which they are written."""

import functools
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import InputError
from core.raw_table import DATE, NUMBER, number
from models.columns.date_formats import DateReader, date_column, reader_of
from pipeline.init.kinds.seen import LEFT_OUT, Counts, Seen, short, stray

MOST_UNREADABLE = 0.02  # share of cells that are not of the format; they count as missing
SAMPLE, SAMPLE_FITS = 50, 0.9  # different cells that a format is tried on first
LONGEST = 60  # characters of a date
LEAST_DIFFERENT = 3  # of dates without anything between their digits
# Where day and month may be either way round, the way that is taken stands first.
_DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%m.%d.%Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d-%b-%y",
    "%d/%b/%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y",
)  # fmt: skip
_TIMES = (
    "", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", "T%H:%M:%S.%f", " %I:%M %p",
    " %I:%M:%S %p", " %I:%M:%S%p", " %I:%M%p", ":%H:%M:%S", ", %H:%M", ", %H:%M:%S",
)  # fmt: skip
_OFFSETS = ("", "%z", " %z")
_OTHERS = (
    "%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%Y-%m", "%Y/%m",
    "%m/%Y", "%m-%Y", "%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y", "%a %b %d %H:%M:%S %Y", "%a %b %d %Y", "%A, %B %d, %Y", "%A, %d %B %Y",
)  # fmt: skip
_SHAPE = re.compile(r".*(\d.*[-/.:, ].*\d|[A-Za-z]{3}.*\d).*", re.DOTALL)
_LOOKS_DATED = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([ T].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
)
_SECONDS, _MILLISECONDS = (1e8, 5e9), (1e11, 5e12)  # since 1970: 1973 to 2128
_YEAR_MONTH_DAY, _YEAR_MONTH = (19000101, 21001231), (190001, 210012)
_TIME_WORDS = re.compile(r"time|date|epoch|_at$|_ts$", re.IGNORECASE)
_MONTH_WORDS = re.compile(r"month|period|date", re.IGNORECASE)


@dataclass(frozen=True)
class _Fit:
    """A format, and the rows whose cells are of it."""

    format: str
    rows: int


def as_date(header: str, counts: Counts, are_numbers: bool) -> Seen | None:
    """Dates or times; None of anything else.

    Args:
      header: Name of the column.
      counts: Its different cells, and how often each is there.
      are_numbers: Whether all are numbers.
    """
    if are_numbers:
        return _digits(header, counts)
    fits = _fits(counts, _formats())
    if fits and fits[0].rows >= (1 - MOST_UNREADABLE) * counts.total():
        return _of_format(header, counts, fits[0].format, _another(counts, fits))
    if not all(map(_LOOKS_DATED.fullmatch, counts)):
        return None
    return Seen(
        header,
        LEFT_OUT,
        f"dates or times of several forms, e.g. '{short(next(iter(counts)))}'",
        "write them in one form",
    )


def as_wanted(header: str, counts: Counts, written: str) -> Seen:
    """Dates because their owner says so.

    Args:
      header: Name of the column.
      counts: Its different cells, and how often each is there.
      written: The format; "" to find it.

    Raises:
      InputError: The format is none.
    """
    if written:
        try:
            date_column(header, written, "UTC")
        except ValueError as error:
            raise InputError(f"--kind {header}=date:{written}: {error}") from error
        fits = _fits(counts, [written], 0)
    else:
        fits = _fits(counts, [*_formats(), "%s", "%Y%m%d", "%Y%m"], 0)
    if not fits or fits[0].rows < (1 - MOST_UNREADABLE) * counts.total():
        nearest = fits[0].format if fits else "%Y-%m-%d"
        known = {cell: "" for cell in counts if _reader(nearest).read(cell) is not None}
        return Seen(
            header,
            LEFT_OUT,
            f"as --kind says dates, but as {nearest} {stray(counts, known)}",
            f"mend the cells, or give the format: --kind '{header}=date:FORMAT'",
        )
    return _of_format(header, counts, fits[0].format, _another(counts, fits))


def _digits(header: str, counts: Counts) -> Seen | None:
    """Dates that are numbers: seconds since 1970, 20240131, 202401."""
    named = _TIME_WORDS.search(header)
    if named and _within(counts, _SECONDS) and _all_fit(counts, "%s"):
        return _of_format(header, counts, "%s", None)
    if named and _within(counts, _MILLISECONDS):
        why = f"milliseconds since 1970, e.g. '{short(next(iter(counts)))}'"
        return Seen(header, LEFT_OUT, why, "divide them by 1000: seconds are a date")
    if len(counts) < LEAST_DIFFERENT:
        return None
    if _within(counts, _YEAR_MONTH_DAY) and _all_fit(counts, "%Y%m%d"):
        return _of_format(header, counts, "%Y%m%d", None)
    if _MONTH_WORDS.search(header) and _within(counts, _YEAR_MONTH) and _all_fit(counts, "%Y%m"):
        return _of_format(header, counts, "%Y%m", None)
    return None


def _all_fit(counts: Counts, written: str) -> bool:
    return any(fit.rows == counts.total() for fit in _fits(counts, [written]))


def _within(counts: Counts, bounds: tuple[float, float]) -> bool:
    plain = (number(cell, NUMBER) for cell in counts)
    return all(each is not None and bounds[0] <= float(each) <= bounds[1] for each in plain)


def _of_format(header: str, counts: Counts, written: str, other: str | None) -> Seen:
    """A column of dates of a format; `other` fits as well and reads them otherwise."""
    times = {cell: time for cell in counts if (time := _reader(written).read(cell)) is not None}
    first, last = min(times, key=times.__getitem__), max(times, key=times.__getitem__)
    what = "seconds since 1970" if written == "%s" else "dates or times"
    advice = ""
    if other is not None:
        advice = (
            f"{other} fits as well: if day and month are the other way round, change its format in "
            "columns.dates"
        )
    elif len(times) < len(counts):
        advice = f"{stray(counts, times)}, and count as missing"
    why = f"{what}, {written}: '{short(first)}' to '{short(last)}'"
    return Seen(header, DATE, why, advice, format=written)


def _fits(counts: Counts, formats: Sequence[str], least: float = SAMPLE_FITS) -> list[_Fit]:
    """Formats that fit, the best first; of those that fit equally in their order."""
    cells = list(counts)
    sample = cells[:: max(1, len(cells) // SAMPLE)]
    if formats == _formats() and sum(map(_may_be_date, sample)) < least * len(sample):
        return []
    found = []
    for written in formats:
        read = _reader(written).read
        if sum(read(cell) is not None for cell in sample) < least * len(sample):
            continue
        rows = sum(times for cell, times in counts.items() if read(cell) is not None)
        if rows:
            found.append(_Fit(written, rows))
    return sorted(found, key=lambda fit: -fit.rows)


def _may_be_date(cell: str) -> bool:
    return len(cell) <= LONGEST and _SHAPE.fullmatch(cell) is not None


def _another(counts: Counts, fits: Sequence[_Fit]) -> str | None:
    """A format that fits as well as the best and reads some cell otherwise."""
    best = _reader(fits[0].format).read
    for fit in fits[1:]:
        if fit.rows < fits[0].rows:
            break
        other = _reader(fit.format).read
        if any(best(cell) != other(cell) for cell in counts):
            return fit.format
    return None


@functools.cache
def _formats() -> tuple[str, ...]:
    return (*_combined(), *_OTHERS)


def _combined() -> Iterator[str]:
    for date, time, offset in itertools.product(_DATES, _TIMES, _OFFSETS):
        if time or not offset:
            yield f"{date}{time}{offset}"


@functools.cache
def _reader(written: str) -> DateReader:
    return reader_of(date_column("", written, "UTC"))
