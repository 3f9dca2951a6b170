"""Counterfactuals: the smallest changes of some columns that change the decision.

Smallest: of as few columns as possible, then at the least distance. A number is as far from
another as the share of the training rows between them, a category from any other a whole share,
a little less from a common one. One column is tried with all its values; then, as a beam search,
the most promising changes are joined; what is found is drawn back towards the row as far as the
decision stays changed. Each is asked by itself in the end, and dropped if it does not hold.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.answers import decided
from models.explain.actions import Action
from models.explain.shapley import Ask

_BEAM = 32  # changes of one size that are joined with others
_JOINED = 12  # values of each column that they are joined with
_MOST_ACTIONS = 5  # of a change


@dataclass(frozen=True)
class Counterfactual:
    """A row that is decided otherwise.

    Attributes:
      codes: The row, float64 [columns].
      changed: Places of the columns that are changed.
      answer: float64 [outputs].
      actions: How many of them it takes.
      distance: From the row, over all actions.
    """

    codes: np.ndarray
    changed: tuple[int, ...]
    answer: np.ndarray
    actions: int
    distance: float


@dataclass(frozen=True)
class _Change:
    """Choices by the number of their action."""

    chosen: dict[int, int]
    score: float
    distance: float
    flips: bool


class CounterfactualSearch:
    """Looks for counterfactuals of rows."""

    def __init__(self, ask: Ask, actions: Sequence[Action], wanted: int | None = None) -> None:
        """Takes the model and what may be changed.

        Args:
          ask: The model.
          actions: What may be changed.
          wanted: Code of the class to reach; None: any other.
        """
        self._ask, self._actions, self._wanted = ask, actions, wanted

    def find(self, rows: np.ndarray, count: int) -> list[list[Counterfactual]]:
        """Up to `count` counterfactuals of each row, each of other columns, the smallest first.

        Args:
          rows: Codes, float64 [rows, columns].
          count: Of one row.
        """
        now = decided(self._ask(rows))
        distances = [[action.distances(row) for action in self._actions] for row in rows]
        singles = self._singles(rows, now, distances)
        found: list[list[_Change]] = [_smallest(changes) for changes in singles]
        beams = [_best(changes, found[n]) for n, changes in enumerate(singles)]
        for _ in self._actions[1:_MOST_ACTIONS]:
            open_ = [n for n in range(len(rows)) if len(found[n]) < count and beams[n]]
            if not open_:
                break
            asked = [
                (n, chosen) for n in open_ for chosen in _joined(beams[n], singles[n], found[n])
            ]
            changes: dict[int, list[_Change]] = {n: [] for n in open_}
            for (n, _), change in zip(asked, self._judge(rows, now, distances, asked), strict=True):
                changes[n].append(change)
            for n in open_:
                found[n] = [*found[n], *_smallest(changes[n])]
                beams[n] = _best(changes[n], found[n])
        return [
            self._verified(rows[n], int(now[n]), distances[n], found[n], count)
            for n in range(len(rows))
        ]

    def _singles(
        self, rows: np.ndarray, now: np.ndarray, distances: Sequence[Sequence[np.ndarray]]
    ) -> list[list[_Change]]:
        """Every choice of every action by itself, for each row."""
        asked = [
            (n, {number: int(choice)})
            for n in range(len(rows))
            for number in range(len(self._actions))
            for choice in np.flatnonzero(distances[n][number] > 0)
        ]
        found: list[list[_Change]] = [[] for _ in rows]
        for (n, _), change in zip(asked, self._judge(rows, now, distances, asked), strict=True):
            found[n].append(change)
        return found

    def _judge(
        self,
        rows: np.ndarray,
        now: np.ndarray,
        distances: Sequence[Sequence[np.ndarray]],
        asked: Sequence[tuple[int, dict[int, int]]],
    ) -> list[_Change]:
        """What changes of rows, each with the number of its row, come to."""
        if not asked:
            return []
        made = np.stack([self._changed(rows[n], chosen) for n, chosen in asked])
        answers = self._ask(made)
        before = now[[n for n, _ in asked]]
        scores, flips = self._scores(answers, before), self._flips(answers, before)
        return [
            _Change(
                chosen,
                float(scores[at]),
                float(sum(distances[n][number][choice] for number, choice in chosen.items())),
                bool(flips[at]),
            )
            for at, (n, chosen) in enumerate(asked)
        ]

    def _changed(self, row: np.ndarray, chosen: Mapping[int, int]) -> np.ndarray:
        made = row.copy()
        for number, choice in chosen.items():
            action = self._actions[number]
            made[list(action.columns)] = action.choices[choice]
        return made

    def _flips(self, answers: np.ndarray, before: np.ndarray) -> np.ndarray:
        after = decided(answers)
        other: np.ndarray = after != before
        return other if self._wanted is None else other & (after == self._wanted)

    def _scores(self, answers: np.ndarray, before: np.ndarray) -> np.ndarray:
        """How near answers are to another decision; more is nearer."""
        if answers.shape[1] == 1:
            return np.where(before == 0, answers[:, 0], -answers[:, 0])
        at = np.arange(len(answers))
        others = answers.copy()
        others[at, before] = -np.inf
        if self._wanted is None:
            return others.max(axis=1) - answers[at, before]
        others = answers.copy()
        others[:, self._wanted] = -np.inf
        return answers[:, self._wanted] - others.max(axis=1)

    def _verified(
        self,
        row: np.ndarray,
        before: int,
        distances: Sequence[np.ndarray],
        found: Sequence[_Change],
        count: int,
    ) -> list[Counterfactual]:
        """What holds when it is asked by itself, drawn back before, the smallest first."""
        order = sorted(found, key=lambda change: (len(change.chosen), change.distance))
        kept = []
        for change in order[:count]:
            chosen = self._drawn_back(row, before, distances, change)
            made = self._changed(row, chosen)
            answer = self._ask(made[np.newaxis])
            if self._flips(answer, np.array([before]))[0]:
                distance = float(sum(distances[n][choice] for n, choice in chosen.items()))
                changed = tuple(int(at) for at in np.flatnonzero(made != row))
                kept.append(Counterfactual(made, changed, answer[0], len(chosen), distance))
        return sorted(kept, key=lambda one: (one.actions, one.distance))

    def _drawn_back(
        self, row: np.ndarray, before: int, distances: Sequence[np.ndarray], change: _Change
    ) -> dict[int, int]:
        """The nearest choices of a change, one action after the other, that still flip."""
        chosen = dict(change.chosen)
        if len(chosen) == 1:  # the nearest of all
            return chosen
        for number in sorted(chosen, key=lambda n: -distances[n][chosen[n]]):
            far = distances[number]
            nearer = np.flatnonzero((far > 0) & (far < far[chosen[number]]))
            nearer = nearer[np.argsort(far[nearer], kind="stable")]
            if len(nearer):
                made = [self._changed(row, {**chosen, number: int(choice)}) for choice in nearer]
                flips = self._flips(self._ask(np.stack(made)), np.full(len(made), before))
                if flips.any():
                    chosen[number] = int(nearer[flips.argmax()])
        return chosen


def _smallest(changes: Sequence[_Change]) -> list[_Change]:
    """Of the changes that flip, the nearest for each set of actions."""
    nearest: dict[frozenset[int], _Change] = {}
    for change in changes:
        if change.flips:
            key = frozenset(change.chosen)
            if key not in nearest or change.distance < nearest[key].distance:
                nearest[key] = change
    return [*nearest.values()]


def _best(changes: Sequence[_Change], found: Sequence[_Change]) -> list[_Change]:
    """The most promising changes of actions that are not found to flip by themselves."""
    known = [frozenset(change.chosen) for change in found]
    left = [c for c in changes if not any(key <= c.chosen.keys() for key in known)]
    return sorted(left, key=lambda change: (-change.score, change.distance))[:_BEAM]


def _joined(
    beam: Sequence[_Change], singles: Sequence[_Change], found: Sequence[_Change]
) -> Iterator[dict[int, int]]:
    """Changes of one action more, each once."""
    promising: dict[int, list[_Change]] = {}
    for single in _best_by_action(singles, found):
        promising.setdefault(next(iter(single.chosen)), []).append(single)
    known = [frozenset(change.chosen) for change in found]
    seen = set()
    for change in beam:
        for number, others in promising.items():
            if number in change.chosen:
                continue
            keys = {*change.chosen, number}
            if any(key <= keys for key in known):
                continue
            for other in others[:_JOINED]:
                chosen = {**change.chosen, **other.chosen}
                key = tuple(sorted(chosen.items()))
                if key not in seen:
                    seen.add(key)
                    yield chosen


def _best_by_action(singles: Sequence[_Change], found: Sequence[_Change]) -> list[_Change]:
    known = {frozenset(change.chosen) for change in found}
    left = [single for single in singles if frozenset(single.chosen) not in known]
    return sorted(left, key=lambda change: (-change.score, change.distance))
