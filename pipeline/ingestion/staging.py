"""Turns the data window into the CSV files that CsvExampleGen reads.

In: span-<n>/*.csv and test/*.csv, from `data.folder` or laid out by `data.loader`. Out:
<run folder>/staged/<digest>/{train,eval,test}/data.csv with `row_id` (`span-1:17`) in front and the
group columns at the end. The digest is that of the content, and so are the modification times,
which CsvExampleGen's fingerprint is made of: equal data is found in the cache again.
"""

import csv
import hashlib
import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

import pandas as pd

from core import lock
from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY, write_atomically
from core.names import ROW_ID, SPLITS
from pipeline.ingestion import ledger, rows, tables
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.spans import SourceFile, SpanFinding
from pipeline.ingestion.window import Suspected, Window, find_window
from pipeline.run.fingerprint import code_sha256

_OLDEST_MTIME = 1_000_000_000  # 2001: seconds since 1970


@dataclass(frozen=True)
class Staged:
    """What a run reads.

    path: folder with train/, eval/ and test/.
    digest: SHA-256 of the content.
    spans: numbers of the spans in the window, ascending.
    rows: rows by split.
    files: the raw files that were read.
    held_back, reported: what is worth knowing of spans; see pipeline/ingestion/window.py.
    """

    path: str
    digest: str
    spans: tuple[int, ...]
    rows: dict[str, int]
    files: tuple[SourceFile, ...]
    held_back: tuple[SpanFinding, ...] = ()
    reported: tuple[SpanFinding, ...] = ()


def window_of(config: Config, run_folder: Path, suspected: Suspected | None = None) -> Window:
    """The spans that a run would take now.

    Args:
        config: the configuration.
        run_folder: <root>/<name>.
        suspected: spans whose labels are doubted, besides those that the log names.

    Raises:
        InputError: there is no span at all, or no test part.
    """
    known = ledger.read(run_folder)
    known = replace(known, suspected={**known.suspected, **(suspected or {})})
    return find_window(_raw_folder(config, run_folder), config.data, known)


def stage(config: Config, run_folder: Path, window: Window | None = None) -> Staged:
    """Stages the data window; content that is there already is left untouched.

    Args:
        config: the configuration.
        run_folder: <root>/<name>.
        window: the spans to take; None: those that `window_of` finds.

    Raises:
        InputError: names the file, row and column at fault.
        OSError: the folder cannot be written, or the disk is full.
    """
    window = window or window_of(config, run_folder)
    window.check()
    contents = {(file.part, file.path): _content(file) for file in window.files}
    files = window.files
    target = run_folder / "staged"
    record = target / f"{_key(config, _inside(files, run_folder))}.json"
    if (staged := _reuse(record, target)) is not None:
        return replace(staged, held_back=window.held_back, reported=window.reported)
    splits = _make_splits(config, contents)
    counts = {split: len(splits[split]) for split in SPLITS}
    target.mkdir(parents=True, exist_ok=True)
    with lock.wait(target / lock.STAGED_FILE):  # not every verb that stages holds the run's lock
        digest = _write(splits, target)
        staged = Staged(str(target / digest[:16]), digest, window.spans, counts, files)
        noted = replace(staged, path=target.name, files=_inside(files, run_folder))
        write_atomically(record, json.dumps(asdict(noted), indent=1))
    return replace(staged, held_back=window.held_back, reported=window.reported)


def _content(file: SourceFile) -> bytes:
    """The bytes of a file, as they were when the window was chosen."""
    content = Path(file.path).read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise InputError(
            f"{file.path}: changed while it was read; run again when it is whole, and name a file "
            "that says so in data.completion_marker"
        )
    return content


def _raw_folder(config: Config, run_folder: Path) -> Path:
    if config.data.folder is not None:
        folder = REPOSITORY / config.data.folder
        if not folder.is_dir():
            raise InputError(f"data.folder: there is no folder {folder}")
        return folder
    assert config.data.loader is not None
    folder = run_folder / "data"
    _loader(config.data.loader)(str(folder))
    return folder


def _loader(module: str) -> Callable[[str], None]:
    """The module's `lay_out`."""
    try:
        lay_out = getattr(importlib.import_module(module), "lay_out", None)
    except Exception as error:
        raise InputError(
            f"data.loader: {module} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not callable(lay_out):
        raise InputError(f"data.loader: {module} has no function lay_out(folder); write one")
    return cast(Callable[[str], None], lay_out)


def _make_splits(config: Config, contents: dict[tuple[str, str], bytes]) -> dict[str, pd.DataFrame]:
    """Reads, checks and splits the raw files."""
    columns = raw_columns(config)
    parts: dict[str, list[pd.DataFrame]] = {}
    for (part, path), content in contents.items():
        table = tables.read_table(content, path, columns)
        rows.check_labels(table, path, config, must_have=part == "test")
        parts.setdefault(part, []).append(table)
    joined = [
        rows.with_row_ids(pd.concat(tables_, ignore_index=True), part)
        for part, tables_ in parts.items()
    ]
    train, test = pd.concat(joined[:-1], ignore_index=True), joined[-1]
    train, test = rows.draw(train, test, config.data.rows, config.seed)
    rows.check_classes(train, "the training part", config)
    rows.check_classes(test, "the test part", config)
    evaluation = rows.in_eval(train[ROW_ID], config.data.eval_fraction, config.seed)
    splits = {"train": train[~evaluation], "eval": train[evaluation], "test": test}
    for split, table in splits.items():
        rows.check_rows(table, split)
    return {split: rows.with_groups(table, config, columns) for split, table in splits.items()}


def _inside(files: tuple[SourceFile, ...], run_folder: Path) -> tuple[SourceFile, ...]:
    """The files; the paths of those in the run folder relative to it, for it may be moved."""
    return tuple(replace(f, path=f.path.removeprefix(f"{run_folder}/")) for f in files)


def _key(config: Config, files: tuple[SourceFile, ...]) -> str:
    """Digest of everything that the staged content follows from."""
    values = {
        "files": [asdict(file) for file in files],
        "data": config.data.model_dump(mode="json"),
        "columns": config.columns.model_dump(mode="json"),
        "labeling": [config.labeling.mode, config.labeling.gold_rows],
        "seed": config.seed,
        "contract": hashlib.sha256(config.schema_path.read_bytes()).hexdigest(),
        "code": code_sha256(__name__),
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _reuse(record: Path, target: Path) -> Staged | None:
    """The staged data that a record describes, if its content is whole."""
    if not record.is_file():
        return None
    try:
        values = json.loads(record.read_text(encoding="utf-8"))
        files = [SourceFile(**file) for file in values["files"]]
        values["files"] = tuple(replace(f, path=str(target.parent / f.path)) for f in files)
        values["path"] = str(target / values["digest"][:16])
        findings = dict.fromkeys(("held_back", "reported"), ())
        staged = Staged(**{**values, "spans": tuple(values["spans"]), **findings})
    except (ValueError, KeyError, TypeError):
        return None  # damaged: written anew
    if _content_digest(Path(staged.path)) != staged.digest:
        return None
    _give_times(Path(staged.path))  # a copy need not have them
    return staged


def _split_files(folder: Path) -> Iterator[Path]:
    return (folder / split / "data.csv" for split in SPLITS)


def _content_digest(folder: Path) -> str | None:
    digest = hashlib.sha256()
    for path in _split_files(folder):
        if not path.is_file():
            return None
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _give_times(folder: Path) -> None:
    """Gives the files modification times that follow from their content."""
    for path in _split_files(folder):
        mtime = _OLDEST_MTIME + int(hashlib.sha256(path.read_bytes()).hexdigest()[:7], 16)
        if path.stat().st_mtime != mtime:
            os.utime(path, (mtime, mtime))


def _write(splits: dict[str, pd.DataFrame], target: Path) -> str:
    """Writes the splits beside their final place, moves them there, returns their digest."""
    scratch = target / f".writing-{os.getpid()}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for split, table in splits.items():
            (scratch / split).mkdir(parents=True)
            with open(scratch / split / "data.csv", "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(table.columns)
                writer.writerows(zip(*(table[column] for column in table), strict=True))
        digest = _content_digest(scratch)
        assert digest is not None
        _give_times(scratch)
        final = target / digest[:16]
        if _content_digest(final) != digest:
            shutil.rmtree(final, ignore_errors=True)
            scratch.rename(final)
        return digest
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
