"""Asking a version about rows of text cells."""

import dataclasses
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from pipeline.monitoring import reference


@dataclasses.dataclass
class Asked:
    """A model of one number and one text, which answers whether the number is missing."""

    numbers = ("age",)
    texts = ("job",)
    classes = None

    def answer(self, numbers: np.ndarray, texts: np.ndarray) -> np.ndarray:
        assert texts.tolist() == [["cook"], [""], ["clerk"]]
        return np.isnan(numbers[:, 0]).astype(np.float32)


def test_an_empty_cell_is_a_missing_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loader = ModuleType("loader")
    loader.load = lambda folder: Asked()  # type: ignore[attr-defined]
    monkeypatch.setattr("importlib.import_module", lambda name: loader)
    cells = {"age": ["", "1.5", "30"], "job": ["cook", "", "clerk"]}
    table = pd.DataFrame(cells, dtype=object)
    answers = reference.ask("edge", tmp_path, table, ("no", "yes"))
    assert answers.tolist() == [1.0, 0.0, 0.0]
