"""A pushed version that explains its answers: its model, and the training rows that lie with it."""

import importlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from core.config import Config
from core.errors import InputError
from core.names import TRAINING_ROWS_FILE
from core.targets import TARGETS
from models.explain.actions import Allowed
from models.explain.coding import Cells
from models.explain.single import RowExplainer
from models.explain.training_rows import read_training_rows
from models.export.served import ServedModel
from pipeline.serving.contract import ServedColumn
from pipeline.serving.outputs import check_classes
from pipeline.serving.rows import RequestRows


def load_explainer(
    target: str, folder: Path, contract: Mapping[str, ServedColumn], config: Config
) -> RowExplainer:
    """Loads a version for its explanations alone: one thread at a time may ask an edge model.

    Args:
      target: Its target.
      folder: Of the version.
      contract: Columns by name.
      config: The configuration.

    Raises:
      InputError: No training rows lie with it, or it tells other classes apart than the
        configuration.
    """
    training = read_training_rows(folder / TRAINING_ROWS_FILE)
    if training is None:
        raise InputError(
            f"{target}: version {folder.name} has no {TRAINING_ROWS_FILE}, so nothing stands for a "
            "column that is unknown; a run with explain.keep_rows=true pushes a version that has it"
        )
    model = importlib.import_module(TARGETS[target].loader).load(folder)
    try:
        check_classes(model.classes, config.columns.names)
    except ValueError as error:
        raise InputError(f"{target} version {folder.name}: {error}") from error
    allowed = {
        name: Allowed(column.low, column.high, column.values) for name, column in contract.items()
    }
    return RowExplainer(
        model, training, config.columns.names, config.explain.actionable, allowed, config.seed
    )


def cells_of_rows(rows: RequestRows, model: ServedModel) -> Cells:
    """Rows that were checked for a model, in its order of columns."""
    texts = np.empty((rows.count, len(model.texts)), object)
    if model.texts:
        texts[:] = rows.texts
    numbers = np.array(rows.numbers, np.float64).reshape(rows.count, len(model.numbers))
    return Cells(model.numbers, model.texts, numbers, texts)
