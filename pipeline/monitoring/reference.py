"""What a version was measured on: the test rows of its run, labels, and its answers to them."""

import csv
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.config import Config
from core.targets import TARGETS
from pipeline.ingestion import rows
from pipeline.ingestion.contract import raw_columns, slice_columns
from pipeline.metadata.executions import Execution
from pipeline.run.environment import prepare
from pipeline.serving.contract import read_columns
from pipeline.serving.outputs import check_classes
from pipeline.versions.served import Version

_BATCH_ROWS = 4096


@dataclass(frozen=True)
class Reference:
    """Test rows.

    Attributes:
      columns: Columns that rows are sliced by and calibrated with, each [rows] of str.
      labels: bool [rows]; of more than two classes their codes, int64 [rows].
      answers: Of the version, float64 [rows], or [rows, K].
    """

    columns: dict[str, np.ndarray]
    labels: np.ndarray
    answers: np.ndarray


class UnknownError(Exception):
    """What is looked for cannot be known; the text says why."""


def staged_test_rows(executions: Sequence[Execution]) -> Path:
    """The file of test rows that a run read, labels included.

    Raises:
        UnknownError: nothing says where it is, or it is gone.
    """
    for execution in executions:
        if folder := execution.properties.get("input_base"):
            path = Path(str(folder)) / "test" / "data.csv"
            if path.is_file():
                return path
            raise UnknownError(f"the test rows of its run are gone from {path.parent}")
    raise UnknownError("nothing says what its run was tested on")


def read(path: Path, config: Config, version: Version) -> Reference:
    """Reads test rows, and asks a version about them.

    Raises:
        UnknownError: they are not of this configuration, or the version cannot be asked.
    """
    with open(path, encoding="utf-8", newline="") as file:
        header, *cells = csv.reader(file)
    table = pd.DataFrame(cells, columns=header, dtype=str)
    label = config.columns.label
    if label not in table:
        raise UnknownError(f"{path} has no column '{label}'")
    table = table[table[label] != ""].reset_index(drop=True)
    try:
        answers = ask(version.target, version.path, table, config.columns.names)
    except (OSError, KeyError, ValueError) as error:
        raise UnknownError(
            f"version {version.version} does not answer its test rows: {error}"
        ) from error
    return Reference(group_columns(table, config), _labels(table[label], config), answers)


def ask(target: str, folder: Path, table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """A version's answers to rows of text cells, as of `Reference`; "" where a value is missing.

    Raises:
        KeyError: a column lacks that the model takes.
        ValueError: its classes are others.
    """
    if target == "server":
        prepare()
    model = importlib.import_module(TARGETS[target].loader).load(folder)  # loads TensorFlow
    check_classes(model.classes, classes)
    numbers = np.empty((len(table), len(model.numbers)))
    for at, name in enumerate(model.numbers):
        numbers[:, at] = pd.to_numeric(table[name].where(table[name] != ""))
    texts = table[list(model.texts)].to_numpy(object)
    parts = [
        model.answer(numbers[at : at + _BATCH_ROWS], texts[at : at + _BATCH_ROWS])
        for at in range(0, len(table), _BATCH_ROWS)
    ]
    if not parts:
        return np.zeros(0 if model.classes is None else (0, len(model.classes)))
    return np.concatenate(parts).astype(np.float64)


def _labels(labels: pd.Series, config: Config) -> np.ndarray:
    """Labels as of `Reference`."""
    if config.columns.is_binary:
        return (labels == config.columns.positive).to_numpy()
    codes = {name: code for code, name in enumerate(config.columns.names)}
    for name in labels.unique():
        if name not in codes:
            raise UnknownError(f"the test rows have the label '{name}', columns.classes has not")
    return labels.map(codes).to_numpy(np.int64)


def group_columns(table: pd.DataFrame, config: Config) -> dict[str, np.ndarray]:
    """Columns that evaluation slices by, and categorical ones, as far as `table` has them.

    Of those without a domain each value has too few rows to tell anything: they are left out.
    """
    cells: Mapping[str, list[str]] = {column: list(table[column]) for column in table}
    try:
        derived = rows.groups(cells, config, raw_columns(config))
    except KeyError:
        derived = {}
    found = {**cells, **derived}
    contract = read_columns(config.schema_path, config.columns.dates)
    listed = (column for column in config.columns.categorical if contract[column].is_bounded)
    wanted = dict.fromkeys((*slice_columns(config), *listed))
    return {column: np.array(found[column], object) for column in wanted if column in found}
