"""What each node is told: the parts of the configuration that it depends on, and no more.

A node runs again when its settings change, so a key that a node does not need must not be here.
"""

from typing import Any

import tensorflow_data_validation as tfdv
from core.config import Config
from core.contract import read_contract

from core.errors import InputError
from core.names import ROW_ID
from pipeline.ingestion.contract import slice_columns
from pipeline.run.fingerprint import code_sha256

_ARCHITECTURE_KEYS = {"learning_rate", "hidden_units", "dropout", "embedding_dim", "l2"}


def beam_args(config: Config) -> list[str]:
    """Beam options: the in-process runner, named because newer Beams would download another."""
    runner = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    local = [f"--runner={runner}", "--direct_running_mode=in_memory", "--direct_num_workers=1"]
    # dill empties the cache of every logger with each thing that it pickles.
    local.append("--pickle_library=cloudpickle")
    # Any option makes TFX build a package of itself for each Beam job, unless an image is named.
    return [*local, "--sdk_container_image=unused", *config.beam.args]


def preprocessing_config(config: Config) -> dict[str, Any]:
    """What `preprocessing_fn` is given; vocabularies are the contract's domains.

    Raises:
      InputError: A categorical column has no domain in the contract.
    """
    schema = tfdv.load_schema_text(str(config.schema_path))
    domains = []
    for column in config.columns.categorical:
        try:
            domains.append([column, list(tfdv.get_domain(schema, column).value)])
        except ValueError as error:
            raise InputError(
                f"{config.contract}: categorical column '{column}' has no domain; list its values "
                "there"
            ) from error
    text = {
        "columns": list(config.columns.text),
        "vocabulary": config.features.text_vocabulary,
        "tokens": config.features.text_tokens,
        "ngrams": config.features.text_ngrams,
    }
    return {
        "numeric": list(config.columns.numeric),
        "categorical": domains,
        "text": text if config.columns.text else None,  # without text its keys change nothing
        "passed_through": slice_columns(config),
        "buckets": config.features.buckets,
        "code_sha256": code_sha256("models.network.preprocessing"),
    }


def labeling_modules(config: Config) -> list[str]:
    """Modules of labelling functions that a run uses."""
    functions = config.labeling.functions
    return [functions] if functions and config.labeling.mode == "weak" else []


def tuner_settings(config: Config) -> dict[str, Any]:
    """What `components.training.tuner.tuner_fn` is given."""
    return {
        "preprocessing": preprocessing_config(config),
        "seed": config.seed,
        "tuner": config.tuner.model_dump(mode="json"),
        "trainer": config.trainer.model_dump(
            mode="json", include={*_ARCHITECTURE_KEYS, "batch_size"}
        ),
        "code_sha256": code_sha256("components.training.tuner"),
    }


def trainer_settings(config: Config) -> dict[str, Any]:
    """What `components.training.trainer.run_fn` is given."""
    return {
        "preprocessing": preprocessing_config(config),
        "seed": config.seed,
        "trainer": config.trainer.model_dump(mode="json"),
        "code_sha256": code_sha256("components.training.trainer"),
    }


def distiller_settings(config: Config) -> dict[str, Any]:
    """What Distiller is given."""
    return {
        "preprocessing": preprocessing_config(config),
        "seed": config.seed,
        "batch_size": config.trainer.batch_size,
        "patience": config.trainer.patience,
        "distiller": config.distiller.model_dump(mode="json"),
    }


def quantizer_settings(config: Config) -> dict[str, Any]:
    """What Quantizer is given."""
    return {
        "preprocessing": preprocessing_config(config),
        "seed": config.seed,
        "quantizer": config.quantizer.model_dump(mode="json"),
    }


def variant_settings(config: Config) -> dict[str, Any]:
    """What VariantEvaluator is given."""
    gap_columns = {*config.evaluation.server.max_gap, *config.evaluation.edge.max_gap}
    return {
        "preprocessing": preprocessing_config(config),
        "slices": [list(columns) for columns in config.evaluation.slices],
        "gap_columns": sorted(gap_columns),
        "min_slice_rows": config.evaluation.min_slice_rows,
    }


def push_settings(config: Config) -> dict[str, Any]:
    """What PushGate is given."""
    return {
        **config.pusher.model_dump(mode="json"),
        "label_column": config.columns.label,
        "row_id": ROW_ID,
        "mode": config.labeling.mode,
        "slices": [list(columns) for columns in config.evaluation.slices],
        "min_slice_rows": config.evaluation.min_slice_rows,
        "types": read_contract(config.schema_path),
    }
