"""What `init` sees in a file: its rows, what each column is, which columns tell the label."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import InputError
from core.raw import raw_files
from core.raw_table import CATEGORY, DECIMAL_COMMA, NUMBER, NUMBERS, TEXT, Column, Source
from pipeline.init import columns, label, names
from pipeline.init.columns import LABEL, LEFT_OUT, Seen

KINDS = {"number": NUMBER, "category": CATEGORY, "text": TEXT, "leave-out": LEFT_OUT}
SHOWN_HEADERS = 20  # in a message
_WORDS = {kind: word for word, kind in KINDS.items()} | {DECIMAL_COMMA: "number"}


@dataclass(frozen=True)
class InitRequest:
    """What was asked for: the file, the label, the name, and what its owner says of the columns.

    kinds: kind by header, a value of `KINDS`.
    """

    csv: Path
    label: str
    name: str
    positive: str | None
    test_fraction: float
    missing: tuple[str, ...]
    kinds: Mapping[str, str]


@dataclass(frozen=True)
class Looked:
    """What the columns are.

    source: how the file becomes a data set, but for the seed of the split.
    seen: every column of the file, in its order.
    leaks: what gives a column that tells the label away, by header.
    """

    request: InitRequest
    source: Source
    seen: tuple[Seen, ...]
    leaks: Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """A file as text: cells by header; of columns without a name, one."""

    sha256: str
    delimiter: str
    header: list[str]
    cells: Mapping[str, Sequence[str]]


def read(content: bytes, name: str) -> Read:
    """Reads a file, finding its delimiter.

    Raises:
        InputError: it is no CSV in UTF-8 or Parquet, empty, or columns of one name differ.
    """
    table = raw_files.read(content, name)
    sha256 = hashlib.sha256(content).hexdigest()
    cells = dict(zip(table.header, table.cells, strict=True))
    return Read(sha256, table.delimiter, table.header, cells)


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
        request.label, safe[request.label], tallies[request.label], missing, request.positive
    )
    seen = tuple(
        Seen(header, LABEL, why)
        if header == request.label
        else columns.describe(
            header, tallies[header], missing, KINDS.get(request.kinds.get(header, ""))
        )
        for header in found.header
    )
    raw = f"raw/data{request.csv.suffix if raw_files.is_parquet(request.csv.name) else '.csv'}"
    source = Source(
        raw, found.sha256, found.delimiter, missing, (), chosen, request.test_fraction, 0
    )
    return _with_columns(Looked(request, source, seen, {}), safe)


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
            advice=f"known before the label is? {columns.otherwise(each.header, word)}",
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
        if each.kind in (*NUMBERS, CATEGORY, TEXT)
    )
    if not taken:
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
    for flag, name in [("--label", request.label), *(("--kind", kind) for kind in request.kinds)]:
        if name not in header or not name:
            known = ", ".join(f"'{column}'" for column in header[:SHOWN_HEADERS] if column)
            more = f" and {len(header) - SHOWN_HEADERS} more" if len(header) > SHOWN_HEADERS else ""
            raise InputError(
                f"{flag} {name}: {request.csv} has no such column; it has {known}{more}"
            )
    if request.label in request.kinds:
        raise InputError(f"--kind {request.label}: it is the label; --positive says what it means")
