"""`lf`, `to-label` and `labels` on three classes, on the command line."""

import csv
import json
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support import three_classes
from tests.support.three_classes import CLASSES

BAG, BOX, CRATE = CLASSES
Lines = list[dict[str, str]]


class Kinds:
    """The data set in a folder of its own, and its verbs."""

    def __init__(self, folder: Path) -> None:
        self.config, self.folder = three_classes.write(folder), folder

    def call(self, *words: str) -> int:
        verb = 2 if words[0] == "labels" else 1
        flags = ("--config", self.config, "--root", str(self.folder / "runs"))
        return main([*words[:verb], *flags, *words[verb:]])

    def report(self, capsys: pytest.CaptureFixture[str], *words: str) -> dict:
        capsys.readouterr()
        assert self.call("lf", "--json", *words) == 0
        return json.loads(capsys.readouterr().out)

    def batch(self, count: int, *words: str) -> Lines:
        out = self.folder / f"asked-{count}.csv"
        assert self.call("to-label", "--n", str(count), "--out", str(out), *words) == 0
        with out.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def answered(self, lines: Lines, name: str = "done.csv") -> str:
        path = self.folder / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        return str(path)

    def truth(self, row_id: str) -> str:
        part, _, number = row_id.partition(":")
        with (self.folder / "raw" / part / "data.csv").open(newline="") as file:
            return list(csv.DictReader(file))[int(number) - 1]["kind"]

    def relabel(self, old: str, new: str, but: int = 0) -> None:
        """Writes another label into the rows of one class, but for the first of each file."""
        for path in self.folder.glob("raw/*/data.csv"):
            with path.open(newline="") as file:
                header, *rows = csv.reader(file)
            for row in [row for row in rows if row[-1] == old][but:]:
                row[-1] = new
            with path.open("w", newline="") as file:
                csv.writer(file).writerows([header, *rows])


@pytest.fixture
def kinds(tmp_path: Path) -> Kinds:
    return Kinds(tmp_path)


def test_functions_are_judged_by_class(kinds: Kinds, capsys: pytest.CaptureFixture[str]) -> None:
    report = kinds.report(capsys)
    labels = report["labels"]
    assert report["classes"] == list(CLASSES)
    assert labels["functions"]["light"]["polarity"] == [BAG]
    assert labels["functions"]["heavy_and_short"]["polarity"] == [BOX]
    assert list(labels["class_balance"]) == list(CLASSES)
    assert sum(labels["class_balance"].values()) == pytest.approx(1)
    assert labels["accuracy_on_gold"] > 0.7
    assert {f["function"] for f in labels["findings"]} <= {"long_things"}
    pair = report["disagreements"][0]
    assert {pair["first"], pair["second"]} == {"light", "any_short_thing"}
    assert pair["first_right"] + pair["second_right"] <= pair["gold_rows"]
    told = {example["label"] for each in report["disagreements"] for example in each["examples"]}
    assert told <= {*CLASSES, None}

    page = kinds.folder / "lf.html"
    assert kinds.call("lf", "--html", str(page)) == 0
    shown = capsys.readouterr().out
    assert all(f"{name} " in shown for name in CLASSES)
    assert "nothing changed" in shown
    assert f"<td>{BAG}\n" in page.read_text()


def test_another_order_of_classes_is_no_other_vote(
    kinds: Kinds, capsys: pytest.CaptureFixture[str]
) -> None:
    """The codes of votes mean other classes: what changed cannot be told by them."""
    kinds.report(capsys)
    turned = f"columns.classes={json.dumps(list(CLASSES[::-1]))}"
    changes = kinds.report(capsys, "--set", turned)["changes"]
    assert changes["settings"] == ["columns.classes"]
    assert {each["changed_votes"] for each in changes["functions"].values()} <= {None}


def test_the_loop_of_people(kinds: Kinds, capsys: pytest.CaptureFixture[str]) -> None:
    lines = kinds.batch(30)
    assert f"write {BAG}, {BOX} or {CRATE}, or leave it empty" in capsys.readouterr().out
    assert {line["allowed_answers"] for line in lines} == {f"{BAG} | {BOX} | {CRATE} | empty: skip"}
    assert any(f"light={BAG}" in line["votes"] for line in lines)
    for line in lines:
        ranked = [each.rpartition(" ")[2] for each in line["probability"].split(", ")]
        assert ranked == sorted(ranked, reverse=True)
        assert len(ranked) == 3
        line |= {"answer": kinds.truth(line["row_id"]), "annotator": "ann"}
    counts = {name: sum(line["answer"] == name for line in lines) for name in CLASSES}
    for line in lines[::2]:  # as people write it
        line["answer"] = f" {line['answer'].upper()} "
    assert kinds.call("labels", "import", kinds.answered(lines)) == 0
    told = capsys.readouterr().out
    for name, count in counts.items():
        assert (f"{count} {name}" in told) == (count > 0)
    labels = kinds.report(capsys)["labels"]
    assert (labels["gold_rows"], labels["gold_rows_answered"]) == (180, 30)

    lines[0]["answer"], lines[1]["answer"] = "basket", "1"
    assert kinds.call("labels", "import", kinds.answered(lines, "wrong.csv")) == 2
    refused = capsys.readouterr().err
    for n, cell in ((1, "basket"), (2, "1")):
        where = f"row {n} ({lines[n - 1]['row_id']}), column 'answer'"
        assert f"{where}: '{cell}' is none of {BAG}, {BOX}, {CRATE}; an empty cell" in refused


def test_answers_alone(kinds: Kinds, capsys: pytest.CaptureFixture[str]) -> None:
    none = ("--set", "labeling.gold_rows=0")
    lines = kinds.batch(60, *none)
    assert max(line["probability"] for line in lines if not line["votes"]).count(" 0.333") == 3
    for line in lines:
        line |= {"answer": kinds.truth(line["row_id"]), "annotator": "ann"}
    done = kinds.answered([line for line in lines if line["answer"] != CRATE])
    assert kinds.call("labels", "import", done, *none) == 0
    capsys.readouterr()
    assert kinds.call("lf", *none) == 2
    assert f"gold rows has the class '{CRATE}'" in capsys.readouterr().err
    assert kinds.call("to-label", "--n", "40", *none) == 0


def test_a_class_that_no_gold_row_has_is_named(
    kinds: Kinds, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds.relabel(CRATE, BOX, but=3)
    few = ("--set", "labeling.gold_rows=40")
    assert kinds.call("lf", *few, "--set", "labeling.gold_of_class=0") == 2
    told = capsys.readouterr().err
    assert f"none of 40 gold rows has the class '{CRATE}'" in told
    assert "labeling.gold_of_class" in told
    assert "columns.classes" in told
    labels = kinds.report(capsys, *few)["labels"]
    assert labels["gold_rows"] == 40
    assert labels["class_balance"][CRATE] == pytest.approx(6 / 1800)


def test_a_label_that_is_no_class_is_named(
    kinds: Kinds, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds.relabel(CRATE, "crate")
    assert kinds.call("lf") == 2
    told = capsys.readouterr().err
    assert "'crate'" in told
    assert CRATE in told
