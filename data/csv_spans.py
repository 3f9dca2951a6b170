"""Lays a CSV file out as spans: `span-1/data.csv` and `test/data.csv`.

For data sets whose `spans` module only describes a file (`SOURCE`) that lies beside it. Fails with
InputError when the file is missing, is another one, or does not fit its description.
"""

import csv
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from core import csv_text, raw_table
from core.errors import InputError
from core.raw_table import Source


def lay_out(source: Source, beside: Path, folder: str) -> None:
    """Writes the parts of a file under `folder`, all of them or nothing.

    A part that is there already is left as it is; parts of other names are not looked at.

    Args:
        source: what is read, and how.
        beside: folder that `source.file` is relative to.
        folder: where the parts go.

    Raises:
        InputError: the file is missing or another one, or a part with other content is there.
    """
    path, target = beside / source.file, Path(folder)
    header, rows = read(source, path)
    contents = {
        f"{part}/data.csv": to_csv(cells)
        for part, cells in raw_table.parts(source, header, rows, str(path))
    }
    for name, text in contents.items():
        written = target / name
        if written.parent.exists() and (
            not written.is_file() or written.read_bytes() != text.encode()
        ):
            raise InputError(
                f"{written}: missing or not what {path} holds; delete {target} to have it written "
                "anew, or name your own folder in data.folder"
            )
    absent = {name: text for name, text in contents.items() if not (target / name).exists()}
    if absent:
        _write(absent, target)


def read(source: Source, path: Path) -> tuple[list[str], csv_text.Table]:
    """Header and rows of the file.

    Raises:
        InputError: it is missing, another file, or not valid CSV.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; bring it back") from error
    found = hashlib.sha256(content).hexdigest()
    if found != source.sha256:
        raise InputError(
            f"{path}: SHA-256 is {found}, expected {source.sha256}; bring the file back, "
            "or correct the description of the data set if the new one is meant"
        )
    header, rows = csv_text.parse(csv_text.decode(content, str(path)), str(path), source.delimiter)
    csv_text.check_widths(header, rows, str(path))
    return header, rows


def to_csv(cells: Mapping[str, Sequence[str]]) -> str:
    """Columns as CSV text, lines ended by a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(cells)
    writer.writerows(zip(*cells.values(), strict=True))
    return text.getvalue()


def _write(contents: Mapping[str, str], target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, text in contents.items():
            (scratch / name).parent.mkdir()
            (scratch / name).write_text(text, encoding="utf-8", newline="")
        for name in contents:
            os.rename((scratch / name).parent, (target / name).parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
