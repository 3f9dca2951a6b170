"""Columns of dates and times."""

import re

from core.raw_table import NUMBER, number
from pipeline.init.kinds.seen import LEFT_OUT, Counts, Seen, short

_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([ T].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
)
_EPOCHS = ((1e8, 5e9), (1e11, 5e12))  # seconds and milliseconds since 1970: 1973 to 2128
_TIME_WORDS = re.compile(r"time|date|epoch|_at$|_ts$", re.IGNORECASE)


def as_date(header: str, counts: Counts) -> Seen | None:
    """Dates or times; None of anything else."""
    dated = all(map(_DATE.fullmatch, counts))
    epoch = not dated and _TIME_WORDS.search(header) and all(map(_is_epoch, counts))
    if not dated and not epoch:
        return None
    what = "seconds since 1970" if epoch else "dates or times"
    return Seen(
        header,
        LEFT_OUT,
        f"{what}, e.g. '{short(next(iter(counts)))}': a later one is never like an earlier one",
        "derive what repeats (month, weekday, hour, age in days) as a column of its own",
    )


def _is_epoch(cell: str) -> bool:
    plain = number(cell, NUMBER)
    return plain is not None and any(low <= float(plain) <= high for low, high in _EPOCHS)
