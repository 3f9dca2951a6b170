"""Answers alike in all groups: which rows count for a rate, and how rows are weighed.

A rate is the share of rows that a model decides for the positive class: of the positive rows (tpr),
of the negative ones (fpr) or of all (selection_rate). Labels may be probabilities; a row then
counts by how likely it is of the class.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tf_keras

from core.errors import InputError
from core.sections.fairness import Mitigation
from models.metrics.registry import THRESHOLD
from models.network.network import answers_of
from models.network.penalty import Penalty, penalty_of
from models.network.rows import Rows, load_columns

OF_THE_CLASS = {"tpr": "positive rows", "fpr": "negative rows", "selection_rate": "rows"}


@dataclasses.dataclass(frozen=True)
class Groups:
    """The values of a column, as the groups that are to be treated alike.

    Attributes:
      names: Values with enough rows.
      size: How many rows of the class that the rate is about each has, by the labels.
      left_out: The same of the values that have too few.
    """

    names: tuple[str, ...]
    size: Mapping[str, float]
    left_out: Mapping[str, float]

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Number of the group of each row, int64 [rows]; -1 for the others. `values`: of str."""
        code_of = {name: code for code, name in enumerate(self.names)}
        found, at = np.unique(values, return_inverse=True)
        return np.array([code_of.get(value, -1) for value in found.tolist()], np.int64)[at]

    def notes(self, told: Mitigation) -> list[str]:
        """What is to be said of groups that are left as they are."""
        return [
            f"fairness.mitigation={told.mitigation}: {told.column}={name or 'missing'} has only "
            f"{size:.1f} {OF_THE_CLASS[told.rate]} in training and is left as it is "
            f"(fairness.min_group_rows={told.min_group_rows})"
            for name, size in self.left_out.items()
        ]


def counts(rows: Rows, rate: str) -> np.ndarray:
    """By how much each row is of the class that the rate is about, 0 to 1: float64 [rows].

    Rows of weight 0, whose label says nothing, count 0.

    Args:
      rows: With label [rows, 1].
      rate: tpr, fpr or selection_rate.
    """
    positive = rows.label[:, 0].astype(np.float64)
    of_class = {"tpr": positive, "fpr": 1 - positive, "selection_rate": np.ones(rows.count)}
    return np.where(rows.weight[:, 0] > 0, of_class[rate], 0.0)


def groups_of(rows: Rows, values: np.ndarray, told: Mitigation) -> Groups:
    """The groups that have enough rows.

    Args:
      rows: Rows with labels, of two classes unless they are only to be weighed.
      values: The column, [rows] of str.
      told: The column, the rate, and how many rows of its class are enough. Weighing goes by all
        rows.

    Raises:
      InputError: There are fewer than two.
    """
    weighing = told.mitigation == "reweighing"
    of_class = counts(rows, "selection_rate" if weighing else told.rate)
    found, at = np.unique(values, return_inverse=True)
    size = dict(zip(found.tolist(), np.bincount(at, of_class).tolist(), strict=True))
    names = tuple(name for name in size if size[name] >= told.min_group_rows)
    groups = Groups(
        names,
        {name: size[name] for name in names},
        {name: count for name, count in size.items() if name not in names},
    )
    if len(names) < 2:
        listed = ", ".join(f"{name or 'missing'} {count:.1f}" for name, count in size.items())
        what = "rows" if weighing else OF_THE_CLASS[told.rate]
        raise InputError(
            f"fairness.column={told.column}: two groups are needed to be made alike, each of at "
            f"least {told.min_group_rows} {what} in training, and there are {listed}; bring more "
            "labelled rows, lower fairness.min_group_rows, or set fairness.mitigation=none"
        )
    return groups


def counted(rows: Rows, codes: np.ndarray, groups: int, rate: str) -> Rows:
    """The rows with `counted`: by how much each counts for the rate of each group.

    Args:
      rows: With label [rows, 1] and weight.
      codes: Number of the group of each row; -1: of none.
      groups: How many there are.
      rate: tpr, fpr or selection_rate.
    """
    of_class = counts(rows, rate) * rows.weight[:, 0]
    member = codes[:, None] == np.arange(groups)
    return dataclasses.replace(rows, counted=(member * of_class[:, None]).astype(np.float32))


def class_weights(rows: Rows, codes: np.ndarray, groups: int) -> np.ndarray:
    """Weights that make the class independent of the group: float64 [groups, classes].

    P(group) P(class) / P(group, class), where a probable class counts by its probability (Kamiran
    and Calders, Data preprocessing techniques for classification without discrimination, 2012). A
    class of which a group has less than one row is not weighed.
    """
    shares = _shares(rows) * rows.weight
    member = codes[:, None] == np.arange(groups)
    joint = member.T.astype(np.float64) @ shares
    expected = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0) / joint.sum()
    rows_of_class = member.T.astype(np.float64) @ (_shares(rows) * (rows.weight > 0))
    weighed = rows_of_class >= 1
    return np.divide(expected, joint, out=np.ones_like(joint), where=weighed)


def reweighed(rows: Rows, codes: np.ndarray, weights: np.ndarray) -> Rows:
    """The rows with each class of each group weighed; the label of a row stays a distribution.

    Args:
      rows: With label [rows, 1] or [rows, K].
      codes: Number of the group of each row; rows of none stay as they are.
      weights: Of each class of each group, [groups, classes].
    """
    factors = np.where(codes[:, None] >= 0, weights[codes], 1.0)
    weighed = _shares(rows) * factors
    total = weighed.sum(axis=1, keepdims=True)
    label = weighed / total
    label = label[:, 1:] if rows.label.shape[1] == 1 else label
    return dataclasses.replace(
        rows, label=label.astype(np.float32), weight=(rows.weight * total).astype(np.float32)
    )


def _shares(rows: Rows) -> np.ndarray:
    """Shares of all classes, float64 [rows, classes]."""
    label = rows.label.astype(np.float64)
    return np.concatenate([1 - label, label], axis=1) if label.shape[1] == 1 else label


@dataclasses.dataclass(frozen=True)
class Grouped:
    """The rows of train and eval, made ready for a mitigation.

    Attributes:
      told: What was asked for.
      groups: The groups.
      codes: Number of the group of each row of train and of eval; -1: of none.
      train: Rows of train, with `counted`, and weighed where that is what was asked for.
      evaluation: Those of eval.
      weights: Of each class of each group; None where nothing is weighed.
    """

    told: Mitigation
    groups: Groups
    codes: tuple[np.ndarray, np.ndarray]
    train: Rows
    evaluation: Rows
    weights: np.ndarray | None = None

    def penalty(self, seed: int) -> Penalty | None:
        """A new one; None where there is none."""
        if self.told.mitigation != "min_diff":
            return None
        return penalty_of(self.told, len(self.groups.names), seed)

    def report(self) -> dict[str, Any]:
        """What was asked for, and between which groups."""
        weights = {}
        if self.weights is not None:
            named = zip(self.groups.names, self.weights.tolist(), strict=True)
            weights = {"weights": dict(named)}
        return {
            **self.told.model_dump(),
            "groups": dict(self.groups.size),
            "left_out": dict(self.groups.left_out),
            **weights,
            "notes": self.groups.notes(self.told),
        }

    def rates(self, network: tf_keras.Model) -> dict[str, Any]:
        """What a network decides on the eval rows, whose labels may be probabilities.

        Returns:
          `rates` by group (None without a row that counts), `gap` between the highest and the
          lowest, and `accuracy`; nothing with more than two classes.
        """
        rows = self.evaluation
        if rows.counted is None:
            return {}
        positive = answers_of(network, rows) > THRESHOLD
        hits = (rows.counted * positive[:, None]).sum(axis=0)
        of_groups = zip(self.groups.names, hits, rows.counted.sum(axis=0), strict=True)
        found = {name: float(hit / all_) if all_ > 0 else None for name, hit, all_ in of_groups}
        known = [rate for rate in found.values() if rate is not None]
        label, weight = rows.label[:, 0], rows.weight[:, 0]
        right = np.where(positive, label, 1 - label)
        return {
            "rates": found,
            "gap": max(known) - min(known) if known else None,
            "accuracy": float((weight * right).sum() / weight.sum()),
        }


def read_groups(
    told: Mitigation,
    parts: tuple[Rows, Rows],
    files: tuple[Sequence[str], Sequence[str]],
    gold_weight: float | None,
) -> Grouped:
    """`grouped`, with the column as Transform passed it through.

    Args:
      told: What is to be done.
      parts: Rows of train and eval.
      files: Patterns of the files that they were read from.
      gold_weight: See `grouped`.
    """
    column = told.column or ""  # there is one, as loading the configuration checks
    train, evaluation = (load_columns(patterns, [column])[column] for patterns in files)
    return grouped(told, parts, (train, evaluation), gold_weight)


def grouped(
    told: Mitigation,
    parts: tuple[Rows, Rows],
    values: tuple[np.ndarray, np.ndarray],
    gold_weight: float | None = None,
) -> Grouped:
    """Finds the groups and makes the rows ready.

    Args:
      told: What is to be done.
      parts: Rows of train and eval.
      values: The column in both, each [rows] of str.
      gold_weight: Weight by which rows with a true label are known; None: all with a weight are.

    Raises:
      InputError: There are not two groups that have enough rows.
    """
    train, evaluation = parts
    basis, of_basis = train, values[0]
    if told.mitigation == "thresholds":
        basis, of_basis = train.followed_by(evaluation), np.concatenate(values)
        basis = basis.take(true := true_rows(basis, gold_weight))
        of_basis = of_basis[true]
    groups = groups_of(basis, of_basis, told)
    codes = groups.codes(values[0]), groups.codes(values[1])
    count, weights = len(groups.names), None
    if told.mitigation == "reweighing":
        weights = class_weights(train, codes[0], count)
        train, evaluation = (
            reweighed(rows, of, weights) for rows, of in zip(parts, codes, strict=True)
        )
    if train.label.shape[1] == 1:
        train, evaluation = (
            counted(rows, of, count, told.rate)
            for rows, of in zip((train, evaluation), codes, strict=True)
        )
    return Grouped(told, groups, codes, train, evaluation, weights)


def true_rows(rows: Rows, gold_weight: float | None) -> np.ndarray:
    """Which rows have a true label, bool [rows].

    Args:
      rows: Of train or eval.
      gold_weight: That of such rows; None: all rows that have a weight are such.
    """
    weight = rows.weight[:, 0]
    return weight > 0 if gold_weight is None else np.isclose(weight, gold_weight, rtol=1e-6)
