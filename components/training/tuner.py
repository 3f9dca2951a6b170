"""Tuner: the search for the teacher's hyperparameters, run by the stock TFX Tuner.

In: transformed examples (train, eval), the Transform graph; of the labels only what the labeler let
through; the model of an earlier run or none, whose hyperparameters are then tried first. Out:
`best_hyperparameters` and `tuner_results` (one row for each completed trial).
Fails when no trial was completed, with the last trial's message.
"""

from pathlib import Path

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from core import sections
from core.sections import Hyperparameters, Search, Section
from models.network.balance import balance_of
from models.network.layout import Preprocessing
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from models.network.tuning import NetworkTuner, values_of
from models.network.warm_start import FOLDER, read_start


class TunerSettings(Section):
    """What Tuner goes by: sections of the configuration, or the named parts of them."""

    preprocessing: Preprocessing
    seed: int
    tuner: sections.TunerSection
    trainer: Search


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Builds the tuner that TFX runs.

    Args:
      fn_args: `custom_config` holds `settings`, the JSON of `TunerSettings`, and `code_sha256`,
        which only tells runs of different code apart.
    """
    settings = TunerSettings.model_validate_json(fn_args.custom_config["settings"])
    inputs = model_inputs_of(fn_args.transform_graph_path, settings.preprocessing)
    tuner = NetworkTuner(
        inputs,
        first_trial(settings.trainer, fn_args.base_model),
        trials=settings.tuner.trials,
        seed=settings.seed,
        directory=fn_args.working_dir,
    )
    train = load_rows(fn_args.train_files, inputs)
    balance = balance_of(train, settings.trainer.rare_share)
    return TunerFnResult(
        tuner=tuner,
        fit_kwargs={
            "train": balance.weighed(train),
            "evaluation": balance.weighed(load_rows(fn_args.eval_files, inputs)),
            "epochs": settings.tuner.epochs,
            "batch_size": settings.trainer.batch_size,
        },
    )


def first_trial(section: Hyperparameters, base_model: str | None) -> Hyperparameters:
    """What is tried first: what the earlier run ended with, else what is configured.

    Args:
      section: Of the configuration.
      base_model: SavedModel of the earlier run; None without one.
    """
    start = read_start(Path(base_model).parent / FOLDER) if base_model else None
    return start.hyperparameters if start else values_of(section)
