"""Deliveries of census rows, and what is wrong with them."""

import hashlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.census_year import CONTRACT, SUMS, flip
from data.census import spans

LABEL, POSITIVE, NEGATIVE = "income-per-year", ">50K", "<=50K"
TEST_ROWS = 4000
CLEAN_ROWS = 1800  # in each of the two spans before
SMALL, LARGE = 1800, 5000


class World:
    """Census rows in an order of their own: two clean spans, a test part, rows for the third span.

    unseen: what no pipeline sees; the models are judged on it.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        """Nothing is written before `begin`."""
        self.spans = folder / "spans"
        self.contract = folder / "schema.pbtxt"
        self._train, test = (_shuffled(f, seed) for f in (spans.TRAIN_FILE, spans.TEST_FILE))
        self.test, self.unseen = test[:TEST_ROWS], test[TEST_ROWS:]

    def begin(self) -> None:
        """Writes contract, test part and the two clean spans."""
        shutil.rmtree(self.spans, ignore_errors=True)
        self.deliver("test", self.test)
        shutil.copyfile(CONTRACT, self.contract)
        for number in (1, 2):
            self.deliver(f"span-{number}", self.earlier(number))

    def earlier(self, number: int) -> pd.DataFrame:
        """The rows of clean span 1 or 2."""
        return self._train[(number - 1) * CLEAN_ROWS : number * CLEAN_ROWS]

    @property
    def pool(self) -> pd.DataFrame:
        """The rows that third spans are drawn from."""
        return self._train[2 * CLEAN_ROWS :]

    def third(self, rows: int, draw: int = 0) -> pd.DataFrame:
        """Clean rows for the third span; another `draw` gives other ones."""
        if draw == 0:
            return self.pool[:rows].reset_index(drop=True)
        return self.pool.sample(rows, random_state=draw).reset_index(drop=True)

    def deliver(self, part: str, rows: pd.DataFrame) -> None:
        """Writes a part anew, with its checksums."""
        folder = self.spans / part
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        rows.to_csv(folder / "data.csv", index=False)
        digest = hashlib.sha256((folder / "data.csv").read_bytes()).hexdigest()
        (folder / SUMS).write_text(f"{digest}  data.csv\n")


def _shuffled(file: str, seed: int) -> pd.DataFrame:
    header, *rows = spans.read_source(file)
    return pd.DataFrame(random.Random(seed).sample(rows, len(rows)), columns=header)


Change = Callable[[pd.DataFrame, World], pd.DataFrame]


@dataclass(frozen=True)
class Poison:
    """A delivery.

    mode: labeling.mode.
    rows: of the clean delivery that it is made of.
    what: is wrong with it, in words.
    change: makes it of the clean delivery.
    """

    mode: str
    rows: int
    what: str
    change: Change

    @property
    def name(self) -> str:
        """`gold 1800: ...`."""
        return f"{self.mode} {self.rows}: {self.what}"


def flipped(share: float, label: str | None = None, sex: str | None = None) -> Change:
    """Labels turned to the other class in a share of the rows of a class, of a sex."""

    def change(rows: pd.DataFrame, world: World) -> pd.DataFrame:
        wanted = np.random.default_rng(1).random(len(rows)) < share
        if label is not None:
            wanted &= (rows[LABEL] == label).to_numpy()
        if sex is not None:
            wanted &= (rows["sex"] == sex).to_numpy()
        return rows.assign(**{LABEL: rows[LABEL].where(~wanted, rows[LABEL].map(flip))})

    return change


def exchanged(share: float) -> Change:
    """As many positives as negatives turned, so that the share of the class stays."""

    def change(rows: pd.DataFrame, world: World) -> pd.DataFrame:
        positive = np.flatnonzero(rows[LABEL] == POSITIVE)
        negative = np.flatnonzero(rows[LABEL] == NEGATIVE)
        draw = np.random.default_rng(1)
        count = round(share * len(positive))
        turned = np.concatenate([draw.choice(part, count, False) for part in (positive, negative)])
        labels = rows[LABEL].to_numpy(copy=True)
        labels[turned] = [flip(label) for label in labels[turned]]
        return rows.assign(**{LABEL: labels})

    return change


def cells(column: str, change: Callable[[str], str]) -> Change:
    """Every known cell of a column changed."""
    return lambda rows, world: rows.assign(
        **{column: [change(cell) if cell else cell for cell in rows[column]]}
    )


def swapped(one: str, other: str) -> Change:
    """Two columns in each other's place."""
    return lambda rows, world: rows.assign(**{one: rows[other], other: rows[one]})


def shuffled(column: str) -> Change:
    """A column's cells in another order."""

    def change(rows: pd.DataFrame, world: World) -> pd.DataFrame:
        order = np.random.default_rng(1).permutation(len(rows))
        return rows.assign(**{column: rows[column].to_numpy()[order]})

    return change


def repeated(distinct: int) -> Change:
    """A few rows again and again."""

    def change(rows: pd.DataFrame, world: World) -> pd.DataFrame:
        return rows.iloc[np.arange(len(rows)) % distinct].reset_index(drop=True)

    return change


def mixed_in(which: Callable[[World], pd.DataFrame], count: int, *then: Change) -> Change:
    """Other rows in place of the first ones, changed."""

    def change(rows: pd.DataFrame, world: World) -> pd.DataFrame:
        others = which(world)[:count].reset_index(drop=True)
        for one in then:
            others = one(others, world)
        return pd.concat([others, rows[len(others) :]], ignore_index=True)

    return change


def _test(world: World) -> pd.DataFrame:
    return world.test


def _first(world: World) -> pd.DataFrame:
    return world.earlier(1)


_older = cells("age", lambda cell: str(int(cell) + 1))
_other_sex = cells("sex", lambda cell: {"Male": "Female", "Female": "Male"}[cell])
_positives = [
    Poison(mode, rows, f"{share:.0%} of the positive labels flipped", flipped(share, POSITIVE))
    for mode in ("gold", "weak")
    for rows in (SMALL, LARGE)
    for share in (0.25, 0.5, 0.8, 1.0)
]
_negatives = [
    Poison(mode, rows, f"{share:.0%} of the negative labels flipped", flipped(share, NEGATIVE))
    for mode, rows in (("gold", SMALL), ("gold", LARGE), ("weak", LARGE))
    for share in (0.25, 1.0)
]
_groups = [
    Poison(
        mode,
        rows,
        f"{share:.0%} of the {kind} labels of {'women' if sex == 'Female' else 'men'} flipped",
        flipped(share, label, sex),
    )
    for mode, rows in (("gold", SMALL), ("gold", LARGE), ("weak", LARGE))
    for sex, share, kind, label in (
        ("Female", 0.25, "positive", POSITIVE),
        ("Female", 0.5, "positive", POSITIVE),
        ("Female", 1.0, "positive", POSITIVE),
        ("Female", 0.25, "negative", NEGATIVE),
        ("Male", 0.5, "positive", POSITIVE),
    )
]
_columns = [
    Poison("gold", LARGE, what, change)
    for what, change in (
        ("hours-per-week halved", cells("hours-per-week", lambda c: str(max(1, int(c) // 2)))),
        ("age 15 years more", cells("age", lambda c: str(min(90, int(c) + 15)))),
        ("capital-gain a tenth", cells("capital-gain", lambda c: str(int(c) // 10))),
        ("capital-gain 0 throughout", cells("capital-gain", lambda c: "0")),
        ("education-num turned round", cells("education-num", lambda c: str(17 - int(c)))),
        ("age and hours-per-week swapped", swapped("age", "hours-per-week")),
        ("capital-gain and capital-loss swapped", swapped("capital-gain", "capital-loss")),
        ("the sexes swapped", _other_sex),
        ("occupation in another order", shuffled("occupation")),
        ("relationship in another order", shuffled("relationship")),
        ("labels in another order", shuffled(LABEL)),
        ("as many positive as negative labels flipped: 50%", exchanged(0.5)),
        ("labels of 30% of women flipped", flipped(0.3, sex="Female")),
    )
]
_rows = [
    Poison(mode, rows, what, change)
    for mode, rows in (("gold", SMALL), ("gold", LARGE))
    for what, change in (
        ("40 rows again and again", repeated(40)),
        ("half of the rows twice", lambda rows, world: repeated(len(rows) // 2)(rows, world)),
        ("1,000 rows of span 1", mixed_in(_first, 1000)),
        ("500 rows of the test part", mixed_in(_test, 500)),
        ("500 rows of the test part, a year older", mixed_in(_test, 500, _older)),
        (
            "500 rows of the test part, labels flipped",
            mixed_in(_test, 500, flipped(1.0)),
        ),
    )
]
POISONS = (*_positives, *_negatives, *_groups, *_columns, *_rows)
