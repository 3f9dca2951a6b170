"""Tuner: the search for the teacher's hyperparameters, the TFX Tuner with one file more.

In: transformed examples (train, eval), the Transform graph; of the labels only what the labeler let
through; the model of an earlier run or none, whose hyperparameters are then tried first. Out:
`best_hyperparameters`, those of the best trial where it is better than the default beyond chance on
the eval rows, else the default; `tuner_results`, with one row for each completed trial and with
`search.json`: all trials, the comparison and the choice.
Fails when no trial was completed, with the last trial's message.
"""

from pathlib import Path
from typing import Any

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner import component, executor
from tfx.components.tuner.component import TunerFnResult
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import Artifact, artifact_utils
from tfx.types.standard_component_specs import TUNER_RESULTS_KEY

from core.files import write_json
from core.names import SEARCH_REPORT
from core.sections.section import Section
from core.sections.training import Hyperparameters, Search, TunerSection
from models.network.balance import balance_of
from models.network.layout import Preprocessing, layout_of
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from models.network.training import plan_of
from models.network.warm_start import FOLDER, read_start
from models.search.tuner import NetworkTuner
from models.search.values import values_of
from models.teachers.lesson import FEW_ROWS, teacher_lesson_of


class TunerSettings(Section):
    """What Tuner goes by: sections of the configuration, or the named parts of them."""

    preprocessing: Preprocessing
    seed: int
    tuner: TunerSection
    trainer: Search


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Builds the tuner that TFX runs.

    Args:
      fn_args: `custom_config` holds `settings`, the JSON of `TunerSettings`, and `code_sha256`,
        which only tells runs of different code apart.
    """
    settings = TunerSettings.model_validate_json(fn_args.custom_config["settings"])
    inputs = model_inputs_of(fn_args.transform_graph_path, settings.preprocessing)
    trainer = settings.trainer
    defaults = first_trial(trainer, fn_args.base_model)
    full = plan_of(trainer, defaults.learning_rate, settings.seed)
    tuner = NetworkTuner(inputs, defaults, settings.tuner, full, fn_args.working_dir)
    train, evaluation = (
        load_rows(files, inputs) for files in (fn_args.train_files, fn_args.eval_files)
    )
    balance = balance_of(train, trainer.rare_share)
    contract = tft.TFTransformOutput(fn_args.transform_graph_path).raw_feature_spec()
    layout = layout_of(contract, settings.preprocessing)
    parts = train, evaluation
    lesson = teacher_lesson_of(parts, layout, inputs, trainer, settings.seed, FEW_ROWS)
    learnt = lesson.of(train) if lesson else train
    rows = {"train": balance.weighed(learnt), "evaluation": balance.weighed(evaluation)}
    return TunerFnResult(tuner=tuner, fit_kwargs=rows)


def write_results(tuner: NetworkTuner, output_dict: dict[str, list[Artifact]]) -> None:
    """Writes what the stock Tuner does, and how the search went beside it."""
    executor.write_best_hyperparameters(tuner, output_dict)
    folder = artifact_utils.get_single_uri(output_dict[TUNER_RESULTS_KEY])
    write_json(Path(folder, SEARCH_REPORT.file), tuner.report())


class SearchExecutor(executor.Executor):
    """The stock executor, which keeps how the search went, too."""

    def Do(  # noqa: N802 - TFX calls it so
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches and writes the results; see the module."""
        directory = self._get_tmp_dir()
        tuner = executor.search(input_dict, exec_properties, directory, print_tuning_summary=False)
        write_results(tuner, output_dict)


class Tuner(component.Tuner):
    """The stock Tuner with `SearchExecutor`."""

    EXECUTOR_SPEC = ExecutorClassSpec(SearchExecutor)


def first_trial(section: Hyperparameters, base_model: str | None) -> Hyperparameters:
    """What is tried first: what the earlier run ended with, else what is configured.

    Args:
      section: Of the configuration.
      base_model: SavedModel of the earlier run; None without one.
    """
    start = read_start(Path(base_model).parent / FOLDER) if base_model else None
    return start.hyperparameters if start else values_of(section)
