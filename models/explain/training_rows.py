"""What explanations of single rows go by: some training rows, and the values that columns have.

It is kept as JSON beside a pushed version, so that `explain` and a server need no training data.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import InputError, first_problem
from core.files import write_atomically
from models.explain.coding import Cells, cells_of, missing_is_none

Value = int | float | str | None
_LEVELS = (0.01, *(step / 20 for step in range(1, 20)), 0.99)
_MOST_VALUES = 50  # of a column of categories, by frequency
_FEW_VALUES = 10  # which are categories, however few the rows are
_MOST_LINKED = 100  # values of columns that say the same; a column of more is no name of another


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Linked(_Kept):
    """Columns that say the same: each value of one goes with one value of the others.

    Attributes:
      columns: At least two.
      values: The values that go together, in the order of the columns.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[Value, ...], ...]


class TrainingRows(_Kept):
    """What is kept of the training rows.

    Attributes:
      background: Rows that stand for what is unknown, by column; null where a cell is missing.
      quantiles: Of number columns: values at even shares of the rows, ascending.
      shares: Of columns of categories: the share of the rows by value, missing ones left out.
      linked: Columns that say the same.
    """

    format: Literal[1] = 1
    background: dict[str, tuple[Value, ...]]
    quantiles: dict[str, tuple[float, ...]]
    shares: dict[str, dict[str, float]]
    linked: tuple[Linked, ...] = ()

    def rows_for(self, numbers: Sequence[str], texts: Sequence[str]) -> Cells:
        """The background for a model of these columns.

        Raises:
          InputError: It lacks one of them.
        """
        for name in (*numbers, *texts):
            if name not in self.background:
                raise InputError(
                    f"the training rows that were kept lack column '{name}'; run the pipeline again"
                )
        return cells_of(numbers, texts, self.background)

    def rank(self, column: str, values: np.ndarray) -> np.ndarray:
        """The share of the training rows below each number of a column: [values]; NaN for none."""
        known = np.array(self.quantiles.get(column, ()))
        if not len(known):
            return np.zeros(len(values))
        less = np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")
        return np.where(np.isnan(values), np.nan, less / (2.0 * len(known)))


def describe(cells: Cells, background: int, seed: int) -> TrainingRows:
    """What is kept of training rows.

    Args:
      cells: Training rows, at least one.
      background: How many of them stand for what is unknown; fewer where there are fewer.
      seed: Of their draw.
    """
    draw = np.random.default_rng(seed).permutation(cells.count)[:background]
    kept = cells.take(np.sort(draw))
    columns = {name: cells.column(at) for at, name in enumerate(cells.names)}
    shares = {name: _shares(columns[name]) for name in cells.text_names}
    return TrainingRows(
        background={
            name: tuple(missing_is_none(value) for value in kept.column(at))
            for at, name in enumerate(cells.names)
        },
        quantiles={name: _quantiles(columns[name]) for name in cells.number_names},
        shares={name: found for name, found in shares.items() if found},
        linked=tuple(_linked(columns)),
    )


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    known = values[~np.isnan(values)]
    if not len(known):
        return ()
    found: list[float] = np.quantile(known, _LEVELS, method="nearest").tolist()
    return tuple(found)


def _shares(values: np.ndarray) -> dict[str, float]:
    """The share of the most frequent values; none where nearly every row has its own."""
    found, counts = np.unique(values, return_counts=True)
    if len(found) > max(_FEW_VALUES, len(values) / 2):
        return {}
    order = [at for at in np.argsort(-counts, kind="stable") if found[at] != ""]
    return {str(found[at]): float(counts[at] / len(values)) for at in order[:_MOST_VALUES]}


def _linked(columns: Mapping[str, np.ndarray]) -> Iterator[Linked]:
    """Groups of columns that say the same; nearly every row having its own says nothing."""
    codes: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        _, code = np.unique(values, return_inverse=True)
        if 1 < code.max(initial=0) + 1 <= min(_MOST_LINKED, len(values) / 2):
            codes[name] = code
    left = [*codes]
    while left:
        first, *others = left
        distinct = codes[first].max() + 1
        same = [n for n in others if codes[n].max() + 1 == distinct]
        same = [n for n in same if len(np.unique(codes[first] * distinct + codes[n])) == distinct]
        left = [name for name in others if name not in same]
        if same:
            group = (first, *same)
            _, at = np.unique(codes[first], return_index=True)
            rows = [tuple(missing_is_none(columns[n][row]) for n in group) for row in at]
            yield Linked(columns=group, values=tuple(rows))


def write_training_rows(path: Path, rows: TrainingRows) -> None:
    """Writes them as JSON."""
    values = rows.model_dump(mode="json")
    write_atomically(path, json.dumps(values, ensure_ascii=False, allow_nan=False))


def read_training_rows(path: Path) -> TrainingRows | None:
    """Reads them; None where there is no such file.

    Raises:
      InputError: It is not what `write_training_rows` writes.
    """
    try:
        return TrainingRows.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise InputError(f"{path}: not training rows that were kept: {first_problem(error)}") from (
            error
        )
