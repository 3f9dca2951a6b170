"""Dates and times in the Transform graph; `date_formats` reads them without TensorFlow."""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from models.columns.date_formats import (
    CENTURY,
    DAY,
    HOUR,
    MINUTE,
    MONTHS,
    PARTS,
    PIVOT,
    DateColumn,
    days_of,
    month_and_day,
    parts_of,
)

NEWEST_TENSOR = "preprocessing_newest"

NONE = tf.int64.min + 1  # the newest time where there is none; TensorFlow Transform goes no lower


def times_of(texts: tf.Tensor, columns: Sequence[DateColumn]) -> tuple[tf.Tensor, tf.Tensor]:
    """Times, int64 [batch, columns], and which texts are of the format, bool [batch, columns].

    Args:
      texts: string [batch, columns], UTF-8; "" where missing.
      columns: How they are read.
    """
    read = [_Texts(texts[:, n], date).times() for n, date in enumerate(columns)]
    times, known = (tf.stack(values, axis=1) for values in zip(*read, strict=True))
    return times, known


def days_since_newest(times: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Days since the newest time of the training rows, float32 [batch, columns]; NaN for none.

    Fits the newest time of each column as part of Transform: time passes in whole seconds, which
    32 bits do not hold when they are counted from 1970.
    """
    newest = tft.max(tf.where(known, times, NONE), reduce_instance_dims=False)
    newest = tf.identity(newest, name=NEWEST_TENSOR)
    newest = tf.where(tf.equal(newest, NONE), tf.constant(0, tf.int64), newest)
    days = tf.cast(tf.cast(times - newest, tf.float64) / DAY, tf.float32)
    return tf.where(known, days, float("nan"))


def part_ids(
    times: tf.Tensor, known: tf.Tensor, columns: Sequence[DateColumn], offsets: Sequence[int]
) -> tf.Tensor:
    """Ids of month, weekday and hour in the joint id space, int64 [batch, parts of all columns].

    Args:
      times: As `times_of` returns them.
      known: As `times_of` returns it.
      columns: How they are read.
      offsets: First id of each part; that of a missing one stands after the last.
    """
    values = []
    for n, date in enumerate(columns):
        parts = parts_of(times[:, n])
        for part in date.parts:
            values.append(tf.where(known[:, n], parts[part], tf.constant(PARTS[part], tf.int64)))
    return tf.stack(values, axis=1) + tf.constant([list(offsets)], tf.int64)


class _Texts:
    """The texts of one column, string [batch]."""

    def __init__(self, texts: tf.Tensor, date: DateColumn) -> None:
        self._date = date
        self._known = tf.strings.regex_full_match(texts, date.pattern)
        whole = f"^(?:{date.pattern})$"
        self._held = {
            name: tf.where(self._known, tf.strings.regex_replace(texts, whole, rf"\{n}"), "1")
            for n, name in enumerate(date.fields, 1)
        }
        self._zero = tf.zeros_like(texts, tf.int64)

    def times(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Times, int64 [batch], and which texts are of the format, bool [batch]."""
        held, known = self._held, self._known
        if "epoch" in held:
            return self._on_the_clock(self._number("epoch")), known
        days = self._zero
        if "month" in held or "month_name" in held:
            month, day = self._month(), self._number("day", 1)
            days = days_of(self._year(), month, day)
            again = month_and_day(days)
            known &= tf.equal(again[0], month) & tf.equal(again[1], day)  # no 31st of April
        seconds = days * DAY + self._hour() * HOUR
        seconds += self._number("minute") * MINUTE + self._number("second")
        if "offset" in held:
            seconds = self._on_the_clock(seconds - self._offset())
        return seconds, known

    def _number(self, name: str, otherwise: int = 0) -> tf.Tensor:
        if name not in self._held:
            return self._zero + otherwise
        return tf.strings.to_number(self._held[name], tf.int64)

    def _year(self) -> tf.Tensor:
        if "year" in self._held:
            return self._number("year")
        short = self._number("year_of_century")
        return short + CENTURY - 100 * tf.cast(short >= PIVOT, tf.int64)

    def _month(self) -> tf.Tensor:
        if "month" in self._held:
            return self._number("month")
        names = tf.strings.lower(tf.strings.substr(self._held["month_name"], 0, 3))
        return tf.argmax(tf.equal(names[:, tf.newaxis], MONTHS), axis=1) + 1

    def _hour(self) -> tf.Tensor:
        if "hour12" not in self._held:
            return self._number("hour")
        afternoon = tf.strings.regex_full_match(self._held["half"], "[Pp].*")
        return self._number("hour12") % 12 + 12 * tf.cast(afternoon, tf.int64)

    def _offset(self) -> tf.Tensor:
        text = self._held["offset"]
        digits = tf.strings.regex_replace(text, "[^0-9]", "") + "0000"
        hours, minutes = (
            tf.strings.to_number(tf.strings.substr(digits, at, 2), tf.int64) for at in (0, 2)
        )
        seconds = hours * HOUR + minutes * MINUTE
        return tf.where(tf.strings.regex_full_match(text, "-.*"), -seconds, seconds)

    def _on_the_clock(self, utc: tf.Tensor) -> tf.Tensor:
        since, added = zip(*self._date.offsets, strict=True)
        at = tf.searchsorted(tf.constant(since, tf.int64), utc, side="right") - 1
        return utc + tf.gather(tf.constant(added, tf.int64), at)
