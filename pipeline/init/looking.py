"""What `init` sees in a file: its rows, what each column is, which columns tell the label."""

import difflib
import hashlib
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from core.errors import InputError
from core.raw import raw_files
from core.raw.parquet_text import ENDING
from core.raw_table import (
    CATEGORY,
    DATE,
    DECIMAL_COMMA,
    MANY_VALUED,
    NUMBER,
    TEXT,
    Column,
    Label,
    Source,
    present,
)
from pipeline.init import columns, label, names
from pipeline.init.kinds.seen import LABEL, LEFT_OUT, Seen, otherwise
from pipeline.init.label import LabelRequest

KINDS = {
    "number": NUMBER, "category": CATEGORY, "date": DATE, "text": TEXT, "leave-out": LEFT_OUT,
}  # fmt: skip
SHOWN_HEADERS = 20  # in a message
RAW = "raw/data"  # and the ending of the file, which tells its format
GOLD, WEAK = "gold", "weak"  # labeling.mode
GOLD_LABELLED = 0.9  # share of rows with a label from which on all labels are used
LEAST_OF_A_CLASS = 10  # rows of one of several classes
TEST_OF_A_CLASS = 2  # rows of it, expected in the test part
_WORDS = {kind: word for word, kind in KINDS.items()} | {
    DECIMAL_COMMA: "number",
    MANY_VALUED: "category",
}


@dataclass(frozen=True)
class InitRequest:
    """What was asked for: the file, the label, the name, and what its owner says of the columns.

    kinds: kind by header, a key of `KINDS`; of dates with ":" and their format behind it, or not.
    slices: headers of columns by which results are wanted.
    mode: GOLD, WEAK, or None: by the share of rows that have a label.
    """

    csv: Path
    label: str
    name: str
    positive: str | None
    test_fraction: float
    missing: tuple[str, ...]
    kinds: Mapping[str, str]
    slices: tuple[str, ...] = ()
    mode: str | None = None


@dataclass(frozen=True)
class Looked:
    """What the columns are.

    source: how the file becomes a data set, but for the seed of the split.
    seen: every column of the file, in its order.
    leaks: what gives a column that tells the label away, by header.
    mode: GOLD or WEAK.
    dropped: what rows are left out, and how many, in words.
    """

    request: InitRequest
    source: Source
    seen: tuple[Seen, ...]
    leaks: Mapping[str, str]
    mode: str
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Read:
    """A file as text: cells by header; of columns without a name, one.

    ending: of its name in the data set.
    texts: columns that the file itself says hold texts.
    """

    sha256: str
    delimiter: str
    header: list[str]
    cells: Mapping[str, Sequence[str]]
    ending: str
    texts: frozenset[str]


def read(content: bytes, name: str) -> Read:
    """Reads a file, finding its delimiter.

    Raises:
        InputError: it is no CSV in UTF-8 or Parquet, empty, or columns of one name differ.
    """
    table = raw_files.read(content, name)
    sha256 = hashlib.sha256(content).hexdigest()
    cells = dict(zip(table.header, table.cells, strict=True))
    ending = ENDING if raw_files.is_parquet(name) else ".csv"
    texts = frozenset(column for column, kind in table.types.items() if _is_text(kind))
    return Read(sha256, table.delimiter, table.header, cells, ending, texts)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def look(request: InitRequest, found: Read) -> Looked:
    """What each column is.

    Raises:
        InputError: the label is unfit, or a flag names no column.
    """
    _check_headers(request, found.header)
    tallies = {header: Counter(cells) for header, cells in found.cells.items()}
    missing = columns.unknown_texts(tallies.values(), request.missing)
    safe = names.safe_names(list(filter(None, found.cells)))
    chosen, why = label.choose(
        request.label, safe[request.label], tallies[request.label], _asked(request, missing)
    )
    mode, labelled_only, dropped = _mode(request, tallies[request.label], chosen, missing)
    seen = tuple(
        Seen(header, LABEL, why)
        if header == request.label
        else _described(request, header, tallies[header], missing, header in found.texts)
        for header in found.header
    )
    file = f"{RAW}{found.ending}"
    source = Source(
        file, found.sha256, found.delimiter, missing, (), chosen, request.test_fraction, 0,
        labelled_only,
    )  # fmt: skip
    return _with_columns(Looked(request, source, seen, {}, mode, dropped), safe)


def _asked(request: InitRequest, missing: Sequence[str]) -> LabelRequest:
    least = max(LEAST_OF_A_CLASS, math.ceil(TEST_OF_A_CLASS / request.test_fraction))
    return LabelRequest(request.positive, request.label in request.kinds, missing, least)


def _described(
    request: InitRequest,
    header: str,
    tally: Mapping[str, int],
    missing: Sequence[str],
    is_text: bool,
) -> Seen:
    """What a column is; one that is left out and sliced by is a category that none learns from."""
    wanted = request.kinds.get(header)
    if wanted == "leave-out" and header in request.slices:
        seen = columns.describe(header, tally, missing, CATEGORY)
        return replace(seen, why="results are sliced by it, no model learns from it", learned=False)
    word, _, written = (wanted or "").partition(":")
    kind = KINDS.get(word)
    if kind == DATE:
        kind = f"{DATE}:{written}"
    return columns.describe(header, tally, missing, kind, is_text)


def _mode(
    request: InitRequest, tally: Mapping[str, int], chosen: Label, missing: Sequence[str]
) -> tuple[str, bool, tuple[str, ...]]:
    """The mode, whether rows without a label are left out, and which rows are, in words."""
    counts = Counter[str]()
    for cell, times in zip(present(list(tally), missing), tally.values(), strict=True):
        counts[cell] += times
    rare = {value: counts[value] for value in chosen.left_out}
    rows = counts.total() - sum(rare.values())
    without = counts[""]
    mode = request.mode or (GOLD if rows - without >= GOLD_LABELLED * rows else WEAK)
    dropped = []
    if rare:
        named = ", ".join(f"'{value}': {times}" for value, times in rare.items())
        dropped.append(
            f"rows of classes too rare to be learned and measured ({named}; to keep them: bring "
            "more such rows, or join them to another class in the file)"
        )
    labelled_only = mode == GOLD and without > 0
    if labelled_only:
        dropped.append(f"{without} rows without a label (to keep them: --mode {WEAK})")
    return mode, labelled_only, tuple(dropped)


def without(looked: Looked, leaks: Mapping[str, str]) -> Looked:
    """The same without columns that tell the label, except those that their owner asked for.

    Args:
        looked: what was seen.
        leaks: what gives each column away, by its name.
    """
    headers = {column.name: column.header for column in looked.source.columns}
    told = {headers[name]: why for name, why in leaks.items()}
    seen = tuple(
        replace(
            each,
            kind=LEFT_OUT,
            why=f"tells the label: {told[each.header]}",
            advice=f"known before the label is? {otherwise(each.header, word)}",
        )
        if each.header in told
        and each.header not in looked.request.kinds
        and (word := _WORDS[each.kind])
        else each
        for each in looked.seen
    )
    known = {column.header: column.name for column in looked.source.columns}
    leaking = {headers[name]: why for name, why in leaks.items()}
    return _with_columns(replace(looked, seen=seen, leaks={**looked.leaks, **leaking}), known)


def _with_columns(looked: Looked, safe: Mapping[str, str]) -> Looked:
    taken = tuple(
        Column(each.header, safe[each.header], each.kind)
        for each in looked.seen
        if each.kind not in (LABEL, LEFT_OUT)
    )
    if not any(each.learned for each in looked.seen if each.kind not in (LABEL, LEFT_OUT)):
        reasons = "; ".join(
            f"{each.header or '(no name)'}: {', '.join(filter(None, (each.why, each.advice)))}"
            for each in looked.seen[:SHOWN_HEADERS]
            if each.kind == LEFT_OUT
        )
        raise InputError(
            f"{looked.request.csv}: no column is left to learn from "
            f"({reasons or 'the label is the only one'})"
        )
    return replace(looked, source=replace(looked.source, columns=taken))


def _check_headers(request: InitRequest, header: Sequence[str]) -> None:
    """Checks the names of columns that flags hold.

    Raises:
        InputError: the file has no such column, or the label is no place for the flag.
    """
    named = [("--label", request.label)]
    named += [("--kind", each) for each in request.kinds]
    named += [("--slice", each) for each in request.slices]
    for flag, name in named:
        if name not in header or not name:
            known = ", ".join(f"'{column}'" for column in header[:SHOWN_HEADERS] if column)
            more = f" and {len(header) - SHOWN_HEADERS} more" if len(header) > SHOWN_HEADERS else ""
            close = difflib.get_close_matches(name, list(filter(None, header)), 1, 0.4)
            nearest = f"; the nearest is '{close[0]}'" if close else ""
            raise InputError(
                f"{flag} {name}: {request.csv} has no such column; it has {known}{more}{nearest}"
            )
    if request.kinds.get(request.label, "category") != "category":
        raise InputError(
            f"--kind {request.label}: it is the label; its values are classes, --positive says "
            "which one to detect"
        )
    if request.label in request.slices:
        raise InputError(f"--slice {request.label}: it is the label; name another column")
