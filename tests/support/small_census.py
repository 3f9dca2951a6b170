"""The first rows of the census as a folder of raw data, and settings to match."""

from collections.abc import Callable
from pathlib import Path

from data.census import spans
from data.packaged_spans import to_csv

ROWS, TEST_ROWS, GOLD_ROWS = 1500, 60, 100
SETTINGS = [
    f"labeling.gold_rows={GOLD_ROWS}",
    "labeling.gold_choice=random",
    "labeling.random_share=0.3",
    "labeling.epochs=100",
    "data.loader=null",
]
Change = Callable[[list[list[str]]], list[list[str]]]


def write_raw(folder: Path, change: Change = lambda rows: rows) -> Path:
    """A folder of raw census data: ROWS rows in one span, changed, and TEST_ROWS test rows."""
    header, *train = spans.read_source(spans.TRAIN_FILE)[: ROWS + 1]
    test = spans.read_source(spans.TEST_FILE)[: TEST_ROWS + 1]
    for part, table in (("span-1", [header, *change(train)]), ("test", test)):
        (folder / part).mkdir(parents=True)
        (folder / part / "data.csv").write_text(to_csv(table))
    return folder


def settings(raw: Path, *more: str) -> list[str]:
    return [*SETTINGS, f"data.folder={raw}", *more]
