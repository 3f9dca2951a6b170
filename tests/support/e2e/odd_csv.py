"""CSV files of all kinds, drawn from a seed, and what `init`, `lf` and staging make of them.

python -m tests.support.e2e.odd_csv SECONDS SEED    # files from SEED on, for so many seconds
"""

import functools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from snorkel.labeling import LabelingFunction

from core import raw_table
from core.config import Config
from core.errors import InputError
from models.labels.rows import coded
from models.labels.voting import Voter
from pipeline.config import overlay
from pipeline.config.load import CONFIGS, SMOKE, load
from pipeline.ingestion import staged_rows
from pipeline.ingestion.staging import stage
from pipeline.init import looking, proposal
from pipeline.init.looking import InitRequest
from tests.support.tiny_data import HEADER, cells, write_config, write_raw

NUMBERS = [
    "1_000", "\u0661\u0662", "0x10", "1e400", "1.5e39", "nan", "inf", "-inf", "-0", "+5", " 39 ",
    "007", "25.9", "1e3", "9223372036854775808", "-9223372036854775808",
    "9" * 5000, "1e-400", "", " ", "1,5",
    "$5", "\u00a05", "5%", "--1", "3.4028235e38",
]  # fmt: skip
TEXTS = [
    "", " ", "\0", "\u2028", "\x85", "\ufeff", "one\rtwo", "one\r\ntwo", "one\ntwo", 'say "hm"',
    '"', ",", ";", "\t", "=1+1", "\x1b[31m", "cafe\u0301", "caf\u00e9", "\U0001f600", "x" * 140_000,
    "'", "\\", "null", "NA", "?", "\u202e", "\x1c",
]  # fmt: skip
LABELS = ["yes", "no", "", "Yes", " yes", "maybe", "\u200byes"]
HEADERS = ["", " ", "age", "AGE", "\ufeffage", "x" * 10_000, "a,b", "a\nb", "\x1b[2J", "row_id"]
RATE = 0.004  # of odd cells in an odd file


@dataclass(frozen=True)
class OddFile:
    """A file, and its rows where it has them as they are: cells that a reader must find in it."""

    content: bytes
    rows: list[list[str]] | None


def draw(seed: int) -> OddFile:
    """A file of about 100 rows below `tests.support.tiny_data.HEADER`, with faults or without."""
    rng = np.random.default_rng(seed)

    def one_of(values: list[Any]) -> Any:
        return values[rng.integers(len(values))]

    header = HEADER.split(",")
    rows = [cells(n) for n in range(rng.integers(0, 3) if rng.random() < 0.1 else 100)]
    as_it_is = True
    for row in rows:
        for at, odd in ((0, NUMBERS), (1, NUMBERS), (2, TEXTS), (3, TEXTS), (4, LABELS)):
            if rng.random() < RATE:
                row[at] = one_of(odd)
    if rng.random() < 0.15:
        header[rng.integers(5)] = one_of(HEADERS)
        as_it_is = False
    if rng.random() < 0.15 and rows:
        row = rows[rng.integers(len(rows))]
        if rng.random() < 0.5:
            row.pop()
        else:
            row.append("more")
        as_it_is = False
    delimiter = one_of([",", ",", ",", ",", ";", "\t", "|"])
    end = one_of(["\n", "\n", "\r\n", "\r"])
    always, never = rng.random() < 0.2, rng.random() < 0.1

    def quoted(cell: str) -> str:
        special = any(c in cell for c in f'{delimiter}"\r\n')
        return (
            f'"{cell.replace(chr(34), chr(34) * 2)}"' if always or (special and not never) else cell
        )

    lines = [delimiter.join(map(quoted, row)) for row in (header, *rows)]
    text = end.join(lines) + one_of(["", end, end * 3, f"{end} {end}"])
    as_it_is = as_it_is and delimiter == "," and not never
    content = text.encode(one_of(["utf-8"] * 9 + ["utf-8-sig", "utf-16", "latin-1"]), "replace")
    if content.decode("utf-8-sig", "replace") != text:
        as_it_is = False
    if rng.random() < 0.1 and content:  # a damaged byte
        at = int(rng.integers(len(content)))
        content = content[:at] + bytes([rng.integers(256)]) + content[at + 1 :]
        as_it_is = False
    return OddFile(content, rows if as_it_is else None)


@functools.cache
def loaded(folder: Path) -> Config:
    """The configuration of a folder that `prepare` made."""
    return load(str(folder / "tiny.yaml"))


def check_staging(odd: OddFile, folder: Path) -> None:
    """Stages the file, applies a function to its rows: works, or names file and place."""
    raw = folder / "raw" / "span-2" / "data.csv"
    raw.write_bytes(odd.content)
    run, config = folder / "run", loaded(folder)
    shutil.rmtree(run, ignore_errors=True)
    try:
        staged = stage(config, run)
    except InputError as error:
        check_message(str(error), str(raw))
        left = [path for path in (run / "staged").glob("*") if path.name != ".lock"]
        assert not left, f"left behind: {left}"
        return
    table = staged_rows.read(staged, config)
    columns = {name: coded(values) for name, values in table.columns.items()}
    votes = Voter([LabelingFunction("one", lambda row: int((row["age"] or 0) > 40))]).vote(
        columns, table.row_ids
    )
    assert votes.shape == (len(table.row_ids), 1)
    if odd.rows is not None:
        ids = {f"span-2:{n}" for n in range(1, len(odd.rows) + 1)}
        found = {row["row_id"]: row for row in staged_rows.read_cells(staged, ids)}
        assert found.keys() == ids
        for n, row in enumerate(odd.rows, 1):
            kept = found[f"span-2:{n}"]
            assert [kept["job"], kept["note"], kept["class"]] == row[2:], n
            for name, cell in zip(("age", "hours"), row[:2], strict=True):
                assert bool(kept[name]) == bool(cell.strip())
                assert not kept[name] or float(kept[name]) == float(cell), n


def check_init(odd: OddFile, folder: Path) -> None:
    """What `init` decides of the file: works, or names file, flag or place."""
    path = folder / "odd.csv"
    [(_, smoke)] = overlay.read_chain(str(SMOKE), CONFIGS)
    request = InitRequest(path, "class", "odd", "yes", 0.25, (), {})
    try:
        found = looking.read(odd.content, str(path))
        looked = looking.look(request, found)
        table = raw_table.convert(looked.source, found.cells, str(path))
        proposal.propose(looked, table, smoke)
    except InputError as error:
        text = str(error)
        assert str(path) in text or "--label class" in text or "column 'class'" in text, text


def check_message(text: str, path: str) -> None:
    """A message names the file (or the part, where all its rows are meant) and stays short."""
    assert path in text or "the training part" in text, text
    assert len(text) < 30_000, "whole cells in a message"
    places = (
        "row ",
        "line ",
        "header",
        "column ",
        "no rows",
        "is empty",
        "rows with a label",
        "it is",
    )
    assert any(place in text for place in places), text


Check = Callable[[OddFile, Path], None]
CHECKS: list[Check] = [check_staging, check_init]


def prepare(folder: Path) -> Path:
    """A folder with a configuration, a contract and whole spans."""
    write_config(folder)
    write_raw(folder)
    return folder


def main(seconds: float, seed: int) -> int:
    """Draws files until the time is over; prints the seed of each that fails a check."""
    end, failed, count = time.monotonic() + seconds, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = prepare(Path(scratch))
        while time.monotonic() < end:
            for check in CHECKS:
                try:
                    check(draw(seed), folder)
                except Exception as error:
                    failed += 1
                    print(f"{check.__name__}, seed {seed}: {type(error).__name__}: {error!s:.300}")
            seed, count = seed + 1, count + 1
    print(f"{count} files, {failed} failures")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
