"""True labels of requests that came later: kept with where they came from, found by request.

<root>/<name>/outcomes/<time>-<sha256>.json, a file for each that was imported. An import that says
otherwise than an earlier one corrects it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from core import csv_text
from core.config import Config
from core.errors import InputError, first_problem
from core.files import write_atomically
from pipeline.monitoring.requests import Place, rows_by_request
from pipeline.serving.options import REQUESTS_FOLDER

FOLDER = "outcomes"
_REQUEST, _LABEL, _ROW = "request", "label", "row"


class Outcome(BaseModel):
    """The true label of a row of a request, as one of the configuration's classes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: str
    row: int
    label: str


class OutcomeImport(BaseModel):
    """A file of outcomes that was taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    id: str
    imported: datetime
    file: str
    file_sha256: str
    config: str
    label: str
    outcomes: list[Outcome]


@dataclass(frozen=True)
class OutcomeCounts:
    """What an import came to.

    Attributes:
      id: Of the import.
      known: Whether the same file was imported before.
      taken: Rows with a label.
      skipped: Rows without.
      unlogged: Rows of requests that the log does not have, or no longer.
      corrected: Rows that earlier imports gave another label.
    """

    id: str
    known: bool
    taken: int
    skipped: int
    unlogged: int
    corrected: int


def import_file(config: Config, run_folder: Path, path: Path, now: datetime) -> OutcomeCounts:
    """Takes a CSV file with columns `request`, `label` and, where requests have many rows, `row`.

    Raises:
        InputError: names each fault with its row and column; nothing is kept then.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    sha256 = hashlib.sha256(content).hexdigest()
    before = read_all(run_folder)
    for one in before:
        if one.file_sha256 == sha256:
            return OutcomeCounts(one.id, True, len(one.outcomes), 0, 0, 0)
    why = (
        f"a file of outcomes has the columns '{_REQUEST}', '{_LABEL}' and, where requests have "
        f"several rows, '{_ROW}'"
    )
    lines = csv_text.filled_in(content, str(path), (_REQUEST, _LABEL), (_ROW,), why)
    given = {n: line for n, line in enumerate(lines, 1) if line[_LABEL].strip()}
    if not given:
        raise InputError(f"{path}: column '{_LABEL}' is empty in all {len(lines)} rows; fill it in")
    logged = rows_by_request(run_folder / REQUESTS_FOLDER, config.columns.width)
    faults = list(_faults(given, config, logged))
    if not faults and not any(line[_REQUEST].strip() in logged for line in given.values()):
        faults = [
            f"none of its {len(given)} requests is in the log {run_folder / REQUESTS_FOLDER}; "
            f"'{_REQUEST}' is the id in the header X-Request-Id of the answer"
        ]
    if faults:
        raise csv_text.refused(str(path), faults)
    outcomes = {_place(line): line[_LABEL].strip() for line in given.values()}
    known = labels_of(before)
    new = OutcomeImport(
        format=1,
        id=f"{now:%Y%m%dT%H%M%SZ}-{sha256[:12]}",
        imported=now,
        file=path.name,
        file_sha256=sha256,
        config=config.name,
        label=config.columns.label,
        outcomes=[Outcome(request=r, row=n, label=label) for (r, n), label in outcomes.items()],
    )
    folder = run_folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{new.id}.json", new.model_dump_json())
    return OutcomeCounts(
        new.id,
        False,
        len(outcomes),
        len(lines) - len(given),
        sum(request not in logged for request, _ in outcomes),
        sum(known.get(place, label) != label for place, label in outcomes.items()),
    )


def read_all(run_folder: Path) -> list[OutcomeImport]:
    """All imports, the oldest first.

    Raises:
        InputError: a file is damaged.
    """
    found = []
    for path in sorted((run_folder / FOLDER).glob("*.json")):
        try:
            found.append(OutcomeImport.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            raise InputError(
                f"{path}: damaged: {first_problem(error)}; bring it back from a copy, or remove it "
                "and import the outcomes again"
            ) from None
    return found


def labels_of(imports: Sequence[OutcomeImport]) -> dict[Place, str]:
    """The label of each row, by request and row; of several, the newest import's."""
    return {(o.request, o.row): o.label for one in imports for o in one.outcomes}


def _faults(
    given: Mapping[int, Mapping[str, str]], config: Config, logged: Mapping[str, int]
) -> Iterator[str]:
    classes = config.columns.names[::-1]
    said: dict[Place, tuple[int, str]] = {}
    for n, line in given.items():
        request, label = line[_REQUEST].strip(), line[_LABEL].strip()
        row = line.get(_ROW, "").strip()
        if not request:
            yield f"row {n}, column '{_REQUEST}': empty; give the id of the request"
            continue
        if label not in classes:
            none = f"neither '{classes[0]}' nor '{classes[1]}'"
            if len(classes) > 2:
                none = f"none of {', '.join(config.columns.names)}"
            yield (
                f"row {n}, column '{_LABEL}': '{csv_text.shown(label)}' is {none}; an empty cell "
                "skips the row"
            )
        if not row and logged.get(request, 1) > 1:
            yield (
                f"row {n}, column '{_ROW}': request {request} has {logged[request]} rows; say "
                "which, from 0"
            )
            continue
        if row and not (row.isascii() and row.isdigit() and len(row) < 10):
            yield f"row {n}, column '{_ROW}': '{csv_text.shown(row)}' is no row number, from 0"
            continue
        if row and int(row) >= logged.get(request, int(row) + 1):
            yield (
                f"row {n}, column '{_ROW}': request {request} has {logged[request]} rows, from 0; "
                f"there is no {int(row)}"
            )
            continue
        first, before = said.setdefault(_place(line), (n, label))
        if before != label:
            yield (
                f"row {n}, column '{_LABEL}': '{label}', but row {first} says '{before}' of the "
                "same request; leave one"
            )


def _place(line: Mapping[str, str]) -> Place:
    return line[_REQUEST].strip(), int(line.get(_ROW, "").strip() or 0)
