"""Dates and times as texts: what a format says, and how one is read; without TensorFlow.

A time is the number of seconds since 1970-01-01 00:00 on the clock of the column's zone, so that
its month, its weekday and its hour are those of that clock. A text without an offset is read as
that clock's; one with an offset (`%z`), and seconds since 1970 in UTC (`%s`), are converted to it.

The arithmetic on days works on Python's numbers, NumPy's arrays and TensorFlow's tensors alike.
"""

import bisect
import dataclasses
import functools
import re
import zoneinfo
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY, HOUR, MINUTE = 86400, 3600, 60  # seconds
PARTS = {"month": 12, "weekday": 7, "hour": 24}
"""Categories that are made of a time, and how many values each has."""

PIVOT = 69  # of two digits, as POSIX has it: 1969 to 2068
CENTURY = 2000
_EPOCH_DAYS = 719468  # from 0000-03-01 to 1970-01-01
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
BEFORE_ALL = -(2**62)


def _any_case(names: Iterable[str]) -> str:
    """A regular expression for words in capitals or not; that of ASCII alone."""
    return "|".join("".join(f"[{c.upper()}{c}]" for c in name) for name in names)


# By directive: what it holds, and how it is written: with a leading zero at will, and always with.
_NUMBERS = {
    "m": ("month", "0?[1-9]|1[0-2]", "0[1-9]|1[0-2]"),
    "d": ("day", "0?[1-9]|[12][0-9]|3[01]", "0[1-9]|[12][0-9]|3[01]"),
    "H": ("hour", "[01]?[0-9]|2[0-3]", "[01][0-9]|2[0-3]"),
    "I": ("hour12", "0?[1-9]|1[0-2]", "0[1-9]|1[0-2]"),
    "M": ("minute", "[0-5]?[0-9]", "[0-5][0-9]"),
    "S": ("second", "[0-5]?[0-9]", "[0-5][0-9]"),
}
_OTHERS = {
    "Y": ("year", "[1-9][0-9]{3}"),
    "y": ("year_of_century", "[0-9]{2}"),
    "b": ("month_name", _any_case(MONTHS)),
    "B": ("month_name", _any_case(_FULL_MONTHS)),
    "p": ("half", "[AaPp][Mm]"),
    "z": ("offset", "[Zz]|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?"),
    "s": ("epoch", "-?[0-9]{1,11}"),
}
_IGNORED = {
    "f": "[0-9]{1,9}",
    "a": _any_case(day[:3] for day in _DAYS),
    "A": _any_case(_DAYS),
}
_DIGITS = (*_NUMBERS, "Y", "y", "f", "s")
DIRECTIVES = " ".join(f"%{d}" for d in (*"YymbdHIpMSfaAzs", "B"))
_DATE = ("year", "year_of_century", "month", "month_name", "day")
_ONE_OF = (("year", "year_of_century"), ("month", "month_name"), ("hour", "hour12"))


@dataclasses.dataclass(frozen=True)
class DateColumn:
    """A column of dates or times, and how its texts are read.

    Attributes:
      column: Its name.
      format: As the configuration has it.
      timezone: IANA's name of the zone whose clock counts.
      pattern: Regular expression for a whole text; RE2, Python and JavaScript agree on it.
      fields: What each group of the pattern holds.
      offsets: Ascending (second in UTC, seconds to add from then on) that turn UTC into the clock
        of the zone; empty where texts are of that clock already.
    """

    column: str
    format: str
    timezone: str
    pattern: str
    fields: tuple[str, ...]
    offsets: tuple[tuple[int, int], ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Which of PARTS its texts hold."""
        epoch = "epoch" in self.fields
        held = {
            "month": epoch or "month" in self.fields or "month_name" in self.fields,
            "weekday": epoch or "day" in self.fields,
            "hour": epoch or "hour" in self.fields or "hour12" in self.fields,
        }
        return tuple(part for part in PARTS if held[part])


def date_column(column: str, written: str, timezone: str) -> DateColumn:
    """What a format and a zone say.

    Raises:
      ValueError: A directive is unknown or stands twice, the format is ambiguous, or there is no
        such zone.
    """
    pieces = list(_pieces(written))
    fields: list[str] = []
    pattern = "[ \t]*"
    for place, (is_directive, piece) in enumerate(pieces):
        if not is_directive:
            pattern += "[ \t]+" if not piece.strip() else re.escape(piece)
        elif piece in _IGNORED:
            pattern += f"(?:{_IGNORED[piece]})"
        else:
            around = [*pieces[max(0, place - 1) : place], *pieces[place + 1 : place + 2]]
            name, *forms = _NUMBERS.get(piece) or _OTHERS[piece]
            pattern += f"({forms[-1 if any(map(_is_digits, around)) else 0]})"
            fields.append(name)
    if "epoch" in fields:
        pattern += r"(?:\.[0-9]+)?"
    _check(fields, written, len(pieces))
    zone = _offsets(timezone)
    converted = "offset" in fields or "epoch" in fields
    return DateColumn(
        column, written, timezone, pattern + "[ \t]*", tuple(fields), zone if converted else ()
    )


def _pieces(written: str) -> Iterator[tuple[bool, str]]:
    """Directives (True, letter) and text between them (False, text)."""
    known = {*_NUMBERS, *_OTHERS, *_IGNORED, "%"}
    for match in re.finditer(r"%(.?)|[ \t]+|[^% \t]+", written, re.DOTALL):
        letter = match[1]
        if letter is None:
            yield False, match[0]
        elif letter in known:
            yield letter != "%", letter
        else:
            raise ValueError(f"'{match[0]}' is not among {DIRECTIVES} and %%")


def _is_digits(piece: tuple[bool, str]) -> bool:
    """Whether digits of a number beside it could be taken for its own."""
    is_directive, text = piece
    return text in _DIGITS if is_directive else text[:1].isdigit() or text[-1:].isdigit()


def _check(fields: list[str], written: str, pieces: int) -> None:
    """Refuses what does not say one moment.

    Raises:
      ValueError: It does not.
    """
    twice = [name for name in fields if fields.count(name) > 1]
    twice += [" and ".join(pair) for pair in _ONE_OF if set(pair) <= {*fields}]
    if twice:
        raise ValueError(f"it says the {twice[0].replace('_', ' ')} twice")
    if "epoch" in fields:
        if pieces > 1:
            raise ValueError("%s, seconds since 1970, has to stand alone")
        return
    held = {*fields}
    date, hour = held & {*_DATE}, held & {"hour", "hour12"}
    if not date and not hour:
        raise ValueError("it holds neither a date nor an hour")
    if date and not held & {"year", "year_of_century"}:
        raise ValueError("it is ambiguous without a year (%Y, %y)")
    if date and not held & {"month", "month_name"}:
        raise ValueError("it is ambiguous without a month (%m, %b, %B)")
    if ("hour12" in held) != ("half" in held):
        raise ValueError("%I and %p are ambiguous without each other")
    if held & {"minute", "second"} and not hour:
        raise ValueError("it has minutes or seconds without an hour (%H)")
    if "second" in held and "minute" not in held:
        raise ValueError("it has seconds without minutes (%M)")
    if "offset" in held and not ("day" in held and hour):
        raise ValueError("%z needs a day (%d) and an hour (%H) beside it")


@functools.cache
def _offsets(timezone: str) -> tuple[tuple[int, int], ...]:
    """Seconds to add to UTC, from when on, for the clock of a zone from 1900 to 2100."""
    try:
        zone = zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"there is no time zone '{timezone}'; IANA's names: Europe/Paris"
        ) from error

    def added(second: int) -> int:
        clock = datetime.fromtimestamp(second, zone).utcoffset()
        return int(clock.total_seconds()) if clock is not None else 0

    low, high = int(_FIRST.timestamp()), int(_LAST.timestamp())
    found = [(BEFORE_ALL, added(low))]
    for start in range(low, high, DAY):
        if added(start + DAY) == found[-1][1]:
            continue
        at = bisect.bisect_left(
            range(start, start + DAY), True, key=lambda second: added(second) != found[-1][1]
        )
        found.append((start + at, added(start + at)))
    return tuple(found)


def days_of(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970-01-01 of a date of the Gregorian calendar; whole numbers of any kind."""
    since_march = (month + 9) % 12
    year = year - since_march // 10
    return (
        365 * year
        + year // 4
        - year // 100
        + year // 400
        + (306 * since_march + 5) // 10
        + (day - 1)
        - _EPOCH_DAYS
    )


def month_and_day(days: Any) -> tuple[Any, Any]:
    """Month, 1 to 12, and day, 1 to 31, of days since 1970-01-01; whole numbers of any kind."""
    of_era = (days + _EPOCH_DAYS) % 146097  # 400 years
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    since_march = (5 * of_year + 2) // 153
    return (since_march + 2) % 12 + 1, of_year - (153 * since_march + 2) // 5 + 1


def parts_of(seconds: Any) -> dict[str, Any]:
    """The values of PARTS, counted from 0, of times; Monday is 0."""
    days = seconds // DAY
    return {
        "month": month_and_day(days)[0] - 1,
        "weekday": (days + 3) % 7,  # 1970-01-01 was a Thursday
        "hour": (seconds - days * DAY) // HOUR,
    }


class DateReader:
    """Reads the texts of a column, one after the other."""

    def __init__(
        self, pattern: str, fields: Iterable[str], offsets: Iterable[tuple[int, int]]
    ) -> None:
        """Takes what a `DateColumn` or a device's document holds."""
        self._pattern, self._fields = re.compile(pattern), tuple(fields)
        self._since: list[int] = []
        self._added: list[int] = []
        for since, added in offsets:
            self._since.append(since)
            self._added.append(added)

    def read(self, text: str) -> int | None:
        """Seconds since 1970 on the zone's clock; None for a text of another format."""
        match = self._pattern.fullmatch(text)
        if match is None:
            return None
        held = dict(zip(self._fields, match.groups(), strict=True))
        if "epoch" in held:
            return self._on_the_clock(int(held["epoch"]))
        days = 0
        if "month" in held or "month_name" in held:
            name = held.get("month_name", "")[:3].lower()
            month = MONTHS.index(name) + 1 if name else int(held["month"])
            short = int(held.get("year_of_century", 0))
            long = short + CENTURY - (100 if short >= PIVOT else 0)
            day = int(held.get("day", 1))
            days = days_of(int(held.get("year", long)), month, day)
            if month_and_day(days) != (month, day):
                return None  # the 31st of April
        hour = int(held.get("hour", 0))
        if "hour12" in held:
            hour = int(held["hour12"]) % 12 + (12 if held["half"][0] in "Pp" else 0)
        minutes = MINUTE * int(held.get("minute", 0))
        seconds = int(days * DAY + HOUR * hour + minutes + int(held.get("second", 0)))
        if "offset" not in held:
            return seconds
        digits = re.sub("[^0-9]", "", held["offset"]).ljust(4, "0")
        offset = HOUR * int(digits[:2]) + MINUTE * int(digits[2:])
        return self._on_the_clock(seconds + (offset if held["offset"][0] == "-" else -offset))

    def _on_the_clock(self, utc: int) -> int:
        return utc + self._added[bisect.bisect_right(self._since, utc) - 1]

    def read_all(self, texts: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
        """Times, int64 [rows], and which texts are of the format, bool [rows]; others are 0."""
        texts = list(texts)
        found = {text: self.read(text) for text in set(texts)}
        times = [found[text] for text in texts]
        known = np.array([time is not None for time in times], bool)
        return np.array([time or 0 for time in times], np.int64), known


def reader_of(column: DateColumn) -> DateReader:
    """The reader of a column's texts."""
    return DateReader(column.pattern, column.fields, column.offsets)
