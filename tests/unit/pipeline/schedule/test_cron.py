"""Cron expressions: as crontab(5) reads them, through changes of the clock, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InputError
from pipeline.config.load import load
from pipeline.schedule.cron import parse

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "last", "following"),
    [
        ("0 3 * * *", "2026-01-05T03:00", "2026-01-05T03:00", "2026-01-06T03:00"),
        ("0 3 * * *", "2026-01-05T02:59", "2026-01-04T03:00", "2026-01-05T03:00"),
        ("*/15 * * * *", "2026-01-05T03:16", "2026-01-05T03:15", "2026-01-05T03:30"),
        ("0 3 29 2 *", "2027-06-01T00:00", "2024-02-29T03:00", "2028-02-29T03:00"),
        # 2026-01-04 is a Sunday, which APScheduler's own reading of 0 makes a Monday.
        ("0 3 * * 0", "2026-01-07T00:00", "2026-01-04T03:00", "2026-01-11T03:00"),
        ("0 3 * * 7", "2026-01-07T00:00", "2026-01-04T03:00", "2026-01-11T03:00"),
        ("0 3 * * 1-5", "2026-01-04T00:00", "2026-01-02T03:00", "2026-01-05T03:00"),
        ("0 3 * * 6-7", "2026-01-05T00:00", "2026-01-04T03:00", "2026-01-10T03:00"),
        ("0 3 * * 0,3", "2026-01-05T00:00", "2026-01-04T03:00", "2026-01-07T03:00"),
        ("0 3 * * */3", "2026-01-05T00:00", "2026-01-04T03:00", "2026-01-07T03:00"),
        ("0 3 * * sun", "2026-01-07T00:00", "2026-01-04T03:00", "2026-01-11T03:00"),
    ],
)
def test_slots(expression: str, now: str, last: str, following: str) -> None:
    slots = parse(expression, "UTC")
    assert slots.last(at(now)) == at(last)
    assert slots.next(at(now)) == at(following)
    assert slots.last(at(now), since=at(last)) is None
    assert slots.last(at(now), since=at(last) - timedelta(seconds=1)) == at(last)


def test_a_time_that_summer_time_leaves_out_comes_once() -> None:
    slots = parse("30 2 * * *", BERLIN)  # 02:30 is left out on 2026-03-29
    assert slots.next(at("2026-03-28T02:00")) == at("2026-03-29T01:30")
    assert slots.next(at("2026-03-29T01:30")) == at("2026-03-30T00:30")


def test_a_time_that_winter_time_repeats_comes_once() -> None:
    slots = parse("30 2 * * *", BERLIN)  # 02:30 is at 00:30 and 01:30 UTC on 2026-10-25
    assert slots.next(at("2026-10-25T00:00")) == at("2026-10-25T00:30")
    assert slots.next(at("2026-10-25T00:30")) == at("2026-10-26T01:30")
    assert slots.last(at("2026-10-25T02:00")) == at("2026-10-25T00:30")


def test_every_hour_stays_every_hour_through_winter_time() -> None:
    slots = parse("0 * * * *", BERLIN)
    assert slots.next(at("2026-10-25T00:00")) == at("2026-10-25T01:00")
    assert slots.last(at("2026-10-25T01:30")) == at("2026-10-25T01:00")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.cron=0 3 * *", "schedule.cron: '0 3 * *' has 4 fields; give 5: minute, hour"),
        ("schedule.cron=0 25 * * *", "'0 25 * * *' is no cron expression"),
        ("schedule.cron=x 3 * * *", "'x 3 * * *' is no cron expression"),
        ("schedule.cron=0 3 31 2 *", "'0 3 31 2 *' names no time that ever comes"),
        ("schedule.cron=0 3 1 * 1", "names days of the month and weekdays"),
        ("schedule.cron=0 3 * * 8", "'8' is no weekday: give 0 to 7"),
        ("schedule.cron=0 3 * * 5-1", "'5-1' is no weekday"),
        ("schedule.timezone=Europe/Atlantis", "schedule.timezone: there is no time zone"),
        ("schedule.timezone=../etc/passwd", "schedule.timezone: there is no time zone"),
        ("metrics.textfile=/x/run.txt", "metrics.textfile: '/x/run.txt' does not end in .prom"),
    ],
)
def test_what_is_refused(override: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        load("census", [override])
    assert message in str(error.value)
    assert f"--set {override}" in str(error.value)


def test_one_place_for_the_webhook() -> None:
    with pytest.raises(InputError, match=r"notify.webhook_variable is given, too"):
        load("census", ["notify.webhook_variable=A", "notify.webhook_file=b"])
