"""What staging does to rows: ids, draws, the train/eval split, group columns, checks of labels."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.config import Config
from core.csv_text import shown
from core.errors import InputError
from core.names import ROW_ID
from core.sections.columns import Group
from pipeline.ingestion.tables import ColumnKinds


def with_row_ids(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """The table with `row_id` in front: `span-1:1` for the part's first row."""
    ids = [f"{part}:{number}" for number in range(1, len(table) + 1)]
    return pd.concat([pd.Series(ids, name=ROW_ID, dtype=object), table], axis=1)


def uniform(ids: Iterable[str], purpose: str, seed: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each id, float64 [rows]; it depends on id, purpose and seed alone."""
    salt = f"{purpose}:{seed}:".encode()
    digests = (hashlib.blake2b(salt + i.encode(), digest_size=8).digest() for i in ids)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.float64) / 2.0**64


def draw(
    train: pd.DataFrame, test: pd.DataFrame, rows: int | None, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draws `rows` rows in the natural proportion of the two parts, in their order.

    All rows where there are no more, or `rows` is None.
    """
    counts = drawn_counts(len(train), len(test), rows)
    return _lowest(train, counts[0], seed), _lowest(test, counts[1], seed)


def drawn_counts(train: int, test: int, rows: int | None) -> tuple[int, int]:
    """How many of the rows of the two parts are drawn."""
    total = train + test
    if rows is None or rows >= total:
        return train, test
    of_test = round(rows * test / total)
    return rows - of_test, of_test


def drawn_first(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """The `count` rows with the lowest places in the draw, in the order of the rows."""
    return np.sort(np.argsort(places, kind="stable")[:count])


def draw_places(ids: Iterable[str], seed: int) -> npt.NDArray[np.float64]:
    """The place of each row in the draw, float64 [rows]: the lowest are drawn."""
    return uniform(ids, "draw", seed)


def _lowest(table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    if count == len(table):
        return table
    chosen = drawn_first(draw_places(table[ROW_ID], seed), count)
    return table.iloc[chosen].reset_index(drop=True)


def in_eval(ids: Iterable[str], fraction: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are of the eval split, bool [rows]; a row keeps its side when spans are added."""
    return uniform(ids, "eval", seed) < fraction


def check_labels(
    table: Mapping[str, Sequence[str]], name: str, config: Config, must_have: bool, first: int = 1
) -> None:
    """Checks the label column of rows of one file; `first` is the number of the first.

    Raises:
        InputError: a value that is no class, or an empty cell where labels are needed: in the
            test part, and everywhere when labeling.mode is gold.
    """
    columns = config.columns
    cells = list(table[columns.label])
    for unknown in dict.fromkeys(cells):
        if unknown not in (*columns.classes, ""):
            raise InputError(
                f"{name}: row {first + cells.index(unknown)}, column '{columns.label}': "
                f"'{shown(unknown)}' is none of columns.classes: {_quoted(columns.classes)}"
            )
    if "" in cells and (must_have or config.labeling.mode == "gold"):
        why = "the test part" if must_have else "labeling.mode=gold"
        raise InputError(
            f"{name}: row {first + cells.index('')} has no label in column '{columns.label}': "
            f"{why} needs one in every row"
        )


def check_classes(rows_of: Mapping[str, int], part: str, config: Config) -> None:
    """Checks that the labelled rows of a part are of all classes, and enough for the gold budget.

    Without a budget (labeling.gold_rows=0) nobody needs to have labelled a training row.

    Args:
        rows_of: rows by label, those without one aside.
        part: what to call it.
        config: the configuration.

    Raises:
        InputError: they are not.
    """
    columns, labeling = config.columns, config.labeling
    found = {label: count for label, count in rows_of.items() if label and count}
    labelled = sum(found.values())
    budgeted = labeling.mode == "weak" and part != "the test part"
    if budgeted and labeling.gold_rows == 0:
        return
    if labelled == 0 or (budgeted and labelled < labeling.gold_rows):
        raise InputError(
            f"{part} has {labelled} rows with a label in column '{columns.label}', "
            f"labeling.gold_rows={labeling.gold_rows} are wanted; label more or lower it, "
            "down to 0 if people are to answer first (python -m pipeline to-label)"
        )
    if lacking := [name for name in columns.classes if name not in found]:
        of = f"'{next(iter(found))}'" if len(found) == 1 else f"one of {len(found)} classes"
        raise InputError(
            f"{part}: all {labelled} labelled rows have {of} in column '{columns.label}', none has "
            f"{_quoted(lacking)}; a model needs rows of each of columns.classes"
        )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{shown(name)}'" for name in names)


def check_rows(rows_of: Mapping[str, int]) -> None:
    """Checks that each split has rows.

    Raises:
        InputError: one has none.
    """
    for split, count in rows_of.items():
        if not count:
            raise InputError(
                f"no rows are left for the {split} split; raise data.rows or change "
                "data.eval_fraction"
            )


def groups(
    table: Mapping[str, list[str]], config: Config, columns: ColumnKinds
) -> dict[str, list[str]]:
    """The cells of the group columns; an unknown value belongs to no group."""
    derived = {}
    for name, group in config.columns.groups.items():
        labels = group_labels(group, whole=columns.kinds[group.column] == "INT")
        cells = table[group.column]
        label_of = {
            cell: labels[np.searchsorted(group.bounds, float(cell), "right")] if cell else ""
            for cell in set(cells)
        }
        derived[name] = [label_of[cell] for cell in cells]
    return derived


def group_labels(group: Group, whole: bool) -> list[str]:
    """Names of the intervals: `<25`, `25-34`, `65+`; `25 to <35` where values are not whole."""
    inner = [
        f"{low:g}-{high - 1:g}" if whole else f"{low:g} to <{high:g}"
        for low, high in zip(group.bounds, group.bounds[1:], strict=False)
    ]
    return [f"<{group.bounds[0]:g}", *inner, f"{group.bounds[-1]:g}+"]
