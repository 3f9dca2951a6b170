"""Formats of dates: what they read, and which are refused."""

import random
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.columns.date_formats import (
    date_column,
    days_of,
    month_and_day,
    parts_of,
    reader_of,
)

_EPOCH = datetime(1970, 1, 1)


def seconds(moment: datetime) -> int:
    return int((moment.replace(tzinfo=None, microsecond=0) - _EPOCH).total_seconds())


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d",
        "%d.%m.%y",
        "%m/%d/%Y %I:%M %p",
        "%Y%m%d%H%M%S",
        "%d %b %Y",
        "%B %d, %Y",
        "%a, %d %b %Y %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S.%f",
        "%Y-%m",
        "100%% %d|%m|%Y (%H.%M)",
    ],
)
def test_reads_what_python_writes(written: str) -> None:
    reader, draw = reader_of(date_column("seen", written, "UTC")), random.Random(1)
    low = 0 if "%y" in written else int(-3e9)
    for _ in range(500):
        text = datetime.fromtimestamp(draw.randint(low, int(3e9)), UTC).strftime(written)
        moment = datetime.strptime(text, written)
        found = reader.read(text)
        assert found == seconds(moment), text
        parts = (moment.month - 1, moment.weekday(), moment.hour)
        assert tuple(parts_of(found).values()) == parts, text


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Asia/Kathmandu", "UTC"])
def test_offsets_and_seconds_become_the_clock_of_the_zone(zone: str) -> None:
    by_offset = reader_of(date_column("seen", "%Y-%m-%dT%H:%M:%S%z", zone))
    by_seconds = reader_of(date_column("seen", "%s", zone))
    draw = random.Random(2)
    for _ in range(500):
        second = draw.randint(-2_200_000_000, 4_100_000_000)
        expected = seconds(datetime.fromtimestamp(second, ZoneInfo(zone)))
        assert by_seconds.read(f"{second}") == by_seconds.read(f"{second}.75") == expected
        for offset, minutes in (("Z", 0), ("+05:30", 330), ("-0800", -480), ("+01", 60)):
            there = datetime.fromtimestamp(second, timezone(timedelta(minutes=minutes)))
            text = there.strftime("%Y-%m-%dT%H:%M:%S") + offset
            assert by_offset.read(text) == expected, text


def test_without_an_offset_the_text_is_the_clock_of_the_zone() -> None:
    texts = ["2024-07-01 23:30", "2024-03-31 02:30"]  # the latter hour does not exist in Paris
    found = [
        reader_of(date_column("seen", "%Y-%m-%d %H:%M", zone)).read_all(texts)[0].tolist()
        for zone in ("UTC", "Europe/Paris")
    ]
    assert found[0] == found[1] == [seconds(datetime.fromisoformat(text)) for text in texts]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("%Y-%m-%d", "2023-02-29"),
        ("%Y-%m-%d", "2100-02-29"),
        ("%Y-%m-%d", "2024-04-31"),
        ("%Y-%m-%d", "2024-13-01"),
        ("%Y-%m-%d", "2024-00-10"),
        ("%Y-%m-%d", "0000-01-01"),
        ("%Y-%m-%d", "24-01-01"),
        ("%Y-%m-%d", "2024-01-01\n"),
        ("%Y-%m-%d", "2024-01-01x"),
        ("%Y-%m-%d", "\u0662\u0660\u0662\u0664-01-01"),
        ("%Y-%m-%d", ""),
        ("%Y%m%d", "2024111"),
        ("%d/%m/%Y %H:%M", "01/01/2024 24:00"),
        ("%d/%m/%Y %H:%M", "01/01/2024 23:60"),
        ("%d %b %Y", "1 M\u00e4r 2024"),
        ("%d %b %Y", "1 \u017fep 2024"),
        ("%s", "1700000000000"),
        ("%Y-%m-%d %H:%M%z", "2024-01-01 10:00+24:00"),
    ],
)
def test_what_is_not_of_the_format(written: str, text: str) -> None:
    times, known = reader_of(date_column("seen", written, "UTC")).read_all([text])
    assert (times.tolist(), known.tolist()) == ([0], [False])


def test_zeros_blanks_and_capitals_are_free() -> None:
    expected = seconds(datetime(2024, 2, 3, 4, 5))
    reader = reader_of(date_column("seen", "%d %B %Y %H:%M", "UTC"))
    for text in ("03 February 2024 04:05", "3 FEBRUARY  2024\t4:5", "  3 february 2024 4:05 "):
        assert reader.read(text) == expected, text
    assert reader_of(date_column("seen", "%y-%m-%d", "UTC")).read("69-1-1") == seconds(
        datetime(1969, 1, 1)
    )


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("%Y-%m-%q", "'%q' is not among"),
        ("%Y-%m-%", "'%' is not among"),
        ("%Y-%-m", "'%-' is not among"),
        ("%m-%d", "ambiguous without a year"),
        ("%Y", "ambiguous without a month"),
        ("%d.%H", "ambiguous without a year"),
        ("%Y-%m-%d %I:%M", "%I and %p"),
        ("%Y-%m-%d %H:%M %p", "%I and %p"),
        ("%Y-%m-%d %d", "says the day twice"),
        ("%Y-%b-%m", "month and month name twice"),
        ("%H:%S", "seconds without minutes"),
        ("%Y-%m-%d %M", "without an hour"),
        ("%Y-%m-%d %z", "%z needs"),
        ("%s %H", "stand alone"),
        ("day", "neither a date nor an hour"),
    ],
)
def test_formats_that_are_refused(written: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        date_column("seen", written, "UTC")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_zones_that_are_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="there is no time zone"):
        date_column("seen", "%Y-%m-%d", zone)


def test_days_there_and_back() -> None:
    days = np.arange(-800_000, 3_000_000, 97)
    month, day = month_and_day(days)
    dates = np.datetime64("1970-01-01") + days.astype("timedelta64[D]")
    year = dates.astype("datetime64[Y]").astype(int) + 1970
    np.testing.assert_array_equal(month, dates.astype("datetime64[M]").astype(int) % 12 + 1)
    np.testing.assert_array_equal(days_of(year, month, day), days)


def test_parts_that_a_format_holds() -> None:
    held = {w: date_column("seen", w, "UTC").parts for w in ("%Y-%m", "%Y-%m-%d", "%H:%M", "%s")}
    assert held == {
        "%Y-%m": ("month",),
        "%Y-%m-%d": ("month", "weekday"),
        "%H:%M": ("hour",),
        "%s": ("month", "weekday", "hour"),
    }
