"""Explainer: which columns the answers of each target's model rest on.

It reports and gates nothing. Both models are asked as a client asks them, by raw columns, so that
what is explained is what is served, preprocessing and quantization included.

In: the labelled raw examples (test rows are explained, training rows stand for what is unknown) and
the models of all targets. Out: `explanation`, by target: mean attributions of the columns, overall
and by group, how stable they are, the answers' dependence on the strongest columns, and warnings
where a slice column, or a column that tells its groups apart, carries much. Fails when a model
takes the label, the weight or the row id, or answers with what is no number.
"""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model
from tfx.utils import path_utils

from components.artifacts import Explanation, split_pattern
from core.errors import InputError
from core.files import write_json
from core.names import EXPLANATION, LABEL, ROW_ID, WEIGHT
from core.sections.columns import ColumnsSection
from core.sections.evaluation import Slicing
from core.sections.explaining import Explaining
from core.sections.section import Section
from core.targets import TARGETS
from models.columns.date_formats import date_column, reader_of
from models.explain import overview
from models.explain.coding import cells_of
from models.explain.stand_ins import StandIn, best_predicted, warnings_of
from models.export.raw_rows import RawRows, sample_rows
from models.export.served import ServedModel
from models.metrics.registry import slice_rows

_TRAINING_ROWS = 5000


class ExplainerSettings(Section):
    """What Explainer goes by; `types` are the contract's, INT, FLOAT or BYTES by column."""

    explain: Explaining
    columns: ColumnsSection
    evaluation: Slicing
    types: dict[str, str]
    seed: int

    @property
    def slice_columns(self) -> tuple[str, ...]:
        """Columns that evaluation slices by, each once."""
        return tuple(dict.fromkeys(name for keys in self.evaluation.slices for name in keys))


def check_columns(target: str, model: ServedModel, label: str) -> None:
    """Refuses a model that takes what is not known of a row that is asked for.

    Raises:
      InputError: It takes the label, the weight or the row id.
    """
    for name in (label, LABEL, WEIGHT, ROW_ID):
        if name in (*model.numbers, *model.texts):
            raise InputError(
                f"{target}: the model takes column '{name}', which nobody knows of a row that is "
                "asked for; take it out of columns"
            )


def explain_model(
    target: str,
    model: ServedModel,
    rows: RawRows,
    training: RawRows,
    predicted: Mapping[str, Mapping[str, StandIn]],
    settings: ExplainerSettings,
    background: int,
) -> dict[str, Any]:
    """The explanation of one target, as JSON values.

    Args:
      target: Its name.
      model: As a client asks it.
      rows: Test rows, slice columns among their columns.
      training: Training rows.
      predicted: See `models.explain.stand_ins.best_predicted`.
      settings: What to go by.
      background: Training rows that stand for what is unknown.
    """
    columns = settings.columns
    check_columns(target, model, columns.label)
    members = {name: rows.columns[name] for name in settings.slice_columns}
    found = overview.explain(
        model,
        overview.Explained(
            cells_of(model.numbers, model.texts, rows.columns),  # type: ignore[arg-type]
            slice_rows(members, settings.evaluation.slices),
            cells_of(model.numbers, model.texts, training.columns),  # type: ignore[arg-type]
            {name: _times(name, settings) for name in columns.dates},
            frozenset(columns.text),
        ),
        background,
        columns.names,
        settings.seed,
    )
    made_from = {name: group.column for name, group in columns.groups.items()}
    shares = overview.shares_of(found)
    warnings = warnings_of(shares, predicted, settings.slice_columns, made_from)
    if found["additivity"] > overview.ADDITIVE:
        warnings.append(
            f"base value and attributions miss the answer by up to {found['additivity']:.2g}: the "
            "model answers the same row differently"
        )
    return {**found, "warnings": warnings}


def _times(name: str, settings: ExplainerSettings) -> Callable[[np.ndarray], np.ndarray]:
    """From texts of a column of dates to their times, NaN for none."""
    written = settings.columns.dates[name]
    reader = reader_of(date_column(name, written.format, written.timezone))

    def times(texts: np.ndarray) -> np.ndarray:
        found, known = reader.read_all(texts)
        return np.where(known, found.astype(np.float64), np.nan)

    return times


@component
def Explainer(  # noqa: N802 - TFX takes the node's id from the name
    examples: InputArtifact[Examples],
    server: InputArtifact[Model],
    edge: InputArtifact[Model],
    explanation: OutputArtifact[Explanation],
    settings: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Explains all targets by `settings`, JSON of `ExplainerSettings`; see the module."""
    told = ExplainerSettings.model_validate_json(settings)
    models = {
        target: importlib.import_module(TARGETS[target].loader).load(
            Path(path_utils.serving_model_path(artifact.uri))
        )
        for target, artifact in (("server", server), ("edge", edge))
    }
    read = max(len(model.numbers) + len(model.texts) for model in models.values())
    count, background = overview.affordable(told.explain.rows, told.explain.background, read)
    names = dict.fromkeys((*told.columns.features, *told.slice_columns))
    types = {name: told.types[name] for name in names}
    rows, training = (
        sample_rows([split_pattern(examples, split)], types, drawn, told.seed)
        for split, drawn in (("test", count), ("train", _TRAINING_ROWS))
    )
    features = {name: training.columns[name] for name in told.columns.features}
    slices = {name: training.columns[name].astype(str) for name in told.slice_columns}
    predicted = best_predicted(features, slices)
    report = {
        target: explain_model(target, model, rows, training, predicted, told, background)
        for target, model in models.items()
    }
    write_json(Path(explanation.uri, EXPLANATION.file), {"targets": report})
