"""Faults of functions that tell three classes apart."""

import numpy as np
import pytest

from models.labels import findings as label_findings
from models.labels.findings import Finding
from models.labels.votes import ABSTAIN, Gold, distinct

CLASSES = ("ride", "carry", "other")
ROWS, GOLD_ROWS = 3000, 200


class Draw:
    """Rows, half of them `other`, and four sound functions."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.labels = self.rng.choice(3, ROWS, p=[0.3, 0.2, 0.5]).astype(np.int8)
        self.columns = {f"for_{name}": self.votes(k, 0.6, 0.1) for k, name in enumerate(CLASSES)}
        self.columns["any"] = self.any(0.8)

    def votes(self, vote: int, hits: float, misses: float) -> np.ndarray:
        """Votes for one class, on these shares of the rows of this class and of the others."""
        share = np.where(self.labels == vote, hits, misses)
        return np.where(self.rng.random(ROWS) < share, vote, ABSTAIN).astype(np.int8)

    def any(self, accuracy: float) -> np.ndarray:
        """A vote on every row."""
        other = (self.labels + self.rng.integers(1, 3, ROWS)) % 3
        return np.where(self.rng.random(ROWS) < accuracy, self.labels, other).astype(np.int8)

    def find(self, gold_rows: int = GOLD_ROWS, **added: np.ndarray) -> list[Finding]:
        columns = {**self.columns, **added}
        votes = np.stack(list(columns.values()), axis=1).astype(np.int8)
        vectors, counts, _ = distinct(votes)
        gold = Gold(votes[:gold_rows], self.labels[:gold_rows])
        return label_findings.find(list(columns), vectors, counts, gold, CLASSES)


@pytest.mark.parametrize("seed", range(10))
def test_sound_functions_have_no_faults(seed: int) -> None:
    assert Draw(seed).find() == []


def test_always_the_same_vote_is_named_by_its_class() -> None:
    [finding] = Draw().find(always=np.full(ROWS, 1))
    assert (finding.kind, finding.function) == ("constant", "always")
    assert finding.message.startswith("votes carry on 3000 of 3000 rows and never otherwise")


def test_votes_for_a_class_that_it_is_not() -> None:
    draw = Draw()
    [finding] = draw.find(turned=draw.votes(2, hits=0.02, misses=0.6))
    assert (finding.kind, finding.function) == ("anti_correlated", "turned")
    share = (draw.labels[:GOLD_ROWS] == 2).mean()
    assert finding.message.endswith(f"the same votes cast blindly would be right on {share:.0%}")
    assert finding.action == (
        "look whether it names the class that it means; else narrow or drop it"
    )


def test_a_vote_that_is_right_more_often_than_the_class_is_common_is_no_fault() -> None:
    """Right in two cases of five is little of two classes, and much of a class of one in five."""
    draw = Draw()
    assert draw.find(weak=draw.votes(1, hits=0.6, misses=0.22)) == []


def test_votes_against_the_others_where_no_gold_row_vouches() -> None:
    draw = Draw()
    turned = draw.votes(2, hits=0.02, misses=0.6)
    turned[:GOLD_ROWS] = ABSTAIN
    found = draw.find(turned=turned)
    assert [(f.kind, f.function) for f in found] == [
        ("against_others", "turned"),
        ("unchecked", "turned"),
    ]


def test_a_class_that_none_votes_for_is_named() -> None:
    draw = Draw()
    del draw.columns["for_carry"], draw.columns["any"]
    draw.columns["for_ride_again"] = draw.votes(0, 0.5, 0.05)
    [finding] = draw.find()
    assert (finding.kind, finding.function) == ("class_without_votes", "all functions")
    assert finding.message.startswith("none votes carry on any of 3000 rows")
