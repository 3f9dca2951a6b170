"""Columns that tell the groups of a slice column apart: a model that reads one knows the group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.metrics.measures import auc

MUCH = 0.1
"""Share of the attribution from which a slice column, with what stands in for it, is told of."""

TELLS = 0.75
"""AUC from which a column stands in for a group."""

_NAMED = 0.02  # share from which a column is named
_BINS = 20
_SMOOTHING = 5.0  # rows of the mean that each value's share is drawn towards
_MOST_GROUPS = 20  # of a slice column, the largest ones
_LEAST_ROWS = 20  # in and outside of a group, of fewer nothing is said


@dataclass(frozen=True)
class StandIn:
    """How well a column predicts a group.

    Attributes:
      column: The column.
      group: `sex=Female`.
      auc: Of the group among the training rows, each half predicted from the other.
    """

    column: str
    group: str
    auc: float


def best_predicted(
    columns: Mapping[str, np.ndarray], slices: Mapping[str, np.ndarray]
) -> dict[str, dict[str, StandIn]]:
    """For each slice column and each other column the group that it predicts best.

    A column of free text is one value a row, which predicts nothing: what its words tell is not
    looked at.

    Args:
      columns: Training rows: float64 or object, [rows] each.
      slices: Slice columns of the same rows, [rows] of str.
    """
    parts = {name: _parts(values) for name, values in columns.items()}
    found: dict[str, dict[str, StandIn]] = {}
    for key, groups in slices.items():
        names, counts = np.unique(groups, return_counts=True)
        largest = names[np.argsort(-counts, kind="stable")[:_MOST_GROUPS]]
        members = {str(group): groups == group for group in largest}
        for name, part in parts.items():
            predicted = [
                StandIn(name, f"{key}={group}", score)
                for group, member in members.items()
                if name != key and (score := predicts(part, member)) is not None
            ]
            if predicted:
                best = max(predicted, key=lambda stand_in: stand_in.auc)
                found.setdefault(key, {})[name] = best
    return found


def predicts(parts: np.ndarray, member: np.ndarray) -> float | None:
    """AUC of the share of members among the rows of a part, each half told by the other.

    Args:
      parts: Number of the part that each row is in, int [rows].
      member: bool [rows].

    Returns:
      None where members or others are few.
    """
    if min(member.sum(), (~member).sum()) < _LEAST_ROWS:
        return None
    half = np.arange(len(parts)) % 2 == 0
    scores = np.zeros(len(parts))
    width = int(parts.max()) + 1
    for told, telling in ((half, ~half), (~half, half)):
        rows = np.bincount(parts[telling], minlength=width)
        members = np.bincount(parts[telling], member[telling], width)
        share = (members + _SMOOTHING * member[telling].mean()) / (rows + _SMOOTHING)
        scores[told] = share[parts[told]]
    # Each half has a mean of its own, and only within a half are its scores alike.
    found = [auc(member[rows], scores[rows]) for rows in (half, ~half)]
    known = [terms[0] for terms in found if terms is not None]
    return float(np.mean(known)) if known else None


def _parts(values: np.ndarray) -> np.ndarray:
    """Numbers in parts of about as many rows, missing ones apart; categories as they are."""
    if values.dtype == object:
        _, parts = np.unique(values, return_inverse=True)
        return parts.reshape(-1)
    known = ~np.isnan(values)
    if not known.any():
        return np.zeros(len(values), np.int64)
    bounds = np.unique(np.quantile(values[known], np.arange(1, _BINS) / _BINS))
    found = np.searchsorted(bounds, np.where(known, values, 0.0), side="right") + 1
    return np.where(known, found, 0)


def warnings_of(
    shares: Mapping[str, float],
    predicted: Mapping[str, Mapping[str, StandIn]],
    slice_columns: Sequence[str],
    made_from: Mapping[str, str],
) -> list[str]:
    """What is to be said of slice columns that a model goes by, a sentence for each.

    Args:
      shares: Of the attribution, by column.
      predicted: See `best_predicted`.
      slice_columns: Those that are sliced by.
      made_from: The column that a slice column is made from, where it is made from one.
    """
    found = []
    for key in slice_columns:
        own = made_from.get(key, key)
        carrying = [(shares.get(own, 0.0), own, "" if own == key else f" ({key} is made from it)")]
        for name, stand_in in predicted.get(key, {}).items():
            if name != own and stand_in.auc >= TELLS:
                tells = f" (tells {stand_in.group}, AUC {stand_in.auc:.2f})"
                carrying.append((shares.get(name, 0.0), name, tells))
        together = sum(share for share, _, _ in carrying)
        if together >= MUCH:
            listed = sorted((c for c in carrying if c[0] >= _NAMED), reverse=True)
            parts = [f"{name} {share:.0%}{tells}" for share, name, tells in listed]
            found.append(
                f"{together:.0%} of the attribution is on columns that tell {key}: "
                f"{', '.join(parts)}"
            )
    return found
