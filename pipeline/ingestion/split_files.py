"""The files of the splits: written, told by their content, moved to their place."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.config import Config
from core.names import SPLITS
from pipeline.ingestion import rows, tables
from pipeline.ingestion.contract import raw_columns
from pipeline.ingestion.date_cells import DateCells
from pipeline.ingestion.repeats import RowKeys
from pipeline.ingestion.spans import TEST, SourceFile
from pipeline.ingestion.splits import SplitWriter

_OLDEST_MTIME = 1_000_000_000  # 2001: seconds since 1970


def write(
    config: Config,
    files: Iterable[SourceFile],
    folder: Path,
    without: Mapping[str, NDArray[np.bool_]] | None = None,
    keys: RowKeys | None = None,
    dates: DateCells | None = None,
) -> dict[str, int]:
    """Writes the splits into a folder; the number of rows of each.

    Args:
        config: the configuration.
        files: what is read.
        folder: is made.
        without: rows that are left out, bool [rows] by part.
        keys: is shown the rows.
        dates: is shown the rows, and refuses what has too many unreadable dates.

    Raises:
        InputError: names the file, row and column at fault.
    """
    columns = raw_columns(config)
    with SplitWriter(folder, config, columns) as writer:
        for file in files:
            for first, table in tables.read_file(file, columns):
                rows.check_labels(table, file.path, config, file.part == TEST, first)
                writer.add(file.part, table, (without or {}).get(file.part))
                if keys is not None:
                    keys.add(file.part, table)
                if dates is not None:
                    dates.add(file, table, first)
        if dates is not None:
            dates.check()
        return writer.finish()


def move(written: Path, target: Path) -> str:
    """Moves the splits to <target>/<first digits of their digest>; the digest."""
    digests = digests_of(written)
    assert digests is not None
    give_times(digests)
    digest = joined(digests)
    final = target / digest[:16]
    there = digests_of(final)
    if there is None or joined(there) != digest:
        shutil.rmtree(final, ignore_errors=True)
        written.rename(final)
    return digest


def digests_of(folder: Path) -> dict[Path, str] | None:
    """SHA-256 of each split's file; None where one is missing."""
    found = {}
    for path in (folder / split / "data.csv" for split in SPLITS):
        if not path.is_file():
            return None
        with open(path, "rb") as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def joined(digests: Mapping[Path, str]) -> str:
    """One SHA-256 for all."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, digests.values()))).hexdigest()


def give_times(digests: Mapping[Path, str]) -> None:
    """Gives files modification times that follow from their content."""
    for path, sha256 in digests.items():
        mtime = _OLDEST_MTIME + int(sha256[:7], 16)
        if path.stat().st_mtime != mtime:
            os.utime(path, (mtime, mtime))
