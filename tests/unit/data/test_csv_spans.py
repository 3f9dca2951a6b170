"""A described file is laid out as spans, all of it or nothing."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from core.errors import InputError
from core.raw_table import Source
from data import csv_spans
from tests.support.csv_source import SOURCE


@pytest.fixture
def source(tmp_path: Path) -> Source:
    rows = "".join(f"Rome,{'card' if n % 3 else 'cash'},{n}\n" for n in range(60))
    content = f"City,Paid by,Fare\n{rows}".encode()
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "data.csv").write_bytes(content)
    return replace(SOURCE, sha256=hashlib.sha256(content).hexdigest())


def test_every_row_is_laid_out_once_and_again_is_the_same(source: Source, tmp_path: Path) -> None:
    spans = tmp_path / "spans"
    csv_spans.lay_out(source, tmp_path, str(spans))
    lines = {p: (spans / p / "data.csv").read_text().splitlines() for p in ("span-1", "test")}
    assert {tuple(part[0].split(",")) for part in lines.values()} == {("fare", "city", "paid_by")}
    fares = [line.split(",")[0] for part in lines.values() for line in part[1:]]
    assert sorted(map(int, fares)) == list(range(60))
    before = (spans / "test" / "data.csv").stat().st_mtime_ns
    csv_spans.lay_out(source, tmp_path, str(spans))
    assert (spans / "test" / "data.csv").stat().st_mtime_ns == before


def test_a_span_that_came_later_is_left_alone(source: Source, tmp_path: Path) -> None:
    spans = tmp_path / "spans"
    csv_spans.lay_out(source, tmp_path, str(spans))
    (spans / "span-2").mkdir()
    csv_spans.lay_out(source, tmp_path, str(spans))
    assert sorted(path.name for path in spans.iterdir()) == ["span-1", "span-2", "test"]


def test_another_part_in_its_place_is_not_overwritten(source: Source, tmp_path: Path) -> None:
    spans = tmp_path / "spans"
    csv_spans.lay_out(source, tmp_path, str(spans))
    (spans / "test" / "data.csv").write_text("mine")
    with pytest.raises(InputError, match=r"test/data.csv: missing or not what .*raw/data.csv"):
        csv_spans.lay_out(source, tmp_path, str(spans))
    assert (spans / "test" / "data.csv").read_text() == "mine"


def test_another_file_is_refused_and_nothing_is_written(source: Source, tmp_path: Path) -> None:
    (tmp_path / "raw" / "data.csv").write_text("City,Paid by,Fare\nRome,card,1\n")
    with pytest.raises(InputError, match=r"SHA-256 is \w+, expected"):
        csv_spans.lay_out(source, tmp_path, str(tmp_path / "spans"))
    (tmp_path / "raw" / "data.csv").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        csv_spans.lay_out(source, tmp_path, str(tmp_path / "spans"))
    assert not (tmp_path / "spans").exists()


def test_a_parquet_file_is_laid_out_as_the_same_rows_of_csv_are(
    source: Source, tmp_path: Path
) -> None:
    csv_spans.lay_out(source, tmp_path, str(tmp_path / "csv"))
    path = tmp_path / "raw" / "data.parquet"
    pq.write_table(pyarrow.csv.read_csv(tmp_path / "raw" / "data.csv"), path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    other = replace(source, file="raw/data.parquet", sha256=sha256)
    csv_spans.lay_out(other, tmp_path, str(tmp_path / "parquet"))
    for part in ("span-1", "test"):
        of_csv, of_parquet = (tmp_path / kind / part / "data.csv" for kind in ("csv", "parquet"))
        assert of_csv.read_bytes() == of_parquet.read_bytes()
