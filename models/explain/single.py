"""A row explained: what each column adds to its answer, and what would change the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.answers import decided
from models.explain.actions import Action, Allowed, actions_of, choices_of
from models.explain.coding import Cells, CodedModel, Coding, missing_is_none
from models.explain.counterfactuals import Counterfactual, CounterfactualSearch
from models.explain.shapley import Attributions, by_permutations
from models.explain.training_rows import TrainingRows
from models.export.served import ServedModel

SCALE = "probability"
"""What is explained: the probability of the positive class, or of more than two that of each."""

_PERMUTATIONS = 5  # of a row
_ANSWERS = 50_000  # for a row; of many columns there are fewer permutations
_DIGITS = 9  # of what is told: sums of rounded attributions stay within 1e-7 of the answer


@dataclass(frozen=True)
class RowExplainer:
    """Explains rows of one model.

    Attributes:
      model: Who is asked; nobody else asks it meanwhile.
      training: What is known of the training rows.
      classes: By their codes.
      actionable: Columns that counterfactuals may change; those the model does not take are left
        out.
      allowed: The contract's ranges and domains by column.
      seed: Of the permutations.
    """

    model: ServedModel
    training: TrainingRows
    classes: tuple[str, ...]
    actionable: tuple[str, ...]
    allowed: Mapping[str, Allowed]
    seed: int

    @property
    def changeable(self) -> tuple[str, ...]:
        """Columns that counterfactuals may change and the model takes."""
        names = (*self.model.numbers, *self.model.texts)
        return tuple(name for name in self.actionable if name in names)

    def attributions(self, cells: Cells) -> Attributions:
        """What each column adds to the answers of rows.

        Raises:
          InputError: The kept training rows lack a column.
          ValueError: An answer is not a number.
        """
        background = self.training.rows_for(cells.number_names, cells.text_names)
        coding = Coding([cells, background])
        ask = CodedModel(self.model, coding)
        codes = coding.encode(background)
        most = _ANSWERS // (2 * len(cells.names) * len(codes))
        permutations = max(1, min(_PERMUTATIONS, most))
        return by_permutations(ask, coding.encode(cells), codes, permutations, self.seed)

    def counterfactuals(
        self, cells: Cells, count: int, wanted: int | None = None
    ) -> list[list[dict[str, Any]]]:
        """For each row the smallest changes that change the decision, as JSON values.

        Args:
          cells: Rows.
          count: Of one row, at most.
          wanted: Code of the class to reach; None: any other.
        """
        coding, actions = self.changes_of(cells)
        codes = coding.encode(cells)
        ask = CodedModel(self.model, coding)
        found = CounterfactualSearch(ask, actions, wanted).find(codes, count)
        return [
            [self._change(coding, row, one) for one in of_row]
            for row, of_row in zip(codes, found, strict=True)
        ]

    def changes_of(self, cells: Cells) -> tuple[Coding, list[Action]]:
        """What may be changed of rows, and the codes of these rows and of all values to be had."""
        choices = choices_of(self.changeable, self.allowed, self.training)
        more: dict[str, list[object]] = {}
        for columns, values in choices:
            for at, name in enumerate(columns):
                more.setdefault(name, []).extend(value[at] for value in values)
        coding = Coding([cells], more)
        return coding, actions_of(choices, coding, self.training)

    def told(self, attributions: Attributions, names: Sequence[str]) -> list[dict[str, Any]]:
        """Attributions of rows as JSON values.

        Args:
          attributions: Of the rows.
          names: Columns, in the order of `attributions`.
        """
        of_class = decided(attributions.answers)
        return [
            {
                "class": self.classes[of_class[row]],
                "answer": self.number(attributions.answers[row]),
                "base_value": self.number(attributions.base),
                "attributions": {
                    name: self.number(attributions.values[row, at]) for at, name in enumerate(names)
                },
            }
            for row in range(len(attributions.answers))
        ]

    def shown(self, cells: Cells, row: int) -> dict[str, Any]:
        """A row as JSON values by column."""
        return {name: missing_is_none(cells.column(at)[row]) for at, name in enumerate(cells.names)}

    def number(self, outputs: np.ndarray) -> Any:
        """Outputs [1] as a number; [K] by class."""
        if len(outputs) == 1:
            return round(float(outputs[0]), _DIGITS)
        rounded = (round(float(value), _DIGITS) for value in outputs)
        return dict(zip(self.classes, rounded, strict=True))

    def _change(self, coding: Coding, row: np.ndarray, found: Counterfactual) -> dict[str, Any]:
        before, after = coding.decode(row[np.newaxis]), coding.decode(found.codes[np.newaxis])
        changes = {
            coding.names[at]: {
                "from": missing_is_none(before.column(at)[0]),
                "to": missing_is_none(after.column(at)[0]),
            }
            for at in found.changed
        }
        decision = self.classes[int(decided(found.answer[np.newaxis])[0])]
        return {
            "changes": changes,
            "class": decision,
            "answer": self.number(found.answer),
            "distance": round(found.distance, _DIGITS),
        }
