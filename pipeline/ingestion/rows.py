"""What staging does to rows: ids, draws, the train/eval split, group columns, checks of labels."""

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from core.config import Config
from core.errors import InputError
from core.names import ROW_ID
from core.sections import Group
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
    total = len(train) + len(test)
    if rows is None or rows >= total:
        return train, test
    of_test = round(rows * len(test) / total)
    return _lowest(train, rows - of_test, seed), _lowest(test, of_test, seed)


def _lowest(table: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    order = np.argsort(uniform(table[ROW_ID], "draw", seed), kind="stable")
    return table.iloc[np.sort(order[:count])].reset_index(drop=True)


def in_eval(ids: pd.Series, fraction: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows are of the eval split, bool [rows]; a row keeps its side when spans are added."""
    return uniform(ids, "eval", seed) < fraction


def check_labels(table: pd.DataFrame, name: str, config: Config, must_have: bool) -> None:
    """Checks the label column of one file.

    Raises:
        InputError: a value that is neither class, or an empty cell where labels are needed: in the
            test part, and everywhere when labeling.mode is gold.
    """
    columns = config.columns
    cells = table[columns.label]
    known = (columns.positive, columns.negative, "")
    unknown = np.array([cell not in known for cell in cells])
    if unknown.any():
        row = int(unknown.argmax())
        raise InputError(
            f"{name}: row {row + 1}, column '{columns.label}': '{cells.iloc[row]}' is neither "
            f"'{columns.positive}' (columns.positive) nor '{columns.negative}' (columns.negative)"
        )
    empty = (cells == "").to_numpy()
    if empty.any() and (must_have or config.labeling.mode == "gold"):
        why = "the test part" if must_have else "labeling.mode=gold"
        raise InputError(
            f"{name}: row {int(empty.argmax()) + 1} has no label in column '{columns.label}': "
            f"{why} needs one in every row"
        )


def check_classes(table: pd.DataFrame, part: str, config: Config) -> None:
    """Checks that the labelled rows of a part are of both classes, and enough for the gold budget.

    Without a budget (labeling.gold_rows=0) nobody needs to have labelled a training row.

    Raises:
        InputError: they are not.
    """
    columns, labeling = config.columns, config.labeling
    labels = table.loc[table[columns.label] != "", columns.label]
    budgeted = labeling.mode == "weak" and part != "the test part"
    if budgeted and labeling.gold_rows == 0:
        return
    if len(labels) == 0 or (budgeted and len(labels) < labeling.gold_rows):
        raise InputError(
            f"{part} has {len(labels)} rows with a label in column '{columns.label}', "
            f"labeling.gold_rows={labeling.gold_rows} are wanted; label more or lower it, "
            "down to 0 if people are to answer first (python -m pipeline to-label)"
        )
    if labels.nunique() == 1:
        raise InputError(
            f"{part}: all {len(labels)} labelled rows have '{labels.iloc[0]}' in column "
            f"'{columns.label}'; a model needs rows of both classes, '{columns.positive}' and "
            f"'{columns.negative}'"
        )


def check_rows(table: pd.DataFrame, split: str) -> None:
    """Checks that a split has rows.

    Raises:
        InputError: it has none.
    """
    if table.empty:
        raise InputError(
            f"no rows are left for the {split} split; raise data.rows or change data.eval_fraction"
        )


def with_groups(table: pd.DataFrame, config: Config, columns: ColumnKinds) -> pd.DataFrame:
    """The table with the group columns at the end; an unknown value belongs to no group."""
    derived = {}
    for name, group in config.columns.groups.items():
        labels = group_labels(group, whole=columns.kinds[group.column] == "INT")
        cells = table[group.column]
        numbers = {c: np.searchsorted(group.bounds, float(c), "right") for c in cells.unique() if c}
        derived[name] = cells.map({c: labels[place] for c, place in numbers.items()} | {"": ""})
    return table.assign(**derived)


def group_labels(group: Group, whole: bool) -> list[str]:
    """Names of the intervals: `<25`, `25-34`, `65+`; `25 to <35` where values are not whole."""
    inner = [
        f"{low:g}-{high - 1:g}" if whole else f"{low:g} to <{high:g}"
        for low, high in zip(group.bounds, group.bounds[1:], strict=False)
    ]
    return [f"<{group.bounds[0]:g}", *inner, f"{group.bounds[-1]:g}+"]
