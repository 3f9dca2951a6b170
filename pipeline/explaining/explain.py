"""Explains rows by a pushed version: what each column adds to the answer, what would change it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.names import LABEL, ROW_ID, WEIGHT
from models.explain.single import SCALE
from pipeline.explaining import row_files
from pipeline.explaining.version import cells_of_rows, load_explainer
from pipeline.serving.contract import read_columns
from pipeline.serving.rows import RowChecker
from pipeline.versions.served import VersionRequest


@dataclass(frozen=True)
class ExplainRequest(VersionRequest):
    """What is to be explained.

    Attributes:
      file, row_id: Where the rows are; one of the two.
      counterfactuals: Of each row, at most.
      wanted: Class that these are to reach; None: any other.
    """

    file: Path | None
    row_id: str | None
    counterfactuals: int
    wanted: str | None


@dataclass(frozen=True)
class ExplainedRow:
    """A row explained.

    Attributes:
      name: What it is called.
      cells: What the model was asked, by column; None where missing.
      told: `class`, `answer`, `base_value` and `attributions`; of more than two classes each
        number by class.
      counterfactuals: `changes`, `class`, `answer` and `distance` of each; None: none were asked
        for.
    """

    name: str
    cells: dict[str, Any]
    told: dict[str, Any]
    counterfactuals: list[dict[str, Any]] | None


@dataclass(frozen=True)
class RowExplanations:
    """Rows explained by a version."""

    target: str
    version: int
    rows: tuple[ExplainedRow, ...]
    scale: str = SCALE


def explain(request: ExplainRequest) -> RowExplanations:
    """Explains the rows that are asked for.

    Raises:
        InputError: file, row, column, class or version are at fault, or `explain.actionable` names
            no column that the model takes.
    """
    config = request.config
    wanted = class_code(request.wanted, config.columns.names)
    version = request.find()
    if request.file is not None:
        found = row_files.read_file(request.file)
    else:
        found = row_files.find_row(request.run_folder, request.row_id or "")
    contract = read_columns(config.schema_path, config.columns.dates)
    explainer = load_explainer(request.target, version.path, contract, config)
    model = explainer.model
    refuse = config.serving.out_of_domain == "refuse"
    checker = RowChecker(contract, model.numbers, model.texts, refuse, row_files.MOST_ROWS)
    added = (LABEL, WEIGHT, ROW_ID, *config.columns.groups)
    rows = row_files.checked(found, checker, contract, added)
    cells = cells_of_rows(rows, model)
    told = explainer.told(explainer.attributions(cells), cells.names)
    changes: list[Any] = [None] * cells.count
    if request.counterfactuals:
        if not explainer.changeable:
            raise InputError(nothing_to_change(explainer.actionable, cells.names))
        changes = explainer.counterfactuals(cells, request.counterfactuals, wanted)
    return RowExplanations(
        request.target,
        version.version,
        tuple(
            ExplainedRow(found.names[n], explainer.shown(cells, n), told[n], changes[n])
            for n in range(cells.count)
        ),
    )


def class_code(name: str | None, classes: tuple[str, ...]) -> int | None:
    """The code of a class; None for none.

    Raises:
        InputError: there is no such class.
    """
    if name is None:
        return None
    if name not in classes:
        raise InputError(f"there is no class '{name}'; there are {', '.join(classes)}")
    return classes.index(name)


def nothing_to_change(actionable: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Why there are no counterfactuals."""
    what = f"names {', '.join(actionable)}, which the model does not take" if actionable else (
        "is empty"
    )  # fmt: skip
    return (
        f"explain.actionable {what}: name columns that may be changed, numbers or categories among "
        f"{', '.join(names)}"
    )
