"""The answers that people gave: one JSON file an import, kept apart from data and runs.

In: files of `data.answers`, written by `labels import`. Out: what a run takes from them, staged
under a path made of its content. Files are never changed; `labels remove` renames one.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.config import Config
from core.errors import InputError, first_problem
from core.files import REPOSITORY, write_atomically
from pipeline.ingestion import staged_rows
from pipeline.ingestion.staging import Staged

Selection = Literal["random", "informative"]
REMOVED = ".removed"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Part):
    """What people said of a row, why the row was asked for, and the row's content.

    inclusion_probability: with which the row came into its batch.
    """

    row_id: str
    answer: str
    annotators: list[str]
    selection: Selection
    inclusion_probability: float
    row_sha256: str


class Import(_Part):
    """One import: the file, when, by which code, for which data; `columns` are those digested."""

    format: Literal[1]
    id: str
    imported: datetime
    file: str
    file_sha256: str
    code_sha256: str
    config: str
    label: str
    columns: list[str]
    answers: list[Answer]


def folder_of(config: Config, run_folder: Path) -> Path:
    """Where answers are kept."""
    configured = config.data.answers
    return run_folder / "answers" if configured is None else REPOSITORY / configured


def content_sha256(cells: Mapping[str, str], columns: Iterable[str]) -> str:
    """SHA-256 of a row's cells, so that an answer is not given to another row."""
    values = {column: cells.get(column) for column in columns}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def read_all(folder: Path) -> list[Import]:
    """All imports, the oldest first.

    Raises:
        InputError: a file is damaged.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def _read(path: Path) -> Import:
    try:
        return Import.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(
            f"{path}: damaged: {first_problem(error)}; bring it back from a copy, or remove it "
            "and import the answers again"
        ) from None


def write(new: Import, folder: Path) -> Path:
    """Writes an import; who reads meanwhile sees it whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{new.id}.json"
    _write_json(path, new.model_dump(mode="json"))
    return path


def remove(import_id: str, folder: Path) -> Path:
    """Takes an import out of use; its file stays, under another name.

    Raises:
        InputError: there is no such import.
    """
    path = folder / f"{import_id}.json"
    if "/" in import_id or not path.is_file():
        known = ", ".join(found.stem for found in sorted(folder.glob("*.json"))) or "none"
        raise InputError(f"{folder}: there is no import {import_id}; there are: {known}")
    return path.rename(path.with_name(path.name + REMOVED))


def how_to_remove(import_id: str) -> str:
    """What to type, for messages; the flags are not known here."""
    return f"python -m pipeline labels remove {import_id} (with the same --config and --root)"


def merge(imports: Sequence[Import]) -> dict[str, tuple[Import, Answer]]:
    """One answer a row; the first import that answers a row counts.

    Raises:
        InputError: two imports contradict each other.
    """
    merged: dict[str, tuple[Import, Answer]] = {}
    for one in imports:
        for answer in one.answers:
            before, known = merged.setdefault(answer.row_id, (one, answer))
            if known.answer != answer.answer:
                raise InputError(
                    f"row {answer.row_id}: import {before.id} says '{known.answer}', {one.id} says "
                    f"'{answer.answer}'; remove one: {how_to_remove(one.id)}"
                )
    return merged


def in_use(config: Config, staged: Staged, run_folder: Path) -> dict[str, tuple[Import, Answer]]:
    """The answers to rows of train and eval, by row id; rows outside the data window have none.

    Raises:
        InputError: a row is no longer the one that was answered, or its label says otherwise.
    """
    merged = merge(read_all(folder_of(config, run_folder)))
    if not merged:
        return {}
    found = {}
    for row in staged_rows.read_cells(staged, merged.keys()):
        one, answer = merged[row["row_id"]]
        if content_sha256(row, one.columns) != answer.row_sha256:
            raise InputError(
                f"row {answer.row_id} is not the row that was answered in import {one.id}: the "
                "data was changed; bring it back, or take the answers out: "
                f"{how_to_remove(one.id)}"
            )
        label = row[config.columns.label]
        if label and label != answer.answer:
            raise InputError(
                f"row {answer.row_id}, column '{config.columns.label}': the data says '{label}', "
                f"import {one.id} says '{answer.answer}'; correct the data, or take the answers "
                f"out: {how_to_remove(one.id)}"
            )
        if answer.answer not in config.columns.classes:
            raise InputError(
                f"row {answer.row_id}: import {one.id} says '{answer.answer}', which is none of "
                "columns.classes; set them as they were then"
            )
        found[answer.row_id] = (one, answer)
    return found


def stage_answers(config: Config, staged: Staged, run_folder: Path) -> Path:
    """Writes what a run takes to a path made of its content, and returns that path.

    In gold mode every row has its label already and nothing is taken.

    Raises:
        InputError: see `in_use`.
    """
    taken = in_use(config, staged, run_folder) if config.labeling.mode == "weak" else {}
    imports = {one.id: one for one, _ in taken.values()}
    content = {
        "format": 1,
        "imports": [{"id": i, "file_sha256": imports[i].file_sha256} for i in sorted(imports)],
        "answers": {
            row_id: {"label": label_of(answer, config), "random": answer.selection == "random"}
            for row_id, (_, answer) in sorted(taken.items())
        },
    }
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    path = run_folder / "staged" / "answers" / digest[:16] / "answers.json"
    if not path.is_file() or json.loads(path.read_bytes()) != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_json(path, content)
    return path


def label_of(answer: Answer, config: Config) -> int:
    """The class that an answer names."""
    return config.columns.names.index(answer.answer)


def _write_json(path: Path, content: object) -> None:
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
