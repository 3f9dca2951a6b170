"""Which values of the model inputs come from one raw column."""

import dataclasses

from models.network.layout import Layout
from models.network.preprocessing import ModelInputs


@dataclasses.dataclass(frozen=True)
class ColumnPlaces:
    """Where a raw column stands in the inputs of a network: numbers of columns of each input."""

    numeric: tuple[int, ...] = ()
    categorical: tuple[int, ...] = ()
    tokens: tuple[int, ...] = ()


def places_of(layout: Layout, inputs: ModelInputs) -> tuple[ColumnPlaces, ...]:
    """The places of each column, numeric columns first, then as in `Layout.columns`.

    Args:
      layout: The columns that are left after feature selection.
      inputs: Widths of the features. `numeric` holds one value of each number, or several times one
        of each, in the same order.
    """
    numbers, offsets = layout.numbers, layout.offsets

    def of_number(number: int) -> tuple[int, ...]:
        return tuple(range(number, inputs.numeric, numbers))

    place = iter(range(len(offsets.numbers), layout.categories))
    found = [ColumnPlaces(of_number(n), (n,)) for n in range(len(layout.numeric))]
    found += [ColumnPlaces(categorical=(next(place),)) for _ in layout.categorical]
    for n, date in enumerate(layout.dates, len(layout.numeric)):
        found.append(ColumnPlaces(of_number(n), (n, *(next(place) for _ in date.parts))))
    if layout.hashed is not None:
        found += [ColumnPlaces(categorical=(next(place),)) for _ in layout.hashed.columns]
    for text in range(inputs.text):
        found.append(ColumnPlaces(tokens=_from(text * inputs.tokens, inputs.tokens)))
    return tuple(found)


def _from(first: int, count: int) -> tuple[int, ...]:
    return tuple(range(first, first + count))
