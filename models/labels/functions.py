"""Labelling functions of a module, and the draw of the rows whose true label may be seen."""

import hashlib
import heapq
import importlib
from collections.abc import Hashable, Mapping, Sequence
from types import ModuleType
from typing import Any, TypeVar

from snorkel.labeling import LabelingFunction

from core.errors import InputError
from core.names import BOTH
from models.labels import voting

Item = TypeVar("Item", bound=Hashable)
Row = Mapping[str, Any]  # column name to number, text, or None where it is missing


def load(module_name: str) -> list[LabelingFunction]:
    """The labelling functions of the module with this dotted name.

    Raises:
      InputError: It cannot be imported, or `collect` finds fault with it.
    """
    try:
        module = importlib.import_module(module_name)
    except SyntaxError as error:
        where = f"{error.filename}:{error.lineno}: {(error.text or '').strip()}"
        raise InputError(f"{module_name}: not Python: {error.msg} ({where})") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit() would end the process without a word
        raise InputError(
            f"{module_name}: cannot be imported: {type(error).__name__}: {error} "
            f"({voting.last_statement(error)})"
        ) from error
    return collect(module)


def collect(module: ModuleType) -> list[LabelingFunction]:
    """Every Snorkel labelling function of a module, in the order of definition.

    Raises:
      InputError: There is none, or two have the same name.
    """
    functions = list(
        {id(f): f for f in vars(module).values() if isinstance(f, LabelingFunction)}.values()
    )
    if not functions:
        raise InputError(
            f"{module.__name__}: no labelling function; decorate functions with "
            "@labeling_function() from snorkel.labeling"
        )
    names = [function.name for function in functions]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{module.__name__}: two labelling functions are called '{name}'")
    return functions


def draw_order(seed: int, row_id: str) -> int:
    """A row's place in the seeded draw of gold rows: the lowest are drawn.

    It depends on nothing but its arguments, neither on the order of rows nor on how they are split.
    """
    digest = hashlib.blake2b(f"{seed}:{row_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def draw(seed: int, row_ids: Sequence[str], count: int) -> list[tuple[int, int]]:
    """The `count` rows that are drawn first: place in the draw and index into `row_ids`."""
    return heapq.nsmallest(count, ((draw_order(seed, row_ids[n]), n) for n in range(len(row_ids))))


def of_all_classes(
    drawn: Sequence[Item], first: Sequence[Sequence[Item]], of_class: int
) -> tuple[list[Item], list[Item]]:
    """A draw that holds rows of all classes: those drawn at random, and those for their class.

    Where a class is rare, the last of the random draw give way to its next rows. What is left is
    still a random draw, and what is measured is measured on it.

    Args:
      drawn: The random draw, in its order.
      first: Of each class those that come first in the order of the draw.
      of_class: Rows of each class, at least; of all classes no more than half of the draw.
    """
    wanted, given = min(of_class, len(drawn) // (2 * max(1, len(first)))), 0
    class_of = {item: kind for kind, items in enumerate(first) for item in items}
    while True:
        kept = list(drawn[: len(drawn) - given])
        held, extra = set(kept), list[Item]()
        for kind, items in enumerate(first):
            missing = wanted - sum(class_of.get(item) == kind for item in kept)
            extra += [item for item in items if item not in held][: max(0, missing)]
        if len(extra) <= given:
            return kept, extra
        given = len(extra)


def columns_read(
    functions: Sequence[LabelingFunction], rows: Sequence[Row], classes: Sequence[str] = BOTH
) -> list[str]:
    """The columns that functions look at to vote on rows, in the order of the rows' columns.

    All of them behind a preprocessor that copies the row; all of them if none is seen.
    """
    voter, seen = voting.Voter(functions, classes), set[str]()
    for row in rows:
        seen |= voter.columns_read(row)
    columns = list(rows[0]) if rows else []
    return [column for column in columns if column in seen] or columns
