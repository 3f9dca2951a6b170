"""What each column of a file is, why, and what its owner may do about it.

A column is taken over as numbers, categories, dates or text, or left out with a reason. Nothing is
guessed silently: every decision is a row of the table that `init` prints.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from core.raw_table import CATEGORY, DATE, NUMBER, TEXT, present
from pipeline.init.kinds import codes, dates, numbers, texts
from pipeline.init.kinds.categories import category
from pipeline.init.kinds.seen import LEFT_OUT, MEND, Counts, Seen, short, stray

# Texts that stand for an unknown value: those of pandas.read_csv, and the question mark.
UNKNOWN = (
    "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null",
)  # fmt: skip
MIN_PRESENCE = 0.01  # as features.min_presence, below which the DAG would drop the column


def unknown_texts(tallies: Iterable[Iterable[str]], more: Sequence[str]) -> tuple[str, ...]:
    """Those of UNKNOWN, and of `more`, that occur as whole cells.

    Args:
        tallies: the different cells of each column.
        more: what else its owner says is unknown.
    """
    wanted = dict.fromkeys((*UNKNOWN, *more))
    found = {bare for cells in tallies for cell in cells if (bare := cell.strip()) in wanted}
    return tuple(text for text in wanted if text in found)


def describe(
    header: str,
    tally: Mapping[str, int],
    missing: Sequence[str],
    wanted: str | None = None,
    is_text: bool = False,
) -> Seen:
    """What a column is.

    Args:
      header: Its name.
      tally: Its different cells in their order, and how often each is there.
      missing: Texts that stand for an unknown value.
      wanted: The kind that its owner says it has, of dates with ":" and their format behind it,
        if it is said; None to find out.
      is_text: Whether the file itself says that the cells are texts, even where they look like
        numbers.
    """
    rows = sum(tally.values())
    counts: Counts = Counter()
    for cell, times in zip(present(list(tally), missing), tally.values(), strict=True):
        if cell:
            counts[cell] += times
    if not header:
        return _nameless(counts, rows)
    if not counts:
        return Seen(header, LEFT_OUT, "empty in every row", "bring values")
    if wanted is not None:
        return _as_wanted(header, counts, wanted)
    share = counts.total() / rows
    if share < MIN_PRESENCE:
        return Seen(header, LEFT_OUT, f"empty in {1 - share:.2%} of the rows", "bring more values")
    if len(counts) == 1:
        why = f"constant: always '{short(next(iter(counts)))}'"
        return Seen(header, LEFT_OUT, why, "bring rows with other values")
    kind, plain = numbers.number_kind(counts)
    seen = dates.as_date(header, counts, len(plain) == len(counts) and kind == NUMBER)
    if seen is None and len(plain) == len(counts):
        seen = codes.as_codes(header, counts, is_text)
        return seen or numbers.as_numbers(header, counts, kind, plain)
    return seen or codes.as_mixed(header, counts, plain) or texts.as_text(header, counts)


def _nameless(counts: Counts, rows: int) -> Seen:
    """A column without a name: as a rule the row numbers that pandas writes in front."""
    named = "name it in the header"
    numbered = len(counts) == rows and all(cell.isdecimal() for cell in counts)
    if numbered and max(map(int, counts)) - min(map(int, counts)) < 2 * rows:
        return Seen("", LEFT_OUT, "row numbers without a name, as pandas writes its index", named)
    return Seen("", LEFT_OUT, "it has no name", named)


def _as_wanted(header: str, counts: Counts, wanted: str) -> Seen:
    why = "as --kind says"
    if wanted in (LEFT_OUT, TEXT):
        return Seen(header, wanted, why)
    if wanted.startswith(DATE):
        return dates.as_wanted(header, counts, wanted.partition(":")[2])
    if wanted == CATEGORY:
        return category(header, f"{why}: {len(counts)} values", counts)
    kind, plain = numbers.number_kind(counts)
    if len(plain) < len(counts):
        return Seen(header, LEFT_OUT, f"{why} a number, but {stray(counts, plain)}", MEND)
    return Seen(header, kind, why)
