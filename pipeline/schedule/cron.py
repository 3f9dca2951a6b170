"""Cron expressions as crontab(5) reads them, and the slots that they name.

APScheduler computes the times. Three of its ways are not crontab's and are undone here: its
weekdays count from Monday, an hour that a change to winter time repeats comes twice, and a day of
the month beside a weekday means both, not either.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

_FIELDS = ("minute", "hour", "day of month", "month", "weekday")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_TERM = re.compile(r"(?P<first>\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_FIRST_WINDOW, _LONGEST_WINDOW = timedelta(minutes=1), timedelta(days=3650)


@dataclass(frozen=True)
class Slots:
    """The times that a cron expression names, in a time zone.

    repeats: whether both of an hour that winter time repeats count.
    """

    trigger: CronTrigger
    repeats: bool = True

    def next(self, now: datetime) -> datetime | None:
        """The first slot after `now`, in UTC."""
        zone = self.trigger.timezone
        local = now.astimezone(zone)
        while slot := self.trigger.get_next_fire_time(local, local):
            # Through UTC, so that `fold` says which of two equal hours it is.
            local = slot.astimezone(UTC).astimezone(zone)
            if self.repeats or not local.fold:
                return local.astimezone(UTC)
        return None

    def last(self, now: datetime, since: datetime | None = None) -> datetime | None:
        """The last slot after `since` up to `now`, in UTC; None when there was none for years."""
        following = since and self.next(since)
        if following is not None and following > now:
            return None
        window = _FIRST_WINDOW  # widened by and by, so that few slots are walked through
        while window < _LONGEST_WINDOW:
            found, at = None, self.next(now - window)
            while at is not None and at <= now:
                found, at = at, self.next(at)
            if found is not None:
                return found
            window *= 4
        return None


def parse(expression: str, timezone: str) -> Slots:
    """The slots of an expression of five fields.

    Raises:
        ValueError: says what is wrong with the expression or the time zone.
    """
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"'{expression}' has {len(fields)} fields; give {len(_FIELDS)}: {', '.join(_FIELDS)}"
        )
    if fields[2] != "*" and fields[4] != "*":
        raise ValueError(
            f"'{expression}' names days of the month and weekdays: cron would take either; give one"
        )
    fields[4] = ",".join(_weekdays(term) for term in fields[4].split(","))
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone '{timezone}'; give UTC or Area/City") from None
    try:
        trigger = CronTrigger.from_crontab(" ".join(fields), timezone=zone)
    except ValueError as error:
        raise ValueError(f"'{expression}' is no cron expression: {error}") from None
    slots = Slots(trigger, repeats="*" in fields[1])
    if slots.next(datetime.now(UTC)) is None:
        raise ValueError(f"'{expression}' names no time that ever comes")
    return slots


def _weekdays(term: str) -> str:
    """One term of the weekday field with names in place of numbers: `0-2` is sun,mon,tue."""
    match = _WEEKDAY_TERM.fullmatch(term.replace("*/", "0-6/"))
    if match is None or not match["first"].isdigit():
        return term
    first = int(match["first"])
    last = int(match["last"]) if (match["last"] or "").isdigit() else first
    if max(first, last) >= len(_WEEKDAYS) or (match["last"] and first > last):
        raise ValueError(f"'{term}' is no weekday: give 0 to 7 (Sunday is 0 and 7) or names")
    return ",".join(_WEEKDAYS[first : last + 1 : int(match["step"] or 1)])
