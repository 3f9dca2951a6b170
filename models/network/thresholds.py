"""A decision of its own for each group, as a part of the network.

The logit of a row is shifted by what its group is given, so that 0.5 stays the decision for
everybody who asks: the server, a device, the pipeline. Hardt, Price and Srebro, Equality of
Opportunity in Supervised Learning (2016), without their randomised decisions.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import tf_keras

from core.errors import InputError
from models.metrics.registry import THRESHOLD
from models.network.layout import Layout
from models.network.mitigation import Grouped, true_rows
from models.network.network import logits_of
from models.network.preprocessing import CATEGORICAL, ModelInputs
from models.network.rows import Rows

GROUP_SHIFT = "group_shift"
_RATES = 200  # tried for all groups


@dataclasses.dataclass(frozen=True)
class Finished:
    """Trained networks as they are saved, and what was done.

    Attributes:
      networks: By what they are called.
      groups: The rows, in groups.
      shifts: Of the logit, by network and group; empty but with thresholds.
    """

    networks: dict[str, tf_keras.Model]
    groups: Grouped
    shifts: dict[str, dict[str, float]]

    def report(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """`mitigation` of a training report.

        Args:
          before: What a network decided on the eval rows before anything was done, by its name.
        """
        rates = {name: self.groups.rates(network) for name, network in self.networks.items()}
        return {**self.groups.report(), "eval": {**before, **rates}, "shifts": self.shifts}


def finished(
    networks: Mapping[str, tf_keras.Model],
    rows: Grouped,
    inputs: ModelInputs,
    layout: Layout,
    gold_weight: float | None,
) -> Finished:
    """Gives each network thresholds by group where they are asked for, found on train and eval.

    Args:
      networks: Trained, by what they are called.
      rows: Of train and eval, in groups.
      inputs: Widths of the features.
      layout: What the networks read.
      gold_weight: Weight by which rows with a true label are known; None: all with a weight are.

    Raises:
      InputError: The networks do not read the column.
    """
    if rows.told.mitigation != "thresholds":
        return Finished(dict(networks), rows, {})
    both = rows.train.followed_by(rows.evaluation)
    true = true_rows(both, gold_weight)
    codes, both = np.concatenate(rows.codes)[true], both.take(true)
    made, shifts = {}, {}
    for name, network in networks.items():
        logits = logits_of(network)(both.features, training=False).numpy()[:, 0]
        found = equal_rate_shifts(logits, both, codes).tolist()
        shifts[name] = dict(zip(rows.groups.names, found, strict=True))
        place, by_id = shifts_by_id(layout, rows.told.column or "", shifts[name])
        made[name] = shifted(network, inputs, place, by_id)
    return Finished(made, rows, shifts)


def equal_rate_shifts(logits: np.ndarray, rows: Rows, codes: np.ndarray) -> np.ndarray:
    """Shifts of the logit by group with which all groups have one rate: float64 [groups].

    Of the rates between the lowest and the highest that the groups have without shifts, the one
    with which most rows are decided rightly.

    Args:
      logits: [rows].
      rows: With true labels [rows, 1], and `counted`; each group has a row that counts.
      codes: Number of the group of each row; -1: of none.
    """
    assert rows.counted is not None
    label, weight = rows.label[:, 0].astype(np.float64), rows.weight[:, 0].astype(np.float64)
    members = [np.flatnonzero(codes == group) for group in range(rows.counted.shape[1])]
    cuts = [_Cuts.of(logits[of], rows.counted[of, g]) for g, of in enumerate(members)]

    def right(rate: float) -> float:
        found = 0.0
        for each, of in zip(cuts, members, strict=True):
            positive = logits[of] > each.cut_for(rate)
            found += float((weight[of] * np.where(positive, label[of], 1 - label[of])).sum())
        return found

    now = [each.rate_at(0.0) for each in cuts]
    best = max(np.linspace(min(now), max(now), _RATES).tolist(), key=right)
    return np.array([-each.cut_for(best) for each in cuts])


@dataclasses.dataclass(frozen=True)
class _Cuts:
    """Where the logits of a group can be cut, and the rate above each cut; rates ascend."""

    cuts: np.ndarray
    rates: np.ndarray

    @classmethod
    def of(cls, logits: np.ndarray, counted: np.ndarray) -> "_Cuts":
        """Between two logits each: rounding would find or lose the rows on a cut."""
        values, at = np.unique(-logits.astype(np.float64), return_inverse=True)
        found = np.cumsum(np.bincount(at, counted.astype(np.float64)))
        edges = np.concatenate([[values[0] - 1], values, [values[-1] + 1]])
        return cls(-(edges[:-1] + edges[1:]) / 2, np.concatenate([[0.0], found / found[-1]]))

    def rate_at(self, cut: float) -> float:
        """Share of what counts that is above a cut."""
        return float(self.rates[(self.cuts >= cut).sum() - 1]) if self.cuts[0] >= cut else 0.0

    def cut_for(self, rate: float) -> float:
        """The cut above which the share is nearest to a rate; of several the one nearest to 0."""
        off = np.abs(self.rates - rate)
        nearest = self.cuts[off <= off.min() + 1e-12]
        return float(nearest[np.argmin(np.abs(nearest))])


def shifts_by_id(
    layout: Layout, column: str, shifts: Mapping[str, float]
) -> tuple[int, dict[int, float]]:
    """Where a network reads a column, and the shift of each of its ids.

    Args:
      layout: What the network reads.
      column: A categorical column whose values the contract lists.
      shifts: By value; "" is the missing one.

    Returns:
      Its place in the `categorical` input, and the shifts by id.

    Raises:
      InputError: The network does not read the column.
    """
    names = [name for name, _ in layout.categorical]
    if column not in names:
        raise InputError(
            f"fairness.mitigation=thresholds: the models do not read {column}, which the feature "
            "selection dropped (see the feature report); set fairness.mitigation=none or min_diff"
        )
    at = names.index(column)
    first, values = layout.offsets.listed[at], layout.categorical[at][1]
    ids = {value: first + number for number, value in enumerate(values, 1)}
    ids[""] = first + 1 + len(values)
    return layout.numbers + at, {ids[n]: shift for n, shift in shifts.items() if n in ids}


def shifted(
    network: tf_keras.Model, inputs: ModelInputs, place: int, shifts: Mapping[int, float]
) -> tf_keras.Model:
    """The network, weights shared, with the logit of each row shifted by the id of one column.

    Args:
      network: Of two classes.
      inputs: Widths of its features.
      place: Of the column in `categorical`.
      shifts: By id; other ids are not shifted.
    """
    layers = tf_keras.layers
    table = np.zeros((inputs.ids, 1), np.float32)
    table[list(shifts), 0] = list(shifts.values())
    embedding = layers.Embedding(inputs.ids, 1, trainable=False, name=GROUP_SHIFT)
    logit = logits_of(network).output
    shift = embedding(network.input[CATEGORICAL])
    cropped = layers.Cropping1D((place, inputs.categorical - 1 - place), name="shift_of_row")
    answer = network.output.node.layer
    moved = layers.Add(name="shifted_logit")([logit, layers.Flatten(name="shift")(cropped(shift))])
    made = tf_keras.Model(
        network.input,
        layers.Activation(answer.activation, name=answer.name)(moved),
        name=network.name,
    )
    embedding.set_weights([table])
    return made


def thresholds_document(column: str, shifts: Mapping[str, float]) -> dict[str, Any]:
    """What `preprocessing.json` says of the shifts that the network has.

    Returns:
      `column`; `shifts` of the logit by value; `values`, the probabilities without a shift above
      which each is decided for the positive class.
    """
    logit = np.log(THRESHOLD / (1 - THRESHOLD))
    values = {name: float(1 / (1 + np.exp(shift - logit))) for name, shift in shifts.items()}
    return {"column": column, "shifts": dict(shifts), "values": values}
