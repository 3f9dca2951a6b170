"""Rows of a span that are rows of the test part, of earlier spans, or of the span once more.

Some tables have equal rows by nature. How many, the test part shows: its rows meet each other, and
earlier spans, as often as chance has it. What a span has beyond that was copied: a test part that
is trained on says nothing any more, and a row that counts a hundred times is learnt by heart. Rows
are told by all cells but the label, so that a copy with another label is found, and by all but one
more, so that a copy with a changed cell is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.config import Config
from pipeline.ingestion import tables
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.spans import TEST, SourceFile

MIN_TEST_ROWS = 50  # fewer say too little about how often rows are equal by chance
_DEVIATIONS = 4.0  # standard deviations that chance is granted
_EQUAL_BY_NATURE = 0.5  # of a table with more equal rows by chance none says anything
_CLUSTERED = 2.0  # equal rows come in twos and more, so their share varies more than single rows'

Keys = NDArray[np.uint32]
"""Hashes of cells, [columns, rows]."""


@dataclass(frozen=True)
class Repeated:
    """Rows of a span that are found a second time, more than chance explains.

    place: where: `the test part`, `earlier spans`, `the span itself`.
    changed: whether one cell may be another.
    rows: which rows, bool [rows].
    expected: the share that is to be expected.
    """

    place: str
    changed: bool
    rows: NDArray[np.bool_]
    expected: float

    @property
    def excess(self) -> float:
        """Share of the rows that is beyond what is to be expected."""
        return float(self.rows.mean()) - self.expected

    def __str__(self) -> str:
        what = "are, but for one cell, rows of" if self.changed else "are rows of"
        what = what if self.place != "the span itself" else what.replace("rows", "repeated rows")
        return (
            f"{int(self.rows.sum())} of {len(self.rows)} rows {what} {self.place} "
            f"({self.expected:.1%} by chance)"
        )


def keys_of(table: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Keys:
    """Hashes of the cells of some columns.

    Args:
        table: cells by column.
        columns: what a row is told by: all but the label.
    """
    hashes = [pd.util.hash_array(np.array(table[column], object)) for column in columns]
    return np.stack(hashes).astype(np.uint32)  # the lower half


def find_repeated(span: Keys, earlier: Keys | None, test: Keys) -> list[Repeated]:
    """Where rows of a span are found again beyond chance, the most first.

    Args:
        span: its rows.
        earlier: those of the spans before; None without any.
        test: those of the test part.
    """
    if test.shape[1] < MIN_TEST_ROWS:
        return []
    places: dict[str, Callable[[Keys, bool], _Met]] = {
        "the test part": lambda keys, changed: _Met(
            rows := _meet(keys, test, changed), rows, _repeats(test, changed, "all").mean()
        ),
        "the span itself": lambda keys, changed: _within(keys, test, changed),
    }
    if earlier is not None:
        places["earlier spans"] = lambda keys, changed: _Met(
            rows := _meet(keys, earlier, changed), rows, _meet(test, earlier, changed).mean()
        )
    found = []
    for place, look in places.items():
        left = np.arange(span.shape[1])
        for changed in (False, True):
            met = look(span[:, left], changed)
            if met.is_beyond(test.shape[1]):
                rows = np.zeros(span.shape[1], bool)
                rows[left[met.rows]] = True
                found.append(Repeated(place, changed, rows, float(met.expected)))
                left = left[~met.rows]
    return sorted(found, key=lambda repeated: -repeated.excess)


@dataclass(frozen=True)
class _Met:
    """Rows that are found again, those of them that are counted, and their share by chance."""

    rows: NDArray[np.bool_]
    counted: NDArray[np.bool_]
    expected: float

    def is_beyond(self, known_from: int) -> bool:
        """Whether more are counted than chance explains.

        Args:
            known_from: how many rows gave the share by chance.
        """
        count = len(self.counted)
        if count == 0 or self.expected > _EQUAL_BY_NATURE:
            return False
        share = float(self.counted.mean())
        pooled = (share * count + self.expected * known_from) / (count + known_from)
        variance = _CLUSTERED * pooled * (1.0 - pooled) * (1.0 / count + 1.0 / known_from)
        return share - self.expected > _DEVIATIONS * variance**0.5


def _within(keys: Keys, test: Keys, changed: bool) -> _Met:
    """Rows that a span repeats; as many are counted as the test part has, for more meet more."""
    size = min(keys.shape[1], test.shape[1])
    return _Met(
        _repeats(keys, changed, "all but the first"),
        _repeats(_draw(keys, size), changed, "all"),
        _repeats(_draw(test, size), changed, "all").mean() if size else 0.0,
    )


def _draw(keys: Keys, size: int) -> Keys:
    chosen = np.random.default_rng(0).permutation(keys.shape[1])[:size]
    return keys[:, chosen]


def _forms(keys: Keys, changed: bool) -> Iterator[pd.Series]:
    """The rows' hashes, uint64 [rows]; with `changed` those without each of the columns in turn."""
    factors = np.random.default_rng(0).integers(1, 2**63, len(keys), np.uint64) * 2 + 1
    whole = np.zeros(keys.shape[1], np.uint64)
    for column, factor in zip(keys, factors, strict=True):
        whole += column * factor
    if not changed:
        yield pd.Series(whole)
    elif len(keys) > 1:  # of one column nothing is left
        for column, factor in zip(keys, factors, strict=True):
            yield pd.Series(whole - column * factor)


def _meet(keys: Keys, others: Keys, changed: bool) -> NDArray[np.bool_]:
    """Which rows are among the others, bool [rows]."""
    found = np.zeros(keys.shape[1], bool)
    for mine, theirs in zip(_forms(keys, changed), _forms(others, changed), strict=True):
        found |= mine.isin(theirs).to_numpy()
    return found


def _repeats(
    keys: Keys, changed: bool, which: Literal["all", "all but the first"]
) -> NDArray[np.bool_]:
    """Which rows are there more than once, bool [rows]."""
    keep: Literal[False, "first"] = False if which == "all" else "first"
    found = np.zeros(keys.shape[1], bool)
    for form in _forms(keys, changed):
        found |= form.duplicated(keep=keep).to_numpy()
    return found


@dataclass(frozen=True)
class Judgement:
    """What is repeated in a span.

    again: which rows are, bool [rows].
    message: in words; None where nothing is.
    excess: the largest share that is beyond chance.
    """

    again: NDArray[np.bool_]
    message: str | None
    excess: float


def judge(spans: Mapping[str, Keys], test: Keys) -> dict[str, Judgement]:
    """What each span repeats of the test part, of the spans before it, and of itself.

    Args:
        spans: rows by part, in the order in which they came.
        test: rows of the test part.
    """
    earlier: Keys | None = None
    found = {}
    for part, keys in spans.items():
        repeated = find_repeated(keys, earlier, test)
        again = np.zeros(keys.shape[1], bool)
        for one in repeated:
            again |= one.rows
        message = "; ".join(map(str, repeated)) or None
        excess = max((one.excess for one in repeated), default=0.0)
        found[part] = Judgement(again, message, excess)
        seen = [known for known in (earlier, keys[:, ~again]) if known is not None]
        earlier = np.concatenate(seen, axis=1)
    return found


class RowKeys:
    """Collects the rows of a window, some at a time, and says what its spans repeat."""

    def __init__(self, config: Config) -> None:
        """`config`: its contract says what a row is told by: all but the label."""
        label = config.columns.label
        self._columns = [c for c in raw_columns(config).kinds if c != label]
        self._parts: dict[str, list[Keys]] = {}

    def add(self, part: str, table: Mapping[str, Sequence[str]]) -> None:
        """Takes the next rows of a part; spans come in the order in which they arrived."""
        self._parts.setdefault(part, []).append(keys_of(table, self._columns))

    def judge(self) -> dict[str, Judgement]:
        """See the function `judge`."""
        parts = {part: np.concatenate(keys, axis=1) for part, keys in self._parts.items()}
        test = parts.pop(TEST)
        return judge(parts, test)


def in_files(files: Iterable[SourceFile], config: Config) -> dict[str, Judgement]:
    """What spans repeat, by part.

    Args:
        files: those of the spans, in the order in which they came, and of the test part.
        config: the configuration.

    Raises:
        InputError: a file is at fault.
    """
    keys, columns = RowKeys(config), raw_columns(config)
    for file in files:
        for _, table in tables.read_file(file, columns):
            keys.add(file.part, table)
    return keys.judge()
