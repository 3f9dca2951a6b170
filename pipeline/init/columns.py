"""What each column of a file is, why, and what its owner may do about it.

A column is taken over as numbers, categories or free text, or left out with a reason. Nothing is
guessed silently: every decision is a row of the table that `init` prints.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.raw_table import CATEGORY, DECIMAL_COMMA, NUMBER, NUMBERS, TEXT, number, present

LEFT_OUT, LABEL = "left out", "label"
# Texts that stand for an unknown value: those of pandas.read_csv, and the question mark.
UNKNOWN = (
    "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
)  # fmt: skip
MIN_PRESENCE = 0.01  # as features.min_presence, below which the DAG would drop the column
MOST_VALUES = 200  # of a category
FEW_VALUES = 20  # a category in a file of any size, if each is there twice
ROWS_A_VALUE = 5  # at least, on average, of a category of more values
WORDS_OF_TEXT = 4  # on average, in free text
_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([ T].*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AaPp][Mm])?"
)
_EPOCHS = ((1e8, 5e9), (1e11, 5e12))  # seconds and milliseconds since 1970: 1973 to 2128
_TIME_WORDS = re.compile(r"time|date|epoch|_at$|_ts$", re.IGNORECASE)
_ID_WORDS = re.compile(r"(^|[^a-z])(id|nr|no|key|uuid|guid|index|number)$", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """A column as it was found.

    Attributes:
      header: Its name in the file.
      kind: NUMBER, DECIMAL_COMMA, CATEGORY, TEXT, LABEL or LEFT_OUT.
      why: What in the values says so.
      advice: What to do if something else is wanted; "" where nothing is to be said.
      values: Distinct values of a category, sorted.
    """

    header: str
    kind: str
    why: str
    advice: str = ""
    values: tuple[str, ...] = ()


def unknown_texts(columns: Mapping[str, Sequence[str]], more: Sequence[str]) -> tuple[str, ...]:
    """Those of UNKNOWN, and of `more`, that occur as whole cells."""
    wanted = (*UNKNOWN, *more)
    found = {cell.strip() for cells in columns.values() for cell in set(cells)}
    return tuple(text for text in dict.fromkeys(wanted) if text in found)


def describe(
    header: str, cells: Sequence[str], missing: Sequence[str], wanted: str | None = None
) -> Seen:
    """What a column is.

    Args:
      header: Its name.
      cells: Its cells.
      missing: Texts that stand for an unknown value.
      wanted: The kind that its owner says it has; None to find out.
    """
    if not header:
        return Seen(header, LEFT_OUT, "it has no name", "name it in the header")
    known = [cell for cell in present(cells, missing) if cell]
    counts = Counter(known)
    if wanted is not None:
        return _as_wanted(header, known, counts, wanted)
    share = len(known) / len(cells)
    if not known:
        return Seen(header, LEFT_OUT, "empty in every row")
    if share < MIN_PRESENCE:
        return Seen(header, LEFT_OUT, f"empty in {1 - share:.2%} of the rows", "bring more values")
    if len(counts) == 1:
        return Seen(header, LEFT_OUT, f"constant: always '{_short(known[0])}'")
    for look in (_as_date, _as_numbers, _as_mixed):
        if (seen := look(header, known, counts)) is not None:
            return seen
    return _as_text(header, known, counts)


def _as_wanted(header: str, known: list[str], counts: Counter[str], wanted: str) -> Seen:
    why = "as --kind says"
    if wanted in (LEFT_OUT, TEXT):
        return Seen(header, wanted, why)
    if wanted == CATEGORY:
        return Seen(header, CATEGORY, f"{why}: {len(counts)} values", "", tuple(sorted(counts)))
    kind, stray = _number_kind(counts)
    if stray:
        return Seen(header, LEFT_OUT, f"{why} a number, but {_stray(known, stray)}", _MEND)
    return Seen(header, kind, why)


def _as_date(header: str, known: list[str], counts: Counter[str]) -> Seen | None:
    dates = [cell for cell in counts if _DATE.fullmatch(cell)]
    epoch = _TIME_WORDS.search(header) and all(_is_epoch(cell) for cell in counts)
    if len(dates) < len(counts) and not epoch:
        return None
    what = "seconds since 1970" if epoch else "dates or times"
    return Seen(
        header,
        LEFT_OUT,
        f"{what}, e.g. '{_short(known[0])}': a later one is never like an earlier one",
        "derive what repeats (month, weekday, hour, age in days) as a column of its own",
    )


def _is_epoch(cell: str) -> bool:
    plain = number(cell, NUMBER)
    return plain is not None and any(low <= float(plain) <= high for low, high in _EPOCHS)


def _as_numbers(header: str, known: list[str], counts: Counter[str]) -> Seen | None:
    kind, stray = _number_kind(counts)
    if stray:
        return None
    if len(counts) == 2:
        low, high = sorted(counts)
        return Seen(header, CATEGORY, f"two values: {low} and {high}", "", (low, high))
    values = [float(number(cell, kind) or 0) for cell in known]
    whole = all(value.is_integer() for value in values)
    spread = f"{min(values):g} to {max(values):g}"
    if whole and len(set(values)) == len(values) and len(values) >= FEW_VALUES:
        dense = max(values) - min(values) < 2 * len(values)
        if dense or _ID_WORDS.search(header):
            return Seen(
                header,
                LEFT_OUT,
                f"an id: whole numbers, {spread}, another one in each row",
                _OTHERWISE.format(header, NUMBER),
            )
    if not whole:
        return Seen(header, kind, f"numbers, {spread}{_form(counts, kind)}")
    codes = len(counts) <= MOST_VALUES and len(known) >= ROWS_A_VALUE * len(counts)
    return Seen(
        header,
        kind,
        f"whole numbers, {spread}, {len(counts)} different{_form(counts, kind)}",
        f"a code? {_OTHERWISE.format(header, CATEGORY)}" if codes else "",
    )


def _as_mixed(header: str, known: list[str], counts: Counter[str]) -> Seen | None:
    _, stray = _number_kind(counts)
    numbers = sum(count for cell, count in counts.items() if cell not in stray)
    if numbers < len(known) / 2 or _is_category(known, counts, FEW_VALUES):
        return None
    return Seen(header, LEFT_OUT, f"numbers, but {_stray(known, stray)}", _MEND)


def _as_text(header: str, known: list[str], counts: Counter[str]) -> Seen:
    words = sum(cell.count(" ") + 1 for cell in known) / len(known)
    if _is_category(known, counts, MOST_VALUES):
        return Seen(header, CATEGORY, f"{len(counts)} different texts", "", tuple(sorted(counts)))
    of_rows = f"{len(counts)} different texts in {len(known)} rows"
    if words >= WORDS_OF_TEXT:
        return Seen(header, TEXT, f"free text, {words:.0f} words on average: {of_rows}")
    return Seen(
        header,
        LEFT_OUT,
        f"{of_rows}: an id, or too many values to learn from",
        "group the values, e.g. by region or type",
    )


def _is_category(known: list[str], counts: Counter[str], most: int) -> bool:
    rows_a_value = 2 if len(counts) <= FEW_VALUES else ROWS_A_VALUE
    return len(counts) <= most and len(known) >= rows_a_value * len(counts)


def _number_kind(counts: Counter[str]) -> tuple[str, set[str]]:
    """The way in which most values are numbers, and the values that are none in it."""
    stray = {kind: {cell for cell in counts if number(cell, kind) is None} for kind in NUMBERS}
    kind = DECIMAL_COMMA if len(stray[DECIMAL_COMMA]) < len(stray[NUMBER]) else NUMBER
    return kind, stray[kind]


def _form(counts: Counter[str], kind: str) -> str:
    changed = next((cell for cell in counts if number(cell, kind) != cell), None)
    return f"; '{changed}' is read as {number(changed, kind)}" if changed is not None else ""


def _stray(known: list[str], stray: set[str]) -> str:
    rows = [cell for cell in known if cell in stray]
    first = _short(rows[0])
    return f"{len(rows)} cells are none, e.g. '{first}' ({len(stray)} different)"


def _short(cell: str) -> str:
    flat = " ".join(cell.split())
    return flat if len(flat) <= 30 else f"{flat[:29]}…"


_MEND = "mend the cells, or name what means unknown with --missing TEXT"
_OTHERWISE = "--kind '{}={}'"
