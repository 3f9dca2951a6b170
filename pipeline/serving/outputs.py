"""What a model answers, as the protocols tell it: outputs by name, as its signatures have them.

With two classes one output, `probability`, [rows, 1]; with K > 2 `probabilities` and `classes`,
[rows, K], and `class`, the most probable one, [rows, 1].
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from core.answers import decided

PROBABILITY = "probability"
PROBABILITIES, CLASSES, CLASS = "probabilities", "classes", "class"


class Output(NamedTuple):
    """An output; `values` are row after row, float32 or a list of str."""

    name: str
    is_text: bool
    width: int
    values: Any


def names_of(classes: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the outputs of a model; `classes` as in `ServedModel`."""
    return (PROBABILITY,) if classes is None else (PROBABILITIES, CLASSES, CLASS)


def widths_of(classes: Sequence[str] | None) -> dict[str, int]:
    """Values a row of each output."""
    count = 1 if classes is None else len(classes)
    return {name: 1 if name == CLASS else count for name in names_of(classes)}


def outputs_of(answers: np.ndarray, classes: Sequence[str] | None) -> list[Output]:
    """The outputs for answers as `ServedModel` gives them."""
    if classes is None:
        return [Output(PROBABILITY, False, 1, answers)]
    return [
        Output(PROBABILITIES, False, len(classes), answers.reshape(-1)),
        Output(CLASSES, True, len(classes), [*classes] * len(answers)),
        Output(CLASS, True, 1, chosen(answers, classes)),
    ]


def chosen(answers: np.ndarray, classes: Sequence[str]) -> list[str]:
    """The class of each row that is answered; `classes` by their codes."""
    return [classes[code] for code in decided(answers)]


def by_row(answers: np.ndarray, classes: Sequence[str] | None) -> Any:
    """Answers as `predictions` of the row format."""
    if classes is None:
        return answers[:, np.newaxis]
    names = [*classes]
    return [
        {PROBABILITIES: shares, CLASSES: names, CLASS: name}
        for shares, name in zip(answers, chosen(answers, classes), strict=True)
    ]


def by_output(answers: np.ndarray, classes: Sequence[str] | None) -> Any:
    """Answers as `outputs` of the column format."""
    if classes is None:
        return answers[:, np.newaxis]
    return {
        PROBABILITIES: answers,
        CLASSES: [[*classes]] * len(answers),
        CLASS: chosen(answers, classes),
    }


def check_classes(has: Sequence[str] | None, wanted: Sequence[str]) -> None:
    """Whether a model's classes are the configuration's; two classes have no names in a model.

    Args:
      has: `ServedModel.classes`.
      wanted: Names of the configuration's classes by their codes.

    Raises:
      ValueError: They are others, or in another order.
    """
    if tuple(has or wanted[:2]) != tuple(wanted):
        raise ValueError(
            f"its classes are {', '.join(has) if has else 'two'}, columns.classes names "
            f"{', '.join(wanted)}; it needs the configuration that it was trained with"
        )
