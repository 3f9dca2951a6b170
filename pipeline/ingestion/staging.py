"""Turns the data window into the CSV files that CsvExampleGen reads.

In: CSV and Parquet files in span-<n>/ and test/ of `data.folder` or laid out by `data.loader`. Out:
<run folder>/staged/<digest>/{train,eval,test}/data.csv with `row_id` (`span-1:17`) in front and the
group columns at the end. The digest is that of the content, and so are the modification times,
which CsvExampleGen's fingerprint is made of: equal data is found in the cache again.
"""

import hashlib
import importlib
import inspect
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import cast

from core import lock
from core.config import Config
from core.errors import InputError
from core.files import REPOSITORY, write_atomically
from pipeline.ingestion import ledger, split_files, tables
from pipeline.ingestion.date_cells import DateCells
from pipeline.ingestion.repeats import RowKeys
from pipeline.ingestion.spans import SourceFile, SpanFinding, part_of
from pipeline.ingestion.window import Suspected, Window, find_window
from pipeline.run.fingerprint import code_sha256

_SCRATCH = ".writing-"


@dataclass(frozen=True)
class RepeatedRows:
    """Rows of a span that are left out: how many, the largest share beyond chance, in words."""

    span: int
    rows: int
    excess: float
    message: str


@dataclass(frozen=True)
class Staged:
    """What a run reads.

    path: folder with train/, eval/ and test/.
    digest: SHA-256 of the content.
    spans: numbers of the spans that are taken, ascending.
    rows: rows by split.
    files: the raw files that are taken.
    repeated: what spans of the window repeat.
    unreadable: spans with dates of another format.
    held_back, reported: what is worth knowing of spans; see pipeline/ingestion/window.py.
    """

    path: str
    digest: str
    spans: tuple[int, ...]
    rows: dict[str, int]
    files: tuple[SourceFile, ...]
    repeated: tuple[RepeatedRows, ...] = ()
    unreadable: tuple[SpanFinding, ...] = ()
    held_back: tuple[SpanFinding, ...] = ()
    reported: tuple[SpanFinding, ...] = ()


def window_of(config: Config, run_folder: Path, suspected: Suspected | None = None) -> Window:
    """The spans that a run would take now.

    Args:
        config: the configuration.
        run_folder: <root>/<name>.
        suspected: spans that are doubted, besides those that the log names.

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
    target = run_folder / "staged"
    record = target / f"{_key(config, _inside(window.files, run_folder))}.json"
    staged = _reuse(record, target)
    held = _held(staged.repeated, config, window) if staged else None
    if staged is None or {*staged.spans} != {*window.spans} - (held or set()):
        target.mkdir(parents=True, exist_ok=True)
        with lock.wait(target / lock.STAGED_FILE):  # not each verb that stages holds the run's lock
            staged = _write(config, window, target)
            noted = replace(staged, path=target.name, files=_inside(staged.files, run_folder))
            write_atomically(record, json.dumps(asdict(noted), indent=1))
    return _with_findings(staged, window)


def _held(repeated: Iterable[RepeatedRows], config: Config, window: Window) -> set[int]:
    """The spans that repeat too much, but for those that were trained on or accepted."""
    bound = config.data.max_repeated
    beyond = {r.span for r in repeated if bound is not None and r.excess > bound}
    return beyond - window.settled


def _with_findings(staged: Staged, window: Window) -> Staged:
    """With what is worth knowing of spans; all of them held back is an error."""
    held_back, reported = [*window.held_back], [*window.reported, *staged.unreadable]
    for found in staged.repeated:
        if found.span in staged.spans:
            left_out = f"{found.message}; {found.rows} rows are left out"
            reported.append(SpanFinding(found.span, "rows left out", left_out))
        else:
            accept = f"correct it, or accept it: --set data.accept_spans=[{found.span}]"
            what = f"{found.message}; {accept}"
            held_back.append(SpanFinding(found.span, "repeated rows", what))
    replace(window, spans=staged.spans, held_back=tuple(held_back)).check()
    return replace(staged, held_back=tuple(held_back), reported=tuple(reported))


def _raw_folder(config: Config, run_folder: Path) -> Path:
    if config.data.folder is not None:
        folder = REPOSITORY / config.data.folder
        if not folder.is_dir():
            raise InputError(f"data.folder: there is no folder {folder}")
        return folder
    assert config.data.loader is not None
    folder = run_folder / "data"
    lay_out, source = _loader(config.data.loader), config.data.source
    read = [] if source is None else [str(REPOSITORY / source)]
    if read and not _takes_source(lay_out):
        raise InputError(
            f"data.source: {source}: {config.data.loader}.lay_out(folder) reads no folder; drop "
            "the key, or write lay_out(folder, source)"
        )
    with _named(f"data.loader: {config.data.loader}.lay_out failed"):
        lay_out(str(folder), *read)
    return folder


def _loader(module: str) -> Callable[..., None]:
    """The module's `lay_out(folder)`, or `lay_out(folder, source)`."""
    with _named(f"data.loader: {module} cannot be imported"):
        lay_out = getattr(importlib.import_module(module), "lay_out", None)
    if not callable(lay_out):
        raise InputError(f"data.loader: {module} has no function lay_out(folder); write one")
    return cast(Callable[..., None], lay_out)


def _takes_source(lay_out: Callable[..., None]) -> bool:
    try:
        inspect.signature(lay_out).bind("folder", "source")
    except TypeError:
        return False
    return True


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Makes an InputError that begins with `what` of an error in code that a user wrote."""
    try:
        yield
    except (InputError, OSError, KeyboardInterrupt):
        raise
    except BaseException as error:  # sys.exit() would end the process without a word
        raise InputError(f"{what}: {type(error).__name__}: {error}") from error


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
        values["unreadable"] = tuple(SpanFinding(**f) for f in values["unreadable"])
        values["repeated"] = tuple(RepeatedRows(**found) for found in values["repeated"])
        findings = dict.fromkeys(("held_back", "reported"), ())
        staged = Staged(**{**values, "spans": tuple(values["spans"]), **findings})
    except (ValueError, KeyError, TypeError):
        return None  # damaged: written anew
    digests = split_files.digests_of(Path(staged.path))
    if digests is None or split_files.joined(digests) != staged.digest:
        return None
    split_files.give_times(digests)  # a copy need not have them
    return staged


def _write(config: Config, window: Window, target: Path) -> Staged:
    """Writes the splits beside their final place and moves them there."""
    for left in target.glob(f"{_SCRATCH}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=target))
    keys = RowKeys(config) if config.data.max_repeated is not None else None
    dates = DateCells(config)
    try:
        written = scratch / "all"
        counts = split_files.write(config, window.files, written, keys=keys, dates=dates)
        judged = keys.judge() if keys else {}
        repeated = tuple(
            RepeatedRows(n, int(found.again.sum()), found.excess, found.message)
            for n in window.spans
            if (found := judged.get(part_of(n))) and found.message
        )
        held = _held(repeated, config, window)
        spans = tuple(n for n in window.spans if n not in held)
        files = tuple(f for f in window.files if f.part not in {part_of(n) for n in held})
        if repeated and spans:
            written = scratch / "without"
            again = {part: found.again for part, found in judged.items()}
            counts = split_files.write(config, files, written, again)
        digest = split_files.move(written, target)
        unreadable = dates.findings(spans)
        path = str(target / digest[:16])
        return Staged(path, digest, spans, counts, files, repeated, unreadable)
    except InputError:
        for file in window.files:
            tables.check_unchanged(file)
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
