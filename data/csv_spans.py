"""Lays a CSV or Parquet file out as spans: `span-1/data.csv` and `test/data.csv`.

For data sets whose `spans` module only describes a file (`SOURCE`) that lies beside it. Fails with
InputError when the file is missing, is another one, or does not fit its description.
"""

import hashlib
from pathlib import Path

from core import raw_table
from core.errors import InputError
from core.raw import raw_files
from core.raw_table import Source
from data import packaged_spans
from data.packaged_spans import to_csv


def lay_out(source: Source, beside: Path, folder: str) -> None:
    """Writes the parts of a file under `folder`, all of them or nothing.

    A folder that already holds these parts is left as it is, with whatever else is in it.

    Args:
        source: what is read, and how.
        beside: folder that `source.file` is relative to.
        folder: where the parts go.

    Raises:
        InputError: the file is missing or another one, or `folder` holds something else.
    """
    path = beside / source.file
    cells_of = read(source, path)
    files = {
        f"{part}/data.csv": to_csv([list(cells), *zip(*cells.values(), strict=True)])
        for part, cells in raw_table.parts(source, cells_of, str(path))
    }
    packaged_spans.lay_out(files, folder, f"what {path} holds,")


def read(source: Source, path: Path) -> dict[str, list[str]]:
    """Cells of the file by header.

    Raises:
        InputError: it is missing, another file, or not valid CSV or Parquet.
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
    table = raw_files.read(content, str(path), source.delimiter)
    return dict(zip(table.header, table.cells, strict=True))
