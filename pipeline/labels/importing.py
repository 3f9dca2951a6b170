"""Checks a file of answers as a whole, then keeps them; on any fault nothing is kept.

The rule for several people: who agree count as one answer, with all their names; who disagree have
to settle it, and the file is refused until they have.

Each cell at fault is named once. What is said of an answer tells no true label: an answer that is
no class is not compared with any.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from core import csv_text
from core.config import Config
from core.errors import InputError
from core.names import ROW_ID
from core.numbers import read_float
from pipeline.ingestion import staged_rows, staging
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.staging import Staged
from pipeline.labels import answers
from pipeline.labels.answers import Answer, Import, Selection
from pipeline.labels.file_columns import is_same, shown_names
from pipeline.run.fingerprint import code_sha256

NEEDED = (ROW_ID, "answer", "annotator", "selection", "inclusion_probability", "row_sha256")

Line = Mapping[str, str]
Fault = tuple[tuple[int, str], str]
"""The cell at fault, by row and column, and what to say of it."""


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
    columns = [c for c in raw_columns(config).kinds if c != config.columns.label]
    shown = dict(zip(columns, shown_names(columns), strict=True))
    why = (
        "take a file that to-label wrote and fill in its columns answer and annotator; all others "
        "have to stay, so that each answer is known to be of its row"
    )
    lines = csv_text.filled_in(content, str(path), [*NEEDED, *shown.values()], (), why)
    given = {
        n: {**line, "answer": _class_of(line["answer"], config)}
        for n, line in enumerate(lines, 1)
        if line["answer"].strip()
    }
    if not given:
        raise InputError(f"{path}: column 'answer' is empty in all {len(lines)} rows; fill it in")
    staged = staging.stage(config, run_folder)
    faults = dict(_faults_of_lines(given, config, annotator))
    sound = {n: line for n, line in given.items() if (n, "answer") not in faults}
    for cell, fault in (
        *_faults_of_rows(given, staged, shown),
        *_contradictions(sound, before),
        *_faults_of_labels(sound, config, staged),
    ):
        faults.setdefault(cell, fault)
    if faults:
        told = [faults[cell] for cell in sorted(faults, key=lambda cell: cell[0])]
        raise csv_text.refused(str(path), list(filter(None, told)))
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


def _class_of(cell: str, config: Config) -> str:
    """The class that an answer names, however a spreadsheet writes it; else the cell itself."""
    classes = config.columns.names[::-1]
    if (bare := cell.strip()) in classes:
        return bare
    meant = [name for name in classes if is_same(bare, name)]
    return meant[0] if len(meant) == 1 else cell


def _faults_of_lines(
    given: Mapping[int, Line], config: Config, annotator: str | None
) -> Iterator[Fault]:
    """What is wrong with the file by itself."""
    classes = config.columns.names[::-1]
    wrong = f"is none of {', '.join(config.columns.classes)}"
    if config.columns.is_binary:
        wrong = f"is neither '{classes[0]}' nor '{classes[1]}'"
    for n, line in given.items():
        where = f"row {n} ({line[ROW_ID]})"
        if line["answer"] not in classes:
            yield (
                (n, "answer"),
                f"{where}, column 'answer': '{csv_text.shown(line['answer'])}' {wrong}; an "
                "empty cell skips the row",
            )
        if not (line["annotator"].strip() or annotator):
            yield (
                (n, "annotator"),
                f"{where}, column 'annotator': empty; say who answered, or give --annotator NAME",
            )
        if line["selection"].strip() not in get_args(Selection):
            yield (
                (n, "selection"),
                f"{where}, column 'selection': '{csv_text.shown(line['selection'])}' was not "
                "written by to-label; restore the cell",
            )
        if _probability(line["inclusion_probability"]) is None:
            yield (
                (n, "inclusion_probability"),
                f"{where}, column 'inclusion_probability': "
                f"'{csv_text.shown(line['inclusion_probability'])}' is no number above 0 and up to "
                "1; restore the cell",
            )
    for row_id, said in _by_row(given).items():
        if len({line["answer"] for _, line in said}) > 1:
            told = ", ".join(
                f"row {n} by {line['annotator'].strip() or annotator or 'nobody'} says "
                f"'{csv_text.shown(line['answer'])}'"
                for n, line in said
            )
            fault = (
                f"{row_id}: answers contradict each other: {told}; settle it and leave one answer"
            )
            if all(line["answer"] in classes for _, line in said):
                yield from (((n, "answer"), fault if n == said[0][0] else "") for n, _ in said)


def _probability(cell: str) -> float | None:
    """With a point or, as some spreadsheets write it, a comma; None when it is none."""
    plain = read_float(cell.strip().replace(",", "."))
    value = 0.0 if plain is None else float(plain)
    return value if 0 < value <= 1 else None


def _by_row(given: Mapping[int, Line]) -> dict[str, list[tuple[int, Line]]]:
    """Numbers and lines by row id."""
    found: dict[str, list[tuple[int, Line]]] = {}
    for n, line in given.items():
        found.setdefault(line[ROW_ID], []).append((n, line))
    return found


def _faults_of_rows(
    given: Mapping[int, Line], staged: Staged, shown: Mapping[str, str]
) -> Iterator[Fault]:
    """Lines that are of no row of the data, or not as to-label wrote them.

    Args:
        given: lines with an answer, by number.
        staged: the data.
        shown: name in the file of each column of the data.
    """
    wanted = {line[ROW_ID] for line in given.values()}
    rows = {row[ROW_ID]: row for row in staged_rows.read_cells(staged, wanted)}
    test = {row[ROW_ID] for row in staged_rows.read_cells(staged, wanted, ["test"])}
    for n, line in given.items():
        row_id, where = line[ROW_ID], f"row {n} ({line[ROW_ID]})"
        at = (n, "answer")  # what is not the row that was asked for has no answer to speak of
        if row_id in test:
            yield at, f"{where}: of the test part, which measures models and is not for training"
        elif row_id not in rows:
            yield at, f"{where}: the data has no such row; was the file written for other data?"
        elif answers.content_sha256(rows[row_id], shown) != line["row_sha256"].strip():
            yield (
                at,
                f"{where}: not the row that was written out (row_sha256): the file is of other "
                "data, or the data was changed since",
            )
        else:
            for column, name in shown.items():
                if not is_same(line[name], rows[row_id][column]):
                    yield (
                        at,
                        f"{where}, column '{name}': '{csv_text.shown(line[name])}' was "
                        f"'{csv_text.shown(rows[row_id][column])}' when the file was written: was "
                        "a column sorted by itself? Restore the rows, so that each answer stands "
                        "beside what was asked",
                    )
                    break


def _faults_of_labels(given: Mapping[int, Line], config: Config, staged: Staged) -> Iterator[Fault]:
    """Answers against the labels of the data."""
    wanted = {line[ROW_ID] for line in given.values()}
    rows = {row[ROW_ID]: row for row in staged_rows.read_cells(staged, wanted)}
    for n, line in given.items():
        label = rows[line[ROW_ID]][config.columns.label] if line[ROW_ID] in rows else ""
        if label and label != line["answer"]:
            yield (
                (n, "answer"),
                f"row {n} ({line[ROW_ID]}), column 'answer': '{line['answer']}' is not what column "
                f"'{config.columns.label}' of the data says; correct one of them",
            )


def _contradictions(given: Mapping[int, Line], before: Iterable[Import]) -> Iterator[Fault]:
    known = answers.merge(list(before))
    for n, line in given.items():
        if line[ROW_ID] in known:
            one, answer = known[line[ROW_ID]]
            if answer.answer != line["answer"]:
                yield (
                    (n, "answer"),
                    f"row {n} ({answer.row_id}): '{line['answer']}', but import {one.id} "
                    f"by {', '.join(answer.annotators)} says '{answer.answer}'; settle it: empty "
                    f"the cell, or first: {answers.how_to_remove(one.id)}",
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
                answer=first["answer"],
                annotators=list(dict.fromkeys(people)),
                selection=cast(Selection, first["selection"].strip()),
                inclusion_probability=_probability(first["inclusion_probability"]) or 1.0,
                row_sha256=first["row_sha256"].strip(),
            )
        )
    return merged
