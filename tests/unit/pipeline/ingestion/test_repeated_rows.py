"""Staging of spans that hold rows of the test part, of one another, or one row again and again."""

import csv
import random
from pathlib import Path

import pytest

from core.config import Config
from core.errors import InputError
from core.names import SPLITS
from pipeline.config.load import load
from pipeline.ingestion.staging import Staged, stage, window_of
from tests.support.tiny_data import HEADER

ROWS, TEST_ROWS = 2000, 1500


def lines(count: int, seed: int) -> list[str]:
    """Rows that have nothing in common."""
    draw = random.Random(seed)
    return [
        f"{draw.randint(17, 90)},{draw.random() * 100:.6f},cook,{draw.getrandbits(64)},"
        f"{draw.choice(['yes', 'no'])}"
        for _ in range(count)
    ]


TEST = lines(TEST_ROWS, 0)


def deliver(folder: Path, part: str, rows: list[str]) -> None:
    (folder / part).mkdir(exist_ok=True)
    (folder / part / "data.csv").write_text("\n".join([HEADER, *rows]) + "\n")


@pytest.fixture
def raw(folder: Path) -> Path:
    deliver(folder, "test", TEST)
    deliver(folder, "span-1", lines(ROWS, 1))
    deliver(folder, "span-2", lines(ROWS, 2))
    return folder


def settings(raw: Path, *more: str) -> Config:
    return load(str(raw.parent / "tiny.yaml"), ["data.max_repeated=0.05", *more])


def run(raw: Path, *more: str) -> Staged:
    return stage(settings(raw, *more), raw.parent / "run")


def row_ids(staged: Staged) -> set[str]:
    found = set()
    for split in SPLITS:
        with open(Path(staged.path) / split / "data.csv", newline="") as file:
            found |= {row["row_id"] for row in csv.DictReader(file)}
    return found


def test_nothing_repeated_leaves_all_rows(raw: Path) -> None:
    staged = run(raw)
    assert (staged.repeated, staged.held_back, staged.reported) == ((), (), ())
    assert sum(staged.rows.values()) == 2 * ROWS + TEST_ROWS


def with_other_label(row: str) -> str:
    return row[:-3] + "no" if row.endswith("yes") else row[:-2] + "yes"


def test_few_rows_of_the_test_part_are_left_out_and_reported(raw: Path) -> None:
    copies = [with_other_label(row) for row in TEST[:80]]
    deliver(raw, "span-2", [*copies, *lines(ROWS, 2)[80:]])
    staged = run(raw)
    assert row_ids(staged) >= {"span-2:81", "span-2:2000", "test:1", "span-1:1"}
    assert not row_ids(staged) & {f"span-2:{n}" for n in range(1, 81)}
    assert staged.spans == (1, 2)
    [finding] = staged.reported
    assert (finding.span, finding.kind) == (2, "rows left out")
    assert finding.message == (
        "80 of 2000 rows are rows of the test part (0.0% by chance); 80 rows are left out"
    )
    assert run(raw) == staged, "taken from what is staged already"


def test_many_hold_the_span_back_unless_it_is_accepted(raw: Path) -> None:
    deliver(raw, "span-2", [*TEST[:500], *lines(ROWS, 2)[500:]])
    staged = run(raw)
    assert staged.spans == (1,)
    assert [file.part for file in staged.files] == ["span-1", "test"]
    [finding] = staged.held_back
    assert (finding.span, finding.kind) == (2, "repeated rows")
    assert finding.message.endswith("correct it, or accept it: --set data.accept_spans=[2]")
    assert staged.rows["train"] + staged.rows["eval"] == ROWS
    accepted = run(raw, "data.accept_spans=[2]")
    assert accepted.spans == (1, 2)
    assert accepted.rows["train"] + accepted.rows["eval"] == 2 * ROWS - 500


def test_the_rows_of_an_earlier_span_count_once(raw: Path) -> None:
    first = lines(ROWS, 1)
    random.Random(5).shuffle(first)
    deliver(raw, "span-2", first)
    assert run(raw).spans == (1,)


def test_a_row_again_and_again_counts_once(raw: Path) -> None:
    deliver(raw, "span-2", [*lines(ROWS, 2), *lines(1, 3) * 100])
    staged = run(raw)
    assert staged.rows["train"] + staged.rows["eval"] == 2 * ROWS + 1


def test_every_span_held_back_is_an_error(raw: Path) -> None:
    for span in ("span-1", "span-2"):
        deliver(raw, span, [*TEST, *lines(100, int(span[-1]))])
    with pytest.raises(InputError, match=r"held back:\n  span 1: 1500 of 1600 rows are rows of"):
        run(raw)
    assert run(raw, "data.max_repeated=null").spans == (1, 2)


def test_a_span_that_was_trained_on_is_kept(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(raw, "span-2", [*TEST[:500], *lines(ROWS, 2)[500:]])
    config, folder = settings(raw), raw.parent / "run"
    window = window_of(config, folder)
    assert stage(config, folder, window).spans == (1,)
    trained = type(window)(**{**vars(window), "settled": frozenset({1, 2})})
    assert stage(config, folder, trained).spans == (1, 2)
    assert stage(config, folder, window).spans == (1,)
