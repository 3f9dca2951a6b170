"""Turns the data window into the CSV files that CsvExampleGen reads.

In: span-<n>/*.csv and test/*.csv, from `data.folder` or laid out by `data.loader`. Out:
<run folder>/staged/<digest>/{train,eval,test}/data.csv with `row_id` (`span-1:17`) in front and the
group columns at the end. The digest is that of the content, and so are the modification times,
which CsvExampleGen's fingerprint is made of: equal data is found in the cache again.
"""

import hashlib
import importlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from core import lock
from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY, write_atomically
from core.names import SPLITS
from pipeline.ingestion import ledger, rows, tables
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.spans import TEST, SourceFile, SpanFinding
from pipeline.ingestion.splits import SplitWriter
from pipeline.ingestion.tables import ColumnKinds
from pipeline.ingestion.window import Suspected, Window, find_window
from pipeline.run.fingerprint import code_sha256

_SCRATCH = ".writing-"
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
    files = window.files
    target = run_folder / "staged"
    record = target / f"{_key(config, files)}.json"
    if (staged := _reuse(record, target)) is not None:
        return replace(staged, held_back=window.held_back, reported=window.reported)
    columns = raw_columns(config)
    target.mkdir(parents=True, exist_ok=True)
    with lock.wait(target / lock.STAGED_FILE):  # not every verb that stages holds the run's lock
        digest, counts = _write(config, columns, files, target)
        staged = Staged(str(target / digest[:16]), digest, window.spans, counts, files)
        write_atomically(record, json.dumps(asdict(staged), indent=1))
    return replace(staged, held_back=window.held_back, reported=window.reported)


def _raw_folder(config: Config, run_folder: Path) -> Path:
    if config.data.folder is not None:
        folder = REPOSITORY / config.data.folder
        if not folder.is_dir():
            raise InputError(f"data.folder: there is no folder {folder}")
        return folder
    assert config.data.loader is not None
    folder = run_folder / "data"
    lay_out = _loader(config.data.loader)
    with _named(f"data.loader: {config.data.loader}.lay_out failed"):
        lay_out(str(folder))
    return folder


def _loader(module: str) -> Callable[[str], None]:
    """The module's `lay_out`."""
    with _named(f"data.loader: {module} cannot be imported"):
        lay_out = getattr(importlib.import_module(module), "lay_out", None)
    if not callable(lay_out):
        raise InputError(f"data.loader: {module} has no function lay_out(folder); write one")
    return cast(Callable[[str], None], lay_out)


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Makes an InputError that begins with `what` of an error in code that a user wrote."""
    try:
        yield
    except (InputError, OSError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit() would end the process without a word
        raise InputError(f"{what}: {type(error).__name__}: {error}") from error


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
    values = json.loads(record.read_text(encoding="utf-8"))
    values["files"] = tuple(SourceFile(**file) for file in values["files"])
    values["path"] = str(target / values["digest"][:16])
    findings = dict.fromkeys(("held_back", "reported"), ())
    staged = Staged(**{**values, "spans": tuple(values["spans"]), **findings})
    return staged if _content_digest(Path(staged.path)) == staged.digest else None


def _split_files(folder: Path) -> Iterator[Path]:
    return (folder / split / "data.csv" for split in SPLITS)


def _digests(folder: Path) -> dict[Path, str] | None:
    """SHA-256 of each split's file; None where one is missing."""
    found = {}
    for path in _split_files(folder):
        if not path.is_file():
            return None
        with open(path, "rb") as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _content_digest(folder: Path) -> str | None:
    digests = _digests(folder)
    return None if digests is None else _joined(digests)


def _joined(digests: Mapping[Path, str]) -> str:
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests.values()))).hexdigest()


def _write(
    config: Config, columns: ColumnKinds, files: Sequence[SourceFile], target: Path
) -> tuple[str, dict[str, int]]:
    """Writes the splits beside their final place and moves them there.

    Returns:
        Their digest, and the number of rows of each.
    """
    for left in target.glob(f"{_SCRATCH}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=target))
    try:
        with SplitWriter(scratch, config, columns) as writer:
            for file in files:
                for first, table in tables.read_file(file, columns):
                    rows.check_labels(table, file.path, config, file.part == TEST, first)
                    writer.add(file.part, table)
            counts = writer.finish()
        digests = _digests(scratch)
        assert digests is not None
        for path, sha256 in digests.items():
            mtime = _OLDEST_MTIME + int(sha256[:7], 16)
            os.utime(path, (mtime, mtime))
        digest = _joined(digests)
        final = target / digest[:16]
        if _content_digest(final) != digest:
            shutil.rmtree(final, ignore_errors=True)
            scratch.chmod(0o755)
            scratch.rename(final)
        return digest, counts
    except InputError:
        for file in files:
            tables.check_unchanged(file)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
