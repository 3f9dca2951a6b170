"""Faults of labelling functions: each kind is found and said, and sound functions have none."""

import numpy as np
import pytest

from core.intervals import wilson_interval
from models.labels import findings as label_findings
from models.labels.findings import Finding
from models.labels.votes import ABSTAIN, NEGATIVE, POSITIVE, Gold, distinct

ROWS, GOLD_ROWS = 3000, 200


class Draw:
    """Rows, 25 % positive, and three sound functions: two of one polarity each, one of both."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.labels = (self.rng.random(ROWS) < 0.25).astype(np.int8)
        self.columns = {
            "positive": self.votes(POSITIVE, hits=0.5, misses=0.1),
            "negative": self.votes(NEGATIVE, hits=0.6, misses=0.2),
            "both": self.right(0.85),
        }

    def votes(self, vote: int, hits: float, misses: float) -> np.ndarray:
        """Votes for one class, on these shares of the rows of this class and of the other."""
        share = np.where(self.labels == vote, hits, misses)
        return np.where(self.rng.random(ROWS) < share, vote, ABSTAIN).astype(np.int8)

    def right(self, accuracy: float) -> np.ndarray:
        """A vote on every row."""
        is_right = self.rng.random(ROWS) < accuracy
        return np.where(is_right, self.labels, 1 - self.labels).astype(np.int8)

    def find(self, gold_rows: int = GOLD_ROWS, **added: np.ndarray) -> list[Finding]:
        columns = {**self.columns, **added}
        votes = np.stack(list(columns.values()), axis=1).astype(np.int8)
        vectors, counts, _ = distinct(votes)
        gold = Gold(votes[:gold_rows], self.labels[:gold_rows])
        return label_findings.find(list(columns), vectors, counts, gold)


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.severity, f.kind, f.function) for f in findings]


@pytest.mark.parametrize("seed", range(20))
def test_sound_functions_have_no_faults(seed: int) -> None:
    assert Draw(seed).find() == []


@pytest.mark.parametrize("silent", [0, 20])
def test_always_the_same_vote(silent: int) -> None:
    votes = np.full(ROWS, NEGATIVE)
    votes[ROWS - silent :] = ABSTAIN
    [finding] = Draw().find(always_no=votes)
    assert said([finding]) == [("error", "constant", "always_no")]
    assert finding.message == (
        f"votes NEGATIVE on {ROWS - silent} of 3000 rows and never otherwise: "
        "it tells no row from another"
    )
    assert finding.action == "return ABSTAIN where its reason does not hold, or drop it"


def test_a_vote_on_every_row_that_tells_classes_apart_is_no_fault() -> None:
    draw = Draw()
    assert draw.find(everywhere=draw.right(0.9)) == []


@pytest.mark.parametrize(("vote", "seen"), [(POSITIVE, "25%"), (NEGATIVE, "75%")])
def test_votes_the_wrong_way_round(vote: int, seen: str) -> None:
    draw = Draw()
    [finding] = draw.find(turned=draw.votes(vote, hits=0.05, misses=0.6))
    assert said([finding]) == [("error", "anti_correlated", "turned")]
    right, total = (int(word) for word in finding.message.split() if word.isdigit())
    low, high = wilson_interval(right, total) or (0, 0)
    chance = (draw.labels[:GOLD_ROWS] == vote).mean()
    assert finding.message == (
        f"right on {right} of {total} gold rows (95% interval {low:.2f} to {high:.2f}); "
        f"the same votes cast blindly would be right on {chance:.0%}"
    )
    assert finding.action.startswith("swap POSITIVE and NEGATIVE if its condition is written")


def test_rare_class_right_less_than_half_the_time_but_more_than_blindly_is_no_fault() -> None:
    draw = Draw()
    votes = draw.votes(POSITIVE, hits=0.6, misses=0.25)
    assert (draw.labels[votes == POSITIVE] == POSITIVE).mean() < 0.5
    assert draw.find(lift=votes) == []


def test_votes_against_the_others_where_gold_rows_are_too_few_to_tell() -> None:
    draw = Draw()
    found = draw.find(gold_rows=6, turned=draw.votes(POSITIVE, hits=0.02, misses=0.3))
    [finding] = [f for f in found if f.function == "turned"]
    assert (finding.severity, finding.kind) == ("warning", "against_others")
    assert "agrees with the majority of the other functions on" in finding.message
    assert finding.action.startswith("read rows where it disagrees")


def test_two_identical_functions() -> None:
    draw = Draw()
    [finding] = draw.find(again=draw.columns["positive"])
    assert said([finding]) == [("warning", "identical", "again")]
    alike = int((draw.columns["positive"] != ABSTAIN).sum())
    assert finding.message == (
        f"votes exactly as positive does, on all {alike} rows of either: one reason counts twice"
    )
    assert finding.action == "drop one of the two, or let them rest on different columns"


def test_two_nearly_identical_functions() -> None:
    draw = Draw()
    votes = draw.columns["both"].copy()
    votes[::30] = ABSTAIN
    [finding] = draw.find(nearly=votes)
    assert (finding.kind, finding.function) == ("identical", "nearly")
    assert "votes as both does on 2900 of the 3000 rows of either" in finding.message


def test_a_function_that_never_votes() -> None:
    [finding] = Draw().find(silent=np.full(ROWS, ABSTAIN))
    assert said([finding]) == [("warning", "never_votes", "silent")]
    assert finding.message == "votes on none of 3000 rows"


def test_votes_on_no_gold_row_are_unchecked() -> None:
    draw = Draw()
    votes = draw.votes(POSITIVE, hits=0.5, misses=0.1)
    votes[:GOLD_ROWS] = ABSTAIN
    [finding] = draw.find(elsewhere=votes)
    assert said([finding]) == [("note", "unchecked", "elsewhere")]
    assert "none of them a gold row" in finding.message


def test_the_gravest_come_first() -> None:
    draw = Draw()
    found = draw.find(
        silent=np.full(ROWS, ABSTAIN), again=draw.columns["both"], always=np.full(ROWS, POSITIVE)
    )
    assert said(found) == [
        ("error", "constant", "always"),
        ("warning", "never_votes", "silent"),
        ("warning", "identical", "again"),
    ]


def test_wilson_interval_is_that_of_the_literature() -> None:
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine
    # 1998, table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert wilson_interval(0, 0) is None
