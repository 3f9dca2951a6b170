"""A sample of rows that neither their order nor their files change; and what is chosen of it."""

import numpy as np
import pytest

from models.labels.additive.choice import informative
from models.labels.additive.sample import NO_LABEL, Drawing, Sample, joined
from models.labels.rows import coded
from models.labels.votes import Gold

ROWS, SIZE = 600, 50


def rows(labelled_share: float = 1.0) -> Sample:
    rng = np.random.default_rng(3)
    labels = np.where(rng.random(ROWS) < labelled_share, rng.integers(2, size=ROWS), NO_LABEL)
    return Sample(
        rng.permutation(ROWS).astype(np.uint64),
        [f"row-{n}" for n in range(ROWS)],
        labels.astype(np.int8),
        rng.integers(-1, 2, size=(ROWS, 3)).astype(np.int8),
        {"age": coded(rng.integers(20, 60, size=ROWS).tolist())},
        {"sex": coded(["f", "m"] * (ROWS // 2))},
    )


@pytest.mark.parametrize("labelled_share", [1.0, 0.2, 0.0])
@pytest.mark.parametrize("batches", [[600], [100] * 6, [7] * 85 + [5]])
def test_batches_and_order_do_not_matter(labelled_share: float, batches: list[int]) -> None:
    every = rows(labelled_share)
    expected = every.drawn(SIZE)
    parts = np.split(np.random.default_rng(1).permutation(ROWS), np.cumsum(batches)[:-1])
    drawings = Drawing(SIZE), Drawing(SIZE)
    for n, part in enumerate(parts):
        drawings[n % 2].add(every.take(part))
    found = joined([d.sample() for d in drawings if d.used]).drawn(SIZE)
    assert found.row_ids == expected.row_ids
    assert (found.votes == expected.votes).all()
    ages = [found.columns["age"].at(n) for n in range(len(found.order))]
    assert ages == [expected.columns["age"].at(n) for n in range(len(expected.order))]


def test_rare_labelled_rows_are_all_there() -> None:
    every = rows(0.05)
    found = every.drawn(SIZE)
    assert (found.labels != NO_LABEL).sum() == (every.labels != NO_LABEL).sum()
    assert len(found.order) > SIZE


def test_chosen_rows_are_labelled_and_not_known_yet() -> None:
    sample = rows(0.5).drawn(ROWS)
    known = np.flatnonzero(sample.labels != NO_LABEL)[:30]
    gold = Gold(sample.votes[known], sample.labels[known])
    columns = sample.take(known).columns
    ids = {sample.row_ids[n] for n in known}
    chosen = informative(sample, gold, columns, ids, 40, 2)
    assert len(set(chosen)) == 40
    assert ids.isdisjoint({sample.row_ids[n] for n in chosen})
    assert (sample.labels[chosen] != NO_LABEL).all()


def test_labels_of_rows_that_are_not_known_decide_nothing() -> None:
    sample = rows().drawn(ROWS)
    known = np.arange(30)
    gold, columns = Gold(sample.votes[known], sample.labels[known]), sample.take(known).columns
    ids = {sample.row_ids[n] for n in known}
    turned = sample.labels.copy()
    turned[30:] = 1 - turned[30:]
    other = Sample(
        sample.order, sample.row_ids, turned, sample.votes, sample.columns, sample.groups
    )
    first = informative(sample, gold, columns, ids, 20, 2)
    assert informative(other, gold, columns, ids, 20, 2) == first
