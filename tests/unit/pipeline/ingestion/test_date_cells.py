"""Dates that are not of the format: few are reported and count as missing, many are refused."""

from pathlib import Path

import pytest

from core.errors import InputError
from pipeline.config.load import load
from pipeline.ingestion.staging import Staged, stage
from tests.support.tiny_data import HEADER, ROWS, cells

DATES = "columns.dates={note: {format: '%d.%m.%Y'}}"


def write(folder: Path, part: str, bad: dict[int, str]) -> None:
    """Rows of a part whose note is a date, or what `bad` says of the row, from 1 on."""
    start = ROWS * ["span-1", "span-2", "test"].index(part)
    rows = [cells(n) for n in range(start, start + ROWS)]
    for n, row in enumerate(rows, 1):
        row[3] = bad.get(n, f"{1 + n % 28:02}.{1 + n % 12}.2024")
    text = "\n".join([HEADER, *(",".join(row) for row in rows)])
    (folder / part / "data.csv").write_text(text + "\n")


def run(folder: Path, *overrides: str) -> Staged:
    config = load(str(folder.parent / "tiny.yaml"), [DATES, *overrides])
    return stage(config, folder.parent / "run")


def test_few_are_reported_also_from_the_record(folder: Path) -> None:
    write(folder, "span-1", {7: "31.02.2024", 9: "", 12: "soon"})
    write(folder, "span-2", {})
    write(folder, "test", {})
    for _ in range(2):
        [finding] = [f for f in run(folder).reported if f.kind == "unreadable dates"]
        assert finding.span == 1
        assert "2 of 199 values in 'note' are not of the format '%d.%m.%Y'" in finding.message
        assert f"{folder / 'span-1' / 'data.csv'}: row 7: '31.02.2024'" in finding.message


@pytest.mark.parametrize("part", ["span-1", "span-2", "test"])
def test_many_are_an_error_that_names_the_first(folder: Path, part: str) -> None:
    for name in ("span-1", "span-2", "test"):
        write(folder, name, dict.fromkeys(range(3, 20), "2024-01-01") if name == part else {})
    with pytest.raises(InputError) as error:
        run(folder)
    said = str(error.value)
    assert said.startswith(f"{part}: column 'note': 8.5% of the values are not of the format")
    assert "columns.dates.note.format" in said
    assert "data.csv: row 3: '2024-01-01'" in said
    accepted = run(folder, "data.max_unreadable_dates=0.1")
    assert accepted.spans == (1, 2)
