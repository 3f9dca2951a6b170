"""What arrives in a year: monthly spans of census rows, with the faults that deliveries have."""

import hashlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.census import spans

ROWS = 1800  # in a month
TEST_ROWS = 4000  # of the canonical test part
SEED = 7
_LATER = 12 * ROWS  # first row that is in no month
CONTRACT = Path(spans.__file__).parents[2] / "schema" / "census" / "schema.pbtxt"
NEW_CATEGORY = "Gig-platform"
SUMS = "SHA256SUMS"


class Year:
    """A folder of spans that fills month by month, and the contract beside it."""

    def __init__(self, folder: Path) -> None:
        """Makes <folder>/spans with the test part, and <folder>/schema.pbtxt."""
        self.spans = folder / "spans"
        self.contract = folder / "schema.pbtxt"
        self._rows = _shuffled(spans.TRAIN_FILE)
        (self.spans / "test").mkdir(parents=True)
        _write(self.spans / "test", _shuffled(spans.TEST_FILE)[:TEST_ROWS])
        shutil.copyfile(CONTRACT, self.contract)

    def rows(self, span: int) -> pd.DataFrame:
        """The untouched rows of a span."""
        return self._rows[(span - 1) * ROWS : span * ROWS]

    def deliver(self, span: int, rows: pd.DataFrame, whole: bool = True) -> None:
        """Writes a span anew; one that is not whole has half its rows and no checksums."""
        folder = self.spans / f"span-{span}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        _write(folder, rows if whole else rows[: len(rows) // 2])
        if whole:
            digest = hashlib.sha256((folder / "data.csv").read_bytes()).hexdigest()
            (folder / SUMS).write_text(f"{digest}  data.csv\n")

    def drifted(self) -> pd.DataFrame:
        """Older people who work longer: drawn from later rows, more often the older they are."""
        pool = self._rows[_LATER:]
        weights = [max(int(age) - 25, 0) ** 2 + 1 for age in pool["age"]]
        drawn = pool.sample(ROWS, weights=weights, random_state=SEED)
        return changed(drawn, "hours-per-week", lambda h: str(min(99, int(h) + 6)), 1.0)

    def accept_category(self) -> None:
        """Adds the new category to the contract, as a person would after looking at it."""
        text = self.contract.read_text(encoding="utf-8")
        domain = 'string_domain {\n  name: "workclass"\n'
        text = text.replace(domain, f'{domain}  value: "{NEW_CATEGORY}"\n')
        self.contract.write_text(text, encoding="utf-8")


def changed(
    rows: pd.DataFrame, column: str, change: Callable[[str], str], share: float
) -> pd.DataFrame:
    """The rows with the cells of a column changed in a seeded share of them."""
    draw = random.Random(SEED)
    cells = [change(cell) if draw.random() < share else cell for cell in rows[column]]
    return rows.assign(**{column: cells})


def _shuffled(file: str) -> pd.DataFrame:
    header, *rows = spans.read_source(file)
    return pd.DataFrame(random.Random(SEED).sample(rows, len(rows)), columns=header)


def _write(folder: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(folder / "data.csv", index=False)


@dataclass(frozen=True)
class Delivery:
    """What arrives before a look, in words, and how it comes about."""

    month: int
    what: str
    bring: Callable[[Year], None]


def flip(label: str) -> str:
    """The other class."""
    return {">50K": "<=50K", "<=50K": ">50K"}[label]


def _labels_corrected(year: Year) -> None:
    year.deliver(7, year.rows(7))
    year.deliver(8, year.rows(8))


def _hours_corrected(year: Year) -> None:
    year.deliver(9, year.rows(9))
    year.deliver(10, year.rows(8))


DELIVERIES = (
    Delivery(1, "span 1, the first", lambda year: year.deliver(1, year.rows(1))),
    Delivery(2, "span 2", lambda year: year.deliver(2, year.rows(2))),
    Delivery(3, "nothing", lambda year: None),
    Delivery(
        4, "half of span 4, still being copied", lambda y: y.deliver(4, y.rows(4), whole=False)
    ),
    Delivery(5, "span 5: older people, longer hours", lambda y: y.deliver(5, y.drifted())),
    Delivery(6, "the rest of span 4", lambda year: year.deliver(4, year.rows(4))),
    Delivery(
        7,
        "span 7: labels flipped in 30% of rows",
        lambda y: y.deliver(7, changed(y.rows(7), "income-per-year", flip, 0.3)),
    ),
    Delivery(8, "span 7 corrected, and span 8", _labels_corrected),
    Delivery(
        9,
        "span 9: hours-per-week times 100",
        lambda y: y.deliver(9, changed(y.rows(9), "hours-per-week", lambda h: f"{h}00", 1.0)),
    ),
    Delivery(9, "nothing: the next night", lambda year: None),
    Delivery(10, "span 9 corrected; span 8 again as span 10", _hours_corrected),
    Delivery(
        11,
        f"span 11: a new category, {NEW_CATEGORY}",
        lambda y: y.deliver(11, changed(y.rows(11), "workclass", lambda _: NEW_CATEGORY, 0.15)),
    ),
    Delivery(12, "nothing; the contract takes the category in", Year.accept_category),
)
