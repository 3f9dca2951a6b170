"""From the folder of a version to who answers: loaded, checked, and warm."""

import importlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from core.config import Config
from core.targets import TARGETS
from core.version_record import version_damage
from models.export.served import ServedModel
from pipeline.explaining.version import load_explainer
from pipeline.serving.batching import Batcher
from pipeline.serving.contract import ServedColumn
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.outputs import check_classes
from pipeline.serving.rows import RowChecker
from pipeline.serving.versions import Servable, ask_columns

_WARM_UP_ROWS = (1, 8)  # and a full batch
_ROUNDED = 1 / 128  # each share of a quantized model is rounded, so they sum to 1 but for that


@dataclass(frozen=True)
class Loader:
    """Loads versions of a target."""

    target: str
    contract: dict[str, ServedColumn]
    config: Config
    metrics: ServingMetrics

    def __call__(self, version: int, folder: Path) -> Servable:
        """Loads a version and has it answer its warm-up.

        Raises:
          ValueError: A file is not as it was pushed, it tells other classes apart than the
            configuration, or its answers are no probabilities.
        """
        if damage := version_damage(folder):
            raise ValueError(damage)
        module = importlib.import_module(TARGETS[self.target].loader)
        model: ServedModel = module.load(folder)
        check_classes(model.classes, self.config.columns.names)
        serving = self.config.serving
        refuse = serving.out_of_domain == "refuse"
        checker = RowChecker(self.contract, model.numbers, model.texts, refuse, serving.max_rows)
        warm_up(model, checker, (*_WARM_UP_ROWS, serving.batch_rows))
        bounds = (serving.batch_rows, serving.batch_wait_ms / 1000, self.metrics.batches.observe)
        by_examples = Batcher(model.answer_examples, *bounds) if model.takes_examples else None
        explainer = partial(load_explainer, self.target, folder, self.contract, self.config)
        by_columns = Batcher(ask_columns(model), *bounds)
        return Servable(version, model, checker, by_columns, by_examples, explainer)


def warm_up(model: ServedModel, checker: RowChecker, sizes: Sequence[int]) -> None:
    """Has a model answer batches of some sizes, so that no client waits for first times.

    The rows are made from the contract: first values of the domains, and nothing at all.

    Raises:
      ValueError: An answer is no probability.
    """
    columns = {column.name: column for column in checker.columns()}
    lowest = [columns[name].low for name in model.numbers]
    numbers = tuple(low if math.isfinite(low) else 0.0 for low in lowest)
    texts = tuple((columns[name].values or ("text",))[0] for name in model.texts)
    nothing = (math.nan,) * len(numbers), ("",) * len(texts)
    ask = ask_columns(model)
    for size in sizes:
        answers = ask([(numbers, texts), nothing][:size] + [(numbers, texts)] * (size - 2))
        shape = (size,) if model.classes is None else (size, len(model.classes))
        if answers.shape != shape or not _are_probabilities(answers):
            raise ValueError(f"its warm-up answered {answers[:3]}, which are no probabilities")
    if model.takes_examples:
        model.answer_examples([b""])


def _are_probabilities(answers: np.ndarray) -> bool:
    inside = bool(((answers >= 0) & (answers <= 1)).all())
    if answers.ndim == 1:
        return inside
    off = abs(answers.sum(axis=1) - 1)
    return inside and bool((off < _ROUNDED * answers.shape[1]).all())
