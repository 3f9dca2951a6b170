"""`to-label` and `labels` on the command line, on the first rows of the census."""

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from core.files import REPOSITORY
from data.census import spans
from pipeline.cli.main import main
from pipeline.labels.file_columns import ADDED
from tests.support.small_census import GOLD_ROWS, ROWS, settings, write_raw

Lines = list[dict[str, str]]
LABEL = "income-per-year"


def call(raw: Path, root: Path, *words: str) -> int:
    sets = [word for override in settings(raw) for word in ("--set", override)]
    verb = 2 if words[0] == "labels" else 1
    return main([*words[:verb], "--root", str(root), *sets, *words[verb:]])


def batch(raw: Path, root: Path, count: int, out: Path) -> Lines:
    assert call(raw, root, "to-label", "--n", str(count), "--out", str(out)) == 0
    with open(out, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def truth(row_id: str) -> str:
    header, *rows = spans.read_source(spans.TRAIN_FILE)
    return rows[int(row_id.partition(":")[2]) - 1][header.index(LABEL)]


def answer(lines: Lines, path: Path) -> Path:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        for line in lines:
            writer.writerow({**line, "answer": truth(line["row_id"]), "annotator": "ann"})
    return path


def report(raw: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert call(raw, root, "lf", "--json") == 0
    return json.loads(capsys.readouterr().out)["labels"]


def test_the_loop(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = batch(raw, tmp_path, 50, tmp_path / "first.csv")
    told = capsys.readouterr().out
    assert "50 rows to label" in told
    then = shlex.split(next(each for each in told.splitlines() if "then: " in each))
    assert then[1:6] == ["python", "-m", "pipeline", "labels", "import"]
    assert then[6] == str(tmp_path / "first.csv")
    assert then[then.index("--root") + 1] == str(tmp_path)
    assert f"data.folder={raw}" in then
    assert f"15 drawn at random from {ROWS - GOLD_ROWS}, 35 chosen to inform" in told.replace(
        "\n", " "
    )
    assert len({line["row_id"] for line in first}) == 50
    assert LABEL not in first[0]
    assert set(ADDED) < set(first[0])
    assert {line["answer"] for line in first} == {""}
    assert {line["allowed_answers"] for line in first} == {">50K | <=50K | empty: skip"}
    chances = {(line["selection"], line["inclusion_probability"]) for line in first}
    assert chances == {("random", f"{15 / (ROWS - GOLD_ROWS):.6g}"), ("informative", "1")}
    chosen = [line["votes"] for line in first if line["selection"] == "informative"]
    assert len(set(chosen)) > 15

    before = report(raw, tmp_path, capsys)
    assert call(raw, tmp_path, "labels", "import", str(answer(first, tmp_path / "done.csv"))) == 0
    assert "50 answers" in capsys.readouterr().out
    after = report(raw, tmp_path, capsys)
    assert (before["gold_rows"], after["gold_rows"]) == (GOLD_ROWS, GOLD_ROWS + 50)
    assert (after["gold_rows_answered"], after["gold_rows_random"]) == (50, GOLD_ROWS + 15)

    second = batch(raw, tmp_path, 50, tmp_path / "second.csv")
    assert not {line["row_id"] for line in first} & {line["row_id"] for line in second}

    capsys.readouterr()
    assert call(raw, tmp_path, "labels", "list") == 0
    listed = capsys.readouterr().out
    assert "done.csv" in listed
    import_id = next(word for word in listed.split() if word.startswith("20"))
    assert call(raw, tmp_path, "labels", "remove", import_id) == 0
    assert report(raw, tmp_path, capsys)["gold_rows"] == GOLD_ROWS


def test_hidden_labels_are_not_looked_at(raw: Path, tmp_path: Path) -> None:
    """Labels that the budget does not show may be anything: the batch stays the same."""
    lines = batch(raw, tmp_path / "a", 40, tmp_path / "a.csv")
    shown = {line["row_id"] for line in lines}

    def turn(rows: list[list[str]]) -> list[list[str]]:
        turned = {">50K": "<=50K", "<=50K": ">50K"}
        return [
            [*row[:-1], turned[row[-1]]] if f"span-1:{n}" in shown else row
            for n, row in enumerate(rows, 1)
        ]

    other = write_raw(tmp_path / "raw", turn)
    assert batch(other, tmp_path / "b", 40, tmp_path / "b.csv") == lines


def test_rows_that_nobody_labelled_are_asked_for_before_others(tmp_path: Path) -> None:
    raw = write_raw(
        tmp_path / "raw",
        lambda rows: [[*row[:-1], row[-1] if n < 1400 else ""] for n, row in enumerate(rows)],
    )
    lines = batch(raw, tmp_path, 200, tmp_path / "a.csv")
    assert {int(line["row_id"].partition(":")[2]) for line in lines} == set(range(1401, 1501))


def test_data_that_nobody_labelled_begins_with_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = write_raw(tmp_path / "raw", lambda rows: [[*row[:-1], ""] for row in rows])
    none = ("--set", "labeling.gold_rows=0")
    flags = ("--n", "80", "--out", str(tmp_path / "a.csv"), *none)
    assert call(raw, tmp_path, "lf", *none) == 2
    assert (
        "no gold rows: labeling.gold_rows is 0 and nobody has answered" in capsys.readouterr().err
    )
    assert call(raw, tmp_path, "to-label", *flags) == 0
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    done = answer(lines, tmp_path / "b.csv")
    assert call(raw, tmp_path, "labels", "import", str(done), *none) == 0
    capsys.readouterr()
    assert call(raw, tmp_path, "lf", "--json", *none) == 0
    labels = json.loads(capsys.readouterr().out)["labels"]
    assert (labels["gold_rows"], labels["gold_rows_random"]) == (80, 24)


def test_a_file_is_never_overwritten(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("answers")
    assert call(raw, tmp_path, "to-label", "--out", str(path)) == 2
    assert "is there already" in capsys.readouterr().err
    assert path.read_text() == "answers"


def test_a_faulty_file_changes_nothing(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = batch(raw, tmp_path, 10, tmp_path / "a.csv")
    path = answer(lines, tmp_path / "b.csv")
    path.write_text(path.read_text().replace(",ann,", ",,", 1))
    assert call(raw, tmp_path, "labels", "import", str(path)) == 2
    assert "column 'annotator': empty" in capsys.readouterr().err
    assert not (tmp_path / "census" / "answers").exists()


PROBE = """
import sys
from pipeline.cli.main import main
assert main(["to-label", "--n", "20", *sys.argv[1:]]) == 0
assert main(["labels", "list", *sys.argv[1:]]) == 0
heavy = {"tensorflow", "tfx", "apache_beam", "tensorflow_data_validation"} & set(sys.modules)
assert not heavy, heavy
"""


def test_no_tensorflow(raw: Path, tmp_path: Path) -> None:
    sets = [word for override in settings(raw) for word in ("--set", override)]
    command = [sys.executable, "-c", PROBE, "--root", str(tmp_path), *sets]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    assert (tmp_path / "census" / "to-label-20.csv").is_file()
