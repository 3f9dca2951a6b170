"""From the votes of labelling functions to the probability of each class.

Everything works on distinct vote vectors with counts, so cost does not grow with rows. Five methods
are judged on the gold rows: a majority vote; Snorkel's label model, which learns from agreement and
disagreement on all rows and is tuned and tempered on the gold rows; a combiner fitted on the gold
rows' votes; the average of these two; and a combiner of votes and columns (models/labels/additive).
They err differently: the label model knows all rows but takes functions for independent, the
combiners see how they depend, but on a few rows only, and columns tell rows with the same votes
apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.answers import folded
from core.errors import InputError
from core.names import BOTH
from core.sections.labeling import LabelFitting
from models.labels import scores as label_scores
from models.labels import snorkel_model
from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.model import ColumnScores, Fitting
from models.labels.combiner import combine, temper
from models.labels.rows import Columns
from models.labels.scores import Score
from models.labels.snorkel_model import Training
from models.labels.votes import ABSTAIN, Counts, Floats, Gold, Votes

MIN_FUNCTIONS = 3  # Snorkel's label model needs a third vote to tell who is right
FOLDS = 10  # of the cross-validation
AUTO = "auto"
MAJORITY, LABEL_MODEL, COMBINER, AVERAGE = "majority_vote", "label_model", "combiner", "average"
COLUMNS = "votes_and_columns"
PREFERENCE = (COLUMNS, AVERAGE, COMBINER, LABEL_MODEL, MAJORITY)  # the first, unless one is better


@dataclass(frozen=True)
class SeenRows:
    """What the method that looks at columns knows of them.

    Attributes:
      majority: What columns tell of votes, by a sample of all rows.
      gold: The columns of the gold rows.
    """

    majority: MajorityByColumns
    gold: Columns


@dataclass(frozen=True)
class Trial:
    """One way to train Snorkel's label model, and its score on the gold rows."""

    training: Training
    score: Score
    chosen: bool


@dataclass(frozen=True)
class Fitted:
    """What the label model says.

    Attributes:
      probability: float64 [vectors], P(positive) of each distinct vote vector, or [vectors,
        classes], the shares of more than two classes; what its votes alone say, if columns add.
      weight: float64 [functions], Snorkel's estimate of each function's accuracy where it votes;
        NaN where it never votes, or fewer than three functions do.
      class_balance: float64 [classes], the share of each among the gold rows drawn at random.
      held_out: The same as `probability` of each gold row by the method taken, fitted without it
        (cross-validated).
      accuracy_on_gold: Share of the gold rows drawn at random that `held_out` labels rightly.
      method: The method taken.
      reason: Why.
      scores: Of each method on the gold rows drawn at random, cross-validated.
      trials: Ways to train Snorkel's label model.
      columns: What the columns of a row add; None: nothing, its label is that of its votes.
    """

    probability: Floats
    weight: Floats
    class_balance: Floats
    held_out: Floats
    accuracy_on_gold: float
    method: str
    reason: str
    scores: dict[str, Score]
    trials: list[Trial]
    columns: ColumnScores | None = None

    def answers(self, vector_of_row: NDArray[np.integer[Any]], columns: Columns) -> Floats:
        """Answers to rows, float64 [rows], or [rows, classes].

        Args:
          vector_of_row: Integers [rows], numbers of their vote vectors.
          columns: Of the same rows.
        """
        of_votes = self.probability[vector_of_row]
        return of_votes if self.columns is None else self.columns.added(of_votes, columns)


@dataclass(frozen=True)
class _Candidate:
    """Answers to each vote vector, and to each gold row without having seen its label."""

    probability: Floats
    held_out: Floats
    columns: ColumnScores | None = None


def check_gold(rows: int) -> None:
    """Checks that there are gold rows at all.

    Raises:
      InputError: There are none.
    """
    if rows == 0:
        raise InputError(
            "no gold rows: labeling.gold_rows is 0 and nobody has answered yet; have rows "
            "labelled: python -m pipeline to-label"
        )


def class_balance(rows: Sequence[int], classes: Sequence[str]) -> Floats:
    """Share of each class among gold rows, float64 [classes].

    Args:
      rows: How many there are of each.
      classes: Their names.

    Raises:
      InputError: There are none of a class.
    """
    if lacking := [f"'{name}'" for name, count in zip(classes, rows, strict=True) if count == 0]:
        raise InputError(
            f"none of {sum(rows)} gold rows has the class {', '.join(lacking)}; some of each class "
            "are needed: raise labeling.gold_rows or labeling.gold_of_class, label rows of it, or "
            "correct columns.classes"
        )
    return np.array(rows, dtype=np.float64) / sum(rows)


def rows_of_classes(labels: NDArray[np.int8], classes: int) -> list[int]:
    """How many rows there are of each class."""
    return [int(count) for count in np.bincount(labels, minlength=classes)]


def measurable(
    gold: Gold, labeled: Sequence[int], classes: Sequence[str]
) -> tuple[Gold, Floats | None]:
    """Gold rows on which methods can be judged, and the class balance where they do not tell it.

    Where a class is so rare that the rows drawn at random have none of it, all of them have to
    measure, and how common the class is, the count of all labels says.

    Args:
      gold: The gold rows.
      labeled: Rows with a true label, by class.
      classes: Their names.
    """
    every, drawn = (len(set(rows.labels.tolist())) for rows in (gold, gold.drawn))
    if every < len(classes) or drawn == every or not all(labeled):
        return gold, None
    return Gold(gold.votes, gold.labels), class_balance(labeled, classes)


def fit(
    vectors: Votes,
    counts: Counts,
    gold: Gold,
    names: Sequence[str],
    how: LabelFitting,
    seed: int,
    balance: Floats | None = None,
    classes: Sequence[str] = BOTH,
    seen: SeenRows | None = None,
) -> Fitted:
    """Fits and judges the methods, and takes one.

    Agreement tells something from three functions on; where fewer vote, the combiner is taken.

    Args:
      vectors: int8 [vectors, functions], distinct vote vectors.
      counts: int64 [vectors], rows behind each vector.
      gold: Votes and labels of the gold rows.
      names: Names of the functions, for messages.
      how: Which method to take (`auto`: the first of PREFERENCE unless another is better beyond
        chance), how Snorkel's label model is trained, and what else is tried in training it.
      seed: Draws its initial weights and the folds of the cross-validation.
      balance: Share of each class; None: that of the gold rows drawn at random.
      classes: Their names, by code.
      seen: Columns; None where no method is to look at them.

    Raises:
      InputError: No function votes, or no gold row is of a class.
    """
    if balance is None:
        balance = class_balance(rows_of_classes(gold.drawn.labels, len(classes)), classes)
    voting = (vectors != ABSTAIN).any(axis=0)
    if not voting.any():
        raise InputError(
            f"none of {len(names)} labelling functions votes on any row: see labeling.functions"
        )

    def combined(rest: NDArray[np.bool_], fold: NDArray[np.bool_]) -> Floats:
        known = Gold(gold.votes[rest], gold.labels[rest])
        return combine(known, gold.votes[fold], len(classes))

    weight, trials = np.full(len(names), np.nan), list[Trial]()
    candidates = {
        MAJORITY: _Candidate(_majority(vectors, balance), _majority(gold.votes, balance)),
        COMBINER: _Candidate(
            combine(gold, vectors, len(classes)), _cross_validated(gold, seed, combined)
        ),
    }
    if voting.sum() >= MIN_FUNCTIONS:
        first = Training(epochs=how.epochs)
        grid = snorkel_model.grid(first, how.tuning)
        found = [_train(vectors, counts, gold, voting, balance, t, seed) for t in grid]
        taken = label_scores.best([_losses(candidate, gold) for candidate, _ in found])
        weight[voting] = found[taken][1]
        trials = [
            Trial(training, _score(candidate, gold), n == taken)
            for n, (training, (candidate, _)) in enumerate(zip(grid, found, strict=True))
        ]
        candidates[LABEL_MODEL] = found[taken][0]
        both = candidates[LABEL_MODEL], candidates[COMBINER]
        candidates[AVERAGE] = _Candidate(
            (both[0].probability + both[1].probability) / 2,
            (both[0].held_out + both[1].held_out) / 2,
        )
    if seen is not None and seen.majority.coding.width:
        fitting = Fitting(gold, seen.majority, seen.gold, len(classes))
        both_kinds, told = fitting.fit(vectors), _cross_validated(gold, seed, fitting.held_out)
        candidates[COLUMNS] = _Candidate(both_kinds.probability, told, both_kinds.scores)
    candidates = {name: candidates[name] for name in PREFERENCE if name in candidates}
    chosen, reason = _choose(candidates, gold, how.method)
    scores = {name: _score(candidate, gold) for name, candidate in candidates.items()}
    return Fitted(
        candidates[chosen].probability,
        weight,
        balance,
        candidates[chosen].held_out,
        scores[chosen].accuracy,
        chosen,
        reason,
        scores,
        trials,
        candidates[chosen].columns,
    )


def _choose(candidates: dict[str, _Candidate], gold: Gold, method: str) -> tuple[str, str]:
    """Name of the method to take, and why."""
    if method != AUTO:
        if method not in candidates:
            needs = (
                "needs a column whose values rows share"
                if method == COLUMNS
                else f"needs {MIN_FUNCTIONS} functions that vote; write more"
            )
            raise InputError(
                f"labeling.method={method}: {needs}, or take one of {', '.join(candidates)}"
            )
        return method, f"labeling.method={method}"
    names = _preferred(candidates, gold)
    taken = label_scores.best([_losses(candidates[name], gold) for name in names])
    rows = int(gold.at_random.sum())
    if taken:
        return names[taken], (
            f"its log loss on {rows} gold rows is lower than that of {names[0]} beyond chance "
            "(95% interval of the paired difference)"
        )
    if names[0] == COMBINER:
        return names[0], f"fewer than {MIN_FUNCTIONS} functions vote: no label model can be learned"
    why = {
        COLUMNS: "columns tell rows with the same votes apart",
        AVERAGE: "label model and combiner err differently",
    }
    return names[0], (
        f"no other has a lower log loss on {rows} gold rows beyond chance (95% interval of the "
        f"paired difference), and {why[names[0]]}"
    )


def _preferred(candidates: dict[str, _Candidate], gold: Gold) -> list[str]:
    """Names in the order of preference.

    Columns lead only where they help: where few functions are nearly always right, what is learned
    so cautiously is not sure enough, and the gold rows show it.
    """
    names = list(candidates)
    if names[0] != COLUMNS:
        return names
    loss = {name: float(_losses(candidates[name], gold).mean()) for name in names[:2]}
    return names if loss[COLUMNS] <= loss[names[1]] else [*names[1:], COLUMNS]


def _train(
    vectors: Votes,
    counts: Counts,
    gold: Gold,
    voting: NDArray[np.bool_],
    balance: Floats,
    training: Training,
    seed: int,
) -> tuple[_Candidate, Floats]:
    """Snorkel's label model, tempered on the gold rows; its weights."""
    model = snorkel_model.fit(vectors[:, voting], counts, balance, training, seed)
    all_rows, of_gold = (
        folded(model.predict_proba(votes[:, voting].astype(np.int64)))
        for votes in (vectors, gold.votes)
    )
    held_out = _cross_validated(
        gold, seed, lambda rest, fold: temper(of_gold[rest], gold.labels[rest], of_gold[fold])
    )
    return _Candidate(temper(of_gold, gold.labels, all_rows), held_out), model.get_weights()


def _majority(votes: Votes, balance: Floats) -> Floats:
    """Shares of the votes cast for each class, the class balance counting as one more."""
    cast = np.stack([(votes == code).sum(axis=1) for code in range(len(balance))], axis=1)
    return folded((cast + balance) / (cast.sum(axis=1, keepdims=True) + 1))


def _cross_validated(
    gold: Gold, seed: int, predict: Callable[[NDArray[np.bool_], NDArray[np.bool_]], Floats]
) -> Floats:
    """Answers to each gold row, told without its label.

    `predict` learns from the rows of one mask and tells those of another. The folds are disjoint,
    equally large parts of the gold rows with the same class balance.
    """
    order = np.random.default_rng(seed).permutation(len(gold.labels))
    order = order[np.argsort(gold.labels[order], kind="stable")]
    part = np.empty(len(order), dtype=np.int64)
    part[order] = np.arange(len(order)) % FOLDS
    told = [predict(part != fold, part == fold) for fold in range(part.max() + 1)]
    places = np.argsort(np.concatenate([np.flatnonzero(part == n) for n in range(len(told))]))
    held_out: Floats = np.concatenate(told)[places]
    return held_out


def _score(candidate: _Candidate, gold: Gold) -> Score:
    return label_scores.score(candidate.held_out[gold.at_random], gold.drawn.labels)


def _losses(candidate: _Candidate, gold: Gold) -> Floats:
    return label_scores.losses(candidate.held_out[gold.at_random], gold.drawn.labels)
