"""By what the results of a new data set are sliced: what says who people are, what is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import InputError
from core.raw_table import CATEGORY, NUMBERS, Column
from core.sections.columns import Group
from pipeline.init import header_words
from pipeline.init.kinds.seen import Seen
from pipeline.init.looking import SHOWN_HEADERS, Looked

MOST_SLICE_VALUES = 8  # of a category that is proposed
MOST_ASKED_VALUES = 50  # of one that its owner names
PROPOSED = 4
_QUARTILES = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Slices:
    """What results are sliced by.

    columns: categories and groups.
    groups: bounds of the groups that numbers are put into, as `columns.groups` has them.
    """

    columns: tuple[str, ...]
    groups: Mapping[str, Group]


def propose(looked: Looked, table: Mapping[str, Sequence[str]]) -> tuple[Slices, list[str]]:
    """Slices by columns that are about who people are, and by those that were asked for.

    Args:
        looked: what the columns are.
        table: cells by column, in the pipeline's form.

    Returns:
        The slices, and notes about them.

    Raises:
        InputError: by a column that was asked for nothing can be sliced.
    """
    seen = {each.header: each for each in looked.seen}
    taken = {column.header: column for column in looked.source.columns}
    groups: dict[str, Group] = {}
    names: list[str] = []
    for header in looked.request.slices:
        column = taken.get(header)
        if column is not None and column.kind in NUMBERS:
            group = _group(column, table)
            names.append(_free(f"{column.name}_group", table))
            groups[names[-1]] = group
        else:
            names.append(_category(header, column, seen[header]))
    about_people = [c for c in taken.values() if header_words.is_sensitive(c.header)]
    few = [
        column.name
        for column in about_people
        if column.kind == CATEGORY and 2 <= len(seen[column.header].values) <= MOST_SLICE_VALUES
    ]
    proposed = [name for name in few if name not in names][:PROPOSED]
    notes = []
    if about_people:
        known = ", ".join(column.name for column in about_people[:SHOWN_HEADERS])
        of_numbers = {group.column: name for name, group in groups.items()}
        by_name = {name: name for name in (*names, *proposed)} | of_numbers
        sliced = [by_name[c.name] for c in about_people if c.name in by_name]
        by = f"results are sliced by {', '.join(sliced)}" if sliced else "none is sliced by"
        notes.append(
            f"about who people are, by their names: {known}; {by} (evaluation.slices, "
            "columns.groups; more: --slice COLUMN)"
        )
    return Slices(tuple(dict.fromkeys((*names, *proposed))), groups), notes


def _category(header: str, column: Column | None, seen: Seen) -> str:
    """Name of a category to slice by.

    Raises:
        InputError: it is none, or has too many values.
    """
    if column is None:
        raise InputError(
            f"--slice {header}: the column is left out ({seen.why}); take it over with "
            f"--kind '{header}=category', or name another one"
        )
    if column.kind != CATEGORY:
        raise InputError(
            f"--slice {header}: a {column.kind} has too many values to slice by ({seen.why}); add "
            "a column that groups them to the file, and name that"
        )
    if len(seen.values) > MOST_ASKED_VALUES:
        raise InputError(
            f"--slice {header}: {len(seen.values)} values are too many to slice by, "
            f"{MOST_ASKED_VALUES} at most; add a column that groups them to the file, and name that"
        )
    return column.name


def _group(column: Column, table: Mapping[str, Sequence[str]]) -> Group:
    """Groups of a number of about equal size.

    Raises:
        InputError: it has one value in nearly all rows.
    """
    numbers = np.array([float(cell) for cell in table[column.name] if cell])
    cuts = np.quantile(numbers, _QUARTILES, method="nearest").tolist()
    rounded = sorted({float(f"{cut:.3g}") for cut in cuts})
    bounds = tuple(cut for cut in rounded if numbers.min() < cut <= numbers.max())
    if not bounds:
        raise InputError(
            f"--slice {column.header}: nearly all numbers are {numbers.min():g}, there are no "
            "groups of them; name another column"
        )
    return Group(column=column.name, bounds=bounds)


def _free(name: str, table: Mapping[str, Sequence[str]]) -> str:
    while name in table:
        name += "_"
    return name
