"""Checks a file of answers as a whole, then keeps them; on any fault nothing is kept.

The rule for several people: who agree count as one answer, with all their names; who disagree have
to settle it, and the file is refused until they have.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from core import csv_text
from core.config import Config
from core.errors import InputError
from core.names import ROW_ID
from pipeline.ingestion import staged_rows, staging
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.staging import Staged
from pipeline.labels import answers
from pipeline.labels.answers import Answer, Import, Selection
from pipeline.run.fingerprint import code_sha256

NEEDED = (ROW_ID, "answer", "annotator", "selection", "inclusion_probability", "row_sha256")
SHOWN = 20  # faults listed

Line = Mapping[str, str]


@dataclass(frozen=True)
class ImportOutcome:
    """What an import came to.

    new: the import; None when the same file was imported before, as `known`.
    skipped: rows without an answer.
    twice: rows that several people answered, all alike.
    """

    new: Import | None
    known: str | None
    skipped: int
    twice: int


def import_file(
    config: Config, run_folder: Path, path: Path, annotator: str | None, now: datetime
) -> ImportOutcome:
    """Imports a file of `to-label` with its column `answer` filled in.

    Args:
        config: the configuration.
        run_folder: <root>/<name>.
        path: the file.
        annotator: who answered the rows whose column `annotator` is empty.
        now: time of the import.

    Raises:
        InputError: names each fault with its row.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {error.strerror}; name a file that to-label wrote"
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    folder = answers.folder_of(config, run_folder)
    before = answers.read_all(folder)
    for one in before:
        if one.file_sha256 == sha256:
            return ImportOutcome(None, one.id, 0, 0)
    lines = _read(content, path)
    given = {n: line for n, line in enumerate(lines, 1) if line["answer"].strip()}
    if not given:
        raise InputError(f"{path}: column 'answer' is empty in all {len(lines)} rows; fill it in")
    columns = [c for c in raw_columns(config).kinds if c != config.columns.label]
    staged = staging.stage(config, run_folder)
    faults = [
        *_faults_of_lines(given, config, annotator),
        *_faults_of_rows(given, config, staged, columns),
        *_contradictions(given, before),
    ]
    if faults:
        _refuse(path, faults)
    merged = _merge(given, annotator)
    new = Import(
        format=1,
        id=f"{now:%Y%m%dT%H%M%SZ}-{sha256[:12]}",
        imported=now,
        file=path.name,
        file_sha256=sha256,
        code_sha256=code_sha256(__name__),
        config=config.name,
        label=config.columns.label,
        columns=columns,
        answers=merged,
    )
    answers.write(new, folder)
    twice = sum(len(answer.annotators) > 1 for answer in merged)
    return ImportOutcome(new, None, len(lines) - len(given), twice)


def _read(content: bytes, path: Path) -> list[Line]:
    """The rows; spreadsheets that separate by semicolons or tabs are understood."""
    text = csv_text.decode(content, str(path))
    header, rows = csv_text.parse(text, str(path), csv_text.find_delimiter(text))
    for column in NEEDED:
        if column not in header:
            raise InputError(
                f"{path}: column '{column}' is missing; take a file that to-label wrote and fill "
                "in its columns answer and annotator"
            )
        if header.count(column) > 1:
            raise InputError(
                f"{path}: {header.count(column)} columns are called '{column}'; keep one"
            )
    csv_text.check_widths(header, rows, str(path))
    return [dict(zip(header, row, strict=True)) for row in rows]


def _refuse(path: Path, faults: Sequence[str]) -> None:
    more = [f"... and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
    lines = [*(f"{path}: {fault}" for fault in faults[:SHOWN]), *more, "nothing was imported"]
    raise InputError("\n".join(lines))


def _faults_of_lines(
    given: Mapping[int, Line], config: Config, annotator: str | None
) -> Iterator[str]:
    """What is wrong with the file by itself."""
    classes = (config.columns.positive, config.columns.negative)
    for n, line in given.items():
        where = f"row {n} ({line[ROW_ID]})"
        if line["answer"].strip() not in classes:
            yield (
                f"{where}, column 'answer': '{line['answer']}' is neither '{classes[0]}' nor "
                f"'{classes[1]}'; an empty cell skips the row"
            )
        if not (line["annotator"].strip() or annotator):
            yield f"{where}, column 'annotator': empty; say who answered, or give --annotator NAME"
        if line["selection"] not in get_args(Selection):
            yield (
                f"{where}, column 'selection': '{line['selection']}' was not written by to-label; "
                f"restore the cell"
            )
        if not _is_probability(line["inclusion_probability"]):
            yield (
                f"{where}, column 'inclusion_probability': '{line['inclusion_probability']}' is no "
                "number above 0 and up to 1; restore the cell"
            )
    for row_id, said in _by_row(given).items():
        if len({line["answer"].strip() for _, line in said}) > 1:
            told = ", ".join(
                f"row {n} by {line['annotator'].strip() or annotator or 'nobody'} says "
                f"'{line['answer'].strip()}'"
                for n, line in said
            )
            yield f"{row_id}: answers contradict each other: {told}; settle it and leave one answer"


def _is_probability(cell: str) -> bool:
    try:
        return 0 < float(cell) <= 1
    except ValueError:
        return False


def _by_row(given: Mapping[int, Line]) -> dict[str, list[tuple[int, Line]]]:
    """Numbers and lines by row id."""
    found: dict[str, list[tuple[int, Line]]] = {}
    for n, line in given.items():
        found.setdefault(line[ROW_ID], []).append((n, line))
    return found


def _faults_of_rows(
    given: Mapping[int, Line], config: Config, staged: Staged, columns: Sequence[str]
) -> Iterator[str]:
    """What does not fit the data."""
    wanted = {line[ROW_ID] for line in given.values()}
    rows = {row[ROW_ID]: row for row in staged_rows.read_cells(staged, wanted)}
    test = {row[ROW_ID] for row in staged_rows.read_cells(staged, wanted, ["test"])}
    for n, line in given.items():
        row_id, where = line[ROW_ID], f"row {n} ({line[ROW_ID]})"
        if row_id in test:
            yield f"{where}: of the test part, which measures models and is not for training"
        elif row_id not in rows:
            yield f"{where}: the data has no such row; was the file written for other data?"
        elif answers.content_sha256(rows[row_id], columns) != line["row_sha256"].strip():
            yield (
                f"{where}: not the row that was written out (row_sha256): the file is of other "
                "data, or the data was changed since"
            )
        else:
            label = rows[row_id][config.columns.label]
            if label and label != line["answer"].strip():
                yield (
                    f"{where}, column 'answer': '{line['answer'].strip()}', but column "
                    f"'{config.columns.label}' of the data says '{label}'; correct one of them"
                )


def _contradictions(given: Mapping[int, Line], before: Iterable[Import]) -> Iterator[str]:
    known = answers.merge(list(before))
    for n, line in given.items():
        if line[ROW_ID] in known:
            one, answer = known[line[ROW_ID]]
            if answer.answer != line["answer"].strip():
                yield (
                    f"row {n} ({answer.row_id}): '{line['answer'].strip()}', but import {one.id} "
                    f"by {', '.join(answer.annotators)} says '{answer.answer}'; settle it: empty "
                    f"the cell, or first: {answers.how_to_remove(one.id)}"
                )


def _merge(given: Mapping[int, Line], annotator: str | None) -> list[Answer]:
    """One answer a row, in the order of the file; the first line of a row gives the rest."""
    merged = []
    for row_id, said in _by_row(given).items():
        first = said[0][1]
        people = [line["annotator"].strip() or str(annotator) for _, line in said]
        merged.append(
            Answer(
                row_id=row_id,
                answer=first["answer"].strip(),
                annotators=list(dict.fromkeys(people)),
                selection=cast(Selection, first["selection"]),
                inclusion_probability=float(first["inclusion_probability"]),
                row_sha256=first["row_sha256"].strip(),
            )
        )
    return merged
