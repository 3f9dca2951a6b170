"""Every kind of bad raw file, and what the error says."""

import sys
from pathlib import Path

import pytest

from core.config import Config
from core.errors import InputError
from pipeline.config.load import load
from pipeline.ingestion.staging import Staged, stage
from pipeline.ingestion.tables import CHUNK_ROWS
from tests.support.tiny_data import HEADER, table


def configure(folder: Path, *overrides: str) -> Config:
    return load(str(folder.parent / "tiny.yaml"), list(overrides))


def run(folder: Path, *overrides: str) -> Staged:
    return stage(configure(folder, *overrides), folder.parent / "run")


BAD_FILES = {
    "empty": ("", "the file is empty"),
    "header only": (HEADER + "\n", "no rows below the header"),
    "missing column": (table(5).replace("age,hours", "age", 1), "column 'hours' is missing"),
    "extra column": (table(5).replace("class", "class,zip", 1), "column 'zip' is not expected"),
    "renamed column": (
        table(5).replace("hours", "hour", 1),
        "'hour' is not expected; rename it to",
    ),
    "duplicated column": (table(5).replace("hours", "age", 1), "column 'age' is there 2 times"),
    "columns of one name that differ": (
        "".join(f"{line},{line[:2]}\n" for line in table(5).split()).replace(",ag", ",age")
        + "9,9,cook,n9,no,8\n",
        "2 columns are called 'age' and differ: row 6 has '9' in column 1 and '8' in column 6",
    ),
    "text in a number column": (
        table(5).replace("\n22,", "\ntwenty,"),
        "row 3, column 'age': 'twenty' is not a whole number",
    ),
    "fraction in a whole-number column": (table(5).replace("\n22,", "\n22.5,"), "'22.5' is not"),
    "not a finite number": (table(5).replace("\n22,2", "\n22,nan"), "'nan' is not a number"),
    "beyond 64 bits": (
        table(5).replace("\n22,", f"\n{2**63},"),
        "is not a whole number of 64 bits",
    ),
    "more digits than Python reads": (table(5).replace("\n22,", f"\n{'9' * 5000},"), "64 bits"),
    "beyond 32-bit floats": (
        table(5).replace("\n22,2", "\n22,1.5e39"),
        "row 3, column 'hours': '1.5e39' is not a number of 32-bit floats",
    ),
    "digits that only Python reads": (table(5).replace("\n22,2", "\n22,1_0"), "'1_0' is not a"),
    "a carriage return that is not quoted": (
        table(5).replace("n2,", "n\r2,"),
        "row 3 has 4 cells, the header has 5",
    ),
    "short row": (table(5).replace("\n22,2,", "\n22,"), "row 3 has 4 cells, the header has 5"),
    "long row": (table(5).replace("\n22,2,", "\n22,2,9,"), "row 3 has 6 cells, the header has 5"),
    "open quote": (table(5).replace("n2,", '"n2,'), "is not valid CSV"),
    "unknown label": (
        table(5).replace("n2,yes", "n2,maybe"),
        "row 3, column 'class': 'maybe' is none of columns.classes: 'no', 'yes'",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
@pytest.mark.parametrize("part", ["span-2", "test"])
def test_a_bad_file_is_named_with_its_fault(folder: Path, kind: str, part: str) -> None:
    text, message = BAD_FILES[kind]
    path = folder / part / "data.csv"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        run(folder)
    assert str(path) in str(error.value)
    assert message in str(error.value)
    assert not list((folder.parent / "run").rglob("*.csv")), "something was staged"


def test_a_file_that_is_not_utf8_is_named_with_the_row(folder: Path) -> None:
    path = folder / "span-1" / "data.csv"
    path.write_bytes(table(5).replace("n2", "caf\xe9").encode("latin-1"))
    with pytest.raises(InputError, match="row 3 is not UTF-8"):
        run(folder)


def test_a_fault_far_into_a_file_is_named_with_its_row(folder: Path) -> None:
    path, many = folder / "span-2" / "data.csv", 3 * CHUNK_ROWS
    lines = table(many).splitlines()
    for old, new, message in (
        (",yes", ",maybe", f"row {many - 1}, column 'class': 'maybe'"),
        (f",n{many - 2},", ",", f"row {many - 1} has 4 cells"),
        (f",{(many - 2) % 7},", ",x,", f"row {many - 1}, column 'hours': 'x'"),
        ("n", "\udcff", f"row {many - 1} is not UTF-8"),
    ):
        bad = [*lines[:-2], lines[-2].replace(old, new, 1), lines[-1]]
        path.write_text("\n".join(bad), encoding="utf-8", errors="surrogateescape")
        with pytest.raises(InputError, match=message):
            run(folder)
    assert not list((folder.parent / "run" / "staged").glob(".writing*")), "a part was left"


def test_a_missing_file_or_folder_is_named(folder: Path) -> None:
    for span in ("span-1", "span-2"):
        (folder / span / "data.csv").unlink()
    with pytest.raises(
        InputError,
        match=r"data: every span is held back:\n.*span-1: no .csv or .parquet file in it",
    ):
        run(folder)
    (folder / "span-2" / "data.csv").write_text(table(5))
    (folder / "test").rename(folder / "tests")
    with pytest.raises(InputError, match="test: missing"):
        run(folder)


def test_a_folder_without_spans_is_named(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        run(folder, f"data.folder={tmp_path / 'nowhere'}")
    with pytest.raises(InputError, match="no span-<number> folder"):
        run(folder, f"data.folder={tmp_path}")


def test_gold_mode_needs_every_label(folder: Path) -> None:
    (folder / "span-1" / "data.csv").write_text(table(5).replace("n2,yes", "n2,"))
    run(folder)
    with pytest.raises(
        InputError, match=r"row 3 has no label in column 'class': labeling.mode=gold"
    ):
        run(folder, "labeling.mode=gold")


def test_gold_mode_needs_the_label_column(folder: Path) -> None:
    without = "\n".join(line.rpartition(",")[0] for line in table(5).splitlines())
    (folder / "span-1" / "data.csv").write_text(without)
    with pytest.raises(InputError, match=r"span-1/data.csv: column 'class' is missing"):
        run(folder, "labeling.mode=gold")


def test_the_test_part_needs_every_label(folder: Path) -> None:
    (folder / "test" / "data.csv").write_text(table(5).replace("n2,yes", "n2,"))
    with pytest.raises(InputError, match="the test part needs one in every row"):
        run(folder)


def test_one_class_alone_is_named(folder: Path) -> None:
    for span in ("span-1", "span-2"):
        path = folder / span / "data.csv"
        path.write_text(path.read_text().replace(",no\n", ",yes\n"))
    with pytest.raises(InputError, match="the training part: all 400 labelled rows have 'yes'"):
        run(folder)


def test_fewer_labels_than_the_gold_budget_are_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"400 rows with a label.*labeling.gold_rows=500"):
        run(folder, "labeling.gold_rows=500")
    run(folder, "labeling.gold_rows=500", "labeling.mode=gold")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import nothing_like_this", "loader_at_fault cannot be imported: ModuleNotFoundError"),
        ("def lay_out(:", r"cannot be imported: SyntaxError: .*loader_at_fault.py, line 1"),
        ("lay_out = 3", r"loader_at_fault has no function lay_out\(folder\)"),
        ("import sys; sys.exit()", "loader_at_fault cannot be imported: SystemExit"),
        (
            "def lay_out(folder):\n    {}['years']",
            "loader_at_fault.lay_out failed: KeyError: 'years'",
        ),
        (
            "import sys\ndef lay_out(folder):\n    sys.exit('bye')",
            "loader_at_fault.lay_out failed: SystemExit: bye",
        ),
    ],
)
def test_a_loader_at_fault_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str
) -> None:
    (folder.parent / "loader_at_fault.py").write_text(source)
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.delitem(sys.modules, "loader_at_fault", raising=False)
    config = configure(folder)
    data = config.data.model_copy(update={"folder": None, "loader": "loader_at_fault"})
    with pytest.raises(InputError, match=message):
        stage(config.model_copy(update={"data": data}), folder.parent / "run")


def test_a_loader_reads_the_folder_that_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / "loader_of_files.py").write_text(
        "import shutil\ndef lay_out(folder, source=None):\n    shutil.copytree(source, folder)\n"
    )
    (folder.parent / "loader_of_none.py").write_text("def lay_out(folder):\n    pass\n")
    monkeypatch.syspath_prepend(folder.parent)
    config = configure(folder)

    def staged(loader: str) -> int:
        update = {"folder": None, "loader": loader, "source": str(folder)}
        data = config.data.model_copy(update=update)
        return sum(
            stage(config.model_copy(update={"data": data}), folder.parent / "run").rows.values()
        )

    assert staged("loader_of_files") == sum(stage(config, folder.parent / "other").rows.values())
    with pytest.raises(InputError, match=r"loader_of_none.lay_out\(folder\) reads no folder"):
        staged("loader_of_none")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("columns.numeric=[age, pay]", "'pay' is not in"),
        ("columns.categorical=[job, hours]", "'hours' has type FLOAT"),
        ("columns.dates={hours: {format: '%H'}}", "'hours' has type FLOAT, but .* dates: BYTES"),
        ("columns.dates={seen: {format: '%H'}}", "'seen' is not in"),
    ],
)
def test_a_configuration_that_does_not_fit_the_data(
    folder: Path, override: str, message: str
) -> None:
    extra = ["columns.numeric=[age]", "explain.actionable=[]"] if "hours" in override else []
    with pytest.raises(InputError, match=message):
        run(folder, *extra, override)


def test_a_broken_contract_is_named(folder: Path) -> None:
    (folder.parent / "schema.pbtxt").write_text("feature { nam: 3 }")
    with pytest.raises(InputError, match=r"schema.pbtxt: not a schema in text form"):
        run(folder)
