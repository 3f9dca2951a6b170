"""The spans under a folder: their files, and what is wrong with one by itself.

A span is a folder `span-<n>` of CSV and Parquet files. docs/continuous-training.md describes the
protocol; pipeline/ingestion/window.py says which of them a run takes.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.raw.raw_files import ENDINGS
from core.sections.data import DataSection

TEST = "test"
NO_FILE = f"no {' or '.join(ENDINGS)} file in it"


@dataclass(frozen=True)
class SourceFile:
    """A raw file: its part (`span-1`, `test`), its path as given, its SHA-256."""

    part: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        """`span-1/data.csv`."""
        return f"{self.part}/{Path(self.path).name}"


@dataclass(frozen=True)
class SpanFinding:
    """Something about a span that a person should know.

    kind: held back: `incomplete`, `damaged`, `duplicate`, `changed`, `suspicious labels`,
        `repeated rows`, `configuration`; only reported: `accepted`, `late`, `duplicate file`,
        `rows left out`, `unreadable dates`.
    """

    span: int
    kind: str
    message: str


def part_of(span: int) -> str:
    """`span-3`."""
    return f"span-{span}"


def data_files(folder: Path) -> list[Path]:
    """The data files of a part.

    Raises:
        InputError: one is no file, or has a name that is not UTF-8.
    """
    there = folder.iterdir() if folder.is_dir() else ()
    found = sorted(path for path in there if path.suffix in ENDINGS)
    for path in found:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "a link that leads nowhere"
            raise InputError(f"{path}: {what}, not a file; remove it or give it another ending")
        if not path.name.isprintable():
            raise InputError(f"{str(path)!a}: its name cannot be written as text; rename it")
    return found


def span_folders(folder: Path) -> dict[int, Path]:
    """The folder of each span.

    Raises:
        InputError: there is none, two have the same number, or a folder is called nearly so.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        if match := re.fullmatch(r"span-(\d+)", path.name, re.ASCII):
            other = found.setdefault(int(match[1]), path)
            if other != path:
                raise InputError(f"{other} and {path} have the same number; rename one of them")
        elif re.match(r"span\W*_?\W*\d", path.name, re.IGNORECASE):
            raise InputError(f"{path}: a span is called span-<number>; rename it, or move it away")
    if not found:
        raise InputError(
            f"{folder}: no span-<number> folder in it; put CSV or Parquet files in span-1/"
        )
    return found


def read_part(folder: Path, part: str) -> tuple[SourceFile, ...]:
    """The data files of a part, with their checksums."""
    return tuple(SourceFile(part, str(path), _sha256(path)) for path in data_files(folder))


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inspect(
    folder: Path, number: int, data: DataSection
) -> tuple[SpanFinding | None, tuple[SourceFile, ...]]:
    """The files of a span, or what is wrong with it by itself: not whole, damaged, ruled out."""
    if number in data.hold_back_spans:
        return SpanFinding(number, "configuration", "listed in data.hold_back_spans"), ()
    marker = data.completion_marker
    if marker is not None and not (folder / marker).is_file():
        return SpanFinding(number, "incomplete", f"{folder / marker} is not there yet"), ()
    files = read_part(folder, part_of(number))
    if not files:
        return SpanFinding(number, "incomplete", f"{folder}: {NO_FILE}"), ()
    sums = folder / data.checksum_file
    if sums.is_file() and (fault := _check_sums(sums, files)):
        return SpanFinding(number, "damaged", f"{fault}; deliver the span again"), ()
    return None, files


def _check_sums(path: Path, files: Sequence[SourceFile]) -> str | None:
    """What does not agree with a file as `sha256sum` writes it."""
    found = {Path(file.path).name: file.sha256 for file in files}
    expected: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        if line.strip():
            match = re.fullmatch(r"\\?([0-9a-fA-F]{64}) [ *](?:\./)?(.+)", line)
            if match is None:
                return f"{path}: line {number + 1} is not '<SHA-256>  <file>'"
            expected[match[2]] = match[1].lower()
    for name, checksum in expected.items():
        there = path.with_name(name)
        if not there.is_file():
            return f"{there} is listed in {path.name} and is missing"
        if (found.get(name) or _sha256(there)) != checksum:
            return f"{there} has another SHA-256 than {path.name} says"
    for name in sorted(found.keys() - expected.keys()):
        return f"{path.with_name(name)} is not listed in {path.name}"
    return None
