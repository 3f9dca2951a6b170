"""Raw files: CSV and Parquet through one reader, columns of one name."""

import io
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core import csv_text
from core.errors import InputError
from core.raw import raw_files
from core.raw.raw_files import RawReader


def parquet(columns: dict[str, object], **options: object) -> bytes:
    """A file of these columns."""
    return written(pa.table(columns), **options)


def written(table: pa.Table, **options: object) -> bytes:
    """A table as a file."""
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def test_columns_are_those_of_the_rows() -> None:
    """Rows by the thousand, of cells with quotes, delimiters and line ends."""
    rows = [[str(n), ['a"b', "c,d", "e\nf", "g\rh", ""][n % 5]] for n in range(9000)]
    text = "".join(csv_text.to_lines([["n", "x"], *rows]))
    table = raw_files.read(b"\xef\xbb\xbf" + text.encode(), "x.csv")
    assert (table.header, table.types, table.delimiter) == (["n", "x"], {}, ",")
    assert list(map(list, zip(*table.cells, strict=True))) == rows
    assert len({id(cell) for cell in table.cells[1]}) == 5, "equal cells are one object"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\nK\u00f6ln,3\n".encode("latin-1"), "x.csv: row 2 is not UTF-8"),
        (b" \n", "x.csv: the file is empty"),
        (b"a,b\n", "x.csv: no rows below the header"),
        (b"a,b\n1,2\n3\n", "x.csv: row 2 has 1 cells, the header has 2 columns"),
        (b'a,b\n1,"2\n', "x.csv: line 2 is not valid CSV"),
    ],
)
def test_columns_of_a_file_at_fault_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        raw_files.read(content, "x.csv", ",")


EVERY_TYPE: list[tuple[pa.Array, list[str]]] = [
    (pa.array([3, None, -(2**63)]), ["3", "", str(-(2**63))]),
    (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
    (
        pa.array([0.1, 1e22, None, float("nan"), float("inf"), 3.0]),
        ["0.1", "1e+22", "", "", "inf", "3.0"],
    ),
    (pa.array(np.array([0.1, 16777216, np.nan, 3], np.float32)), ["0.1", "16777216", "", "3"]),
    (pa.array([True, None, False]), ["True", "", "False"]),
    (pa.array(["007", "", None, " a\r\nb "]), ["007", "", "", " a\r\nb "]),
    (pa.array(["a", None, "b", "a"]).dictionary_encode(), ["a", "", "b", "a"]),
    (pa.array([2, None, 2]).dictionary_encode(), ["2", "", "2"]),
    (pa.array(["caf\u00e9".encode(), None]), ["caf\u00e9", ""]),
    (pa.array([Decimal("12.50"), None, Decimal("-0.01")]), ["12.50", "", "-0.01"]),
    (pa.array([Decimal("1E+3")], pa.decimal128(7, 2)), ["1000.00"]),
    (pa.array([date(2024, 1, 31), None]), ["2024-01-31", ""]),
    (pa.array([time(3, 4, 5), time(3, 4, 5, 60)]), ["03:04:05", "03:04:05.000060"]),
    (
        pa.array([datetime(2024, 1, 31, 13, 45), None, datetime(1969, 12, 31, 23, 59, 59)]),
        ["2024-01-31 13:45:00", "", "1969-12-31 23:59:59"],
    ),
    (pa.array([datetime(2024, 1, 31, 13, 45, 0, 500)]), ["2024-01-31 13:45:00.000500"]),
    (
        pa.array([datetime(2024, 7, 1, 12), datetime(2024, 1, 1)], pa.timestamp("ms", "UTC")),
        ["2024-07-01 12:00:00Z", "2024-01-01 00:00:00Z"],
    ),
    (
        pa.array([datetime(2024, 7, 1, 12)], pa.timestamp("us", "Europe/Paris")),
        ["2024-07-01 14:00:00+0200"],
    ),
    (pa.nulls(2), ["", ""]),
]


@pytest.mark.parametrize(("values", "cells"), EVERY_TYPE, ids=lambda v: str(getattr(v, "type", "")))
def test_values_of_parquet_are_written_as_csv_has_them(values: pa.Array, cells: list[str]) -> None:
    table = raw_files.read(parquet({"a": values, "b": values}), "x.parquet")
    assert table.cells == [cells, cells]
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    assert pa.types.is_timestamp(kind) or table.types == {"a": kind, "b": kind}


def test_floats_come_back_to_the_bit() -> None:
    random = np.random.default_rng(1)
    for bits, kind in ((np.uint32, np.float32), (np.uint64, np.float64)):
        drawn = random.integers(0, np.iinfo(bits).max, 5000, bits, endpoint=True).view(kind)
        values = drawn[np.isfinite(drawn)]
        [cells] = raw_files.read(parquet({"a": values}), "x.parquet").cells
        assert np.array_equal(np.array([kind(cell) for cell in cells]), values)


def test_rows_are_counted_over_batches_and_row_groups() -> None:
    content = parquet({" a ": list(range(10))}, row_group_size=4)
    reader = RawReader(io.BytesIO(content), "x.parquet")
    assert reader.columns == ["a"]
    batches = list(reader.batches(3))
    assert [cell for _, [cells] in batches for cell in cells] == list(map(str, range(10)))
    starts = [first for first, _ in batches]
    assert starts == [1 + sum(len(c[0]) for _, c in batches[:n]) for n in range(len(batches))]


def _encrypted() -> bytes:
    return parquet({"a": [1]})[:-4] + b"PARE"


def _not_utf8() -> bytes:
    offsets = pa.py_buffer(np.array([0, 2, 4], np.int32).tobytes())
    return parquet({"a": pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"ok\xff\xfe"))})


GOOD = parquet({"a": list(range(5000)), "b": ["x" * (n % 7) for n in range(5000)]})
FOOTER = 8 + int.from_bytes(GOOD[-8:-4], "little")
BAD = {
    "a part in the middle lost": (
        GOOD[:100] + GOOD[-FOOTER:],
        "x.parquet: a damaged Parquet file: column 'a' is said to lie outside of it",
    ),
    "cut off": (GOOD[:-20], "x.parquet: no Parquet file, or a damaged one"),
    "cut short": (GOOD[:9], "x.parquet: no Parquet file, or a damaged one"),
    "CSV": (b"a,b\n1,2\n", "x.parquet: no Parquet file, or a damaged one"),
    "empty": (b"", "x.parquet: no Parquet file, or a damaged one: Parquet file size is 0 bytes"),
    "garbled": (
        GOOD[:4] + bytes(len(GOOD) // 2) + GOOD[4 + len(GOOD) // 2 :],
        "x.parquet: no Parquet file, or a damaged one",
    ),
    "encrypted": (_encrypted(), "x.parquet: it is encrypted"),
    "no rows": (parquet({"a": pa.array([], pa.int64())}), "x.parquet: no rows"),
    "no columns": (written(pa.table({})), "x.parquet: it has no columns"),
    "list": (parquet({"a": [1], "b": [[1]]}), r"x.parquet: column 'b' is nested \(list<"),
    "struct": (parquet({"b": [{"c": 1}]}), r"x.parquet: column 'b' is nested \(struct<c"),
    "map": (
        parquet({"b": pa.array([[("c", 1)]], pa.map_(pa.string(), pa.int64()))}),
        r"x.parquet: column 'b' is nested \(map<",
    ),
    "duration": (parquet({"b": [timedelta(3)]}), r"x.parquet: column 'b' has .* type duration"),
    "binary": (parquet({"a": [b"ok", None, b"\xff"]}), "x.parquet: row 3, column 'a': not text"),
    "text that is none": (_not_utf8(), "x.parquet: row 2, column 'a': not text in UTF-8"),
    "under another ending": (GOOD, "x.csv: it is Parquet, not text in UTF-8; give it the ending"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_parquet_file_at_fault_is_refused(kind: str) -> None:
    content, message = BAD[kind]
    name = "x.csv" if kind == "under another ending" else "x.parquet"
    with pytest.raises(InputError, match=message):
        raw_files.read(content, name)


def test_every_nested_column_is_named() -> None:
    content = parquet({"a": [[1]], "b": [1], "c": [{"d": 1}]})
    with pytest.raises(InputError, match=r"'a' is nested(?s:.*)\nx\.parquet: column 'c' is nested"):
        raw_files.read(content, "x.parquet")


def test_a_column_that_is_there_twice_is_taken_once() -> None:
    rows = "".join(f"{n},{n % 3},x,{n},{n % 3},{n}\n" for n in range(9000))
    table = raw_files.read(f"a,b,c,a,b,a\n{rows}".encode(), "x.csv")
    assert table.header == ["a", "b", "c"]
    assert [cells[8999] for cells in table.cells] == ["8999", "2", "x"]
    arrays = [pa.array([1, 2]), pa.array(["x", "y"]), pa.array(["1", "2"])]
    content = written(pa.Table.from_arrays(arrays, names=["a", "b", "a "]))
    table = raw_files.read(content, "x.parquet")
    assert (table.header, table.cells) == (["a", "b"], [["1", "2"], ["x", "y"]])
    assert table.types == {"a": pa.int64(), "b": pa.string()}


def test_columns_of_one_name_that_differ_are_refused() -> None:
    same = "".join(f"{n},x,{n}\n" for n in range(8000))
    message = (
        "^x.csv: 2 columns are called 'a' and differ: row 8001 has '7' in column 1 and '8' in "
        "column 3; rename all but one$"
    )
    with pytest.raises(InputError, match=message):
        raw_files.read(f"a,b,a\n{same}7,x,8\n".encode(), "x.csv")
    arrays = [pa.array([1, 2]), pa.array([1, None])]
    content = written(pa.Table.from_arrays(arrays, names=["a", "a"]))
    with pytest.raises(InputError, match=r"x.parquet: 2 .* row 2 has '2' in column 1 and '' in"):
        raw_files.read(content, "x.parquet")


def test_columns_without_a_name_are_not_compared() -> None:
    table = raw_files.read(b",a,\n1,2,3\n", "x.csv")
    assert (table.header, table.cells) == (["", "a", ""], [["1"], ["2"], ["3"]])
