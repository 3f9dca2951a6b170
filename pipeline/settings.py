"""What each node is told: the parts of the configuration that it depends on, and no more.

A node runs again when its settings change, so a key that a node does not need must not be in the
class of its settings.
"""

from typing import Any, TypeVar

import tensorflow_data_validation as tfdv

from core.config import Config
from core.errors import InputError
from core.sections import Section
from models.network.layout import Preprocessing, TextLayout
from pipeline.ingestion.contract import slice_columns

Settings = TypeVar("Settings", bound=Section)


def beam_args(config: Config) -> list[str]:
    """Beam options: the in-process runner, named because newer Beams would download another."""
    runner = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    local = [f"--runner={runner}", "--direct_running_mode=in_memory", "--direct_num_workers=1"]
    # dill empties the cache of every logger with each thing that it pickles.
    local.append("--pickle_library=cloudpickle")
    # Any option makes TFX build a package of itself for each Beam job, unless an image is named.
    return [*local, "--sdk_container_image=unused", *config.beam.args]


def settings_for(kind: type[Settings], config: Config, **derived: Any) -> Settings:
    """What a node is told.

    Args:
      kind: The class of the node's settings. Its fields are called as the keys of the
        configuration, and their types are sections or the named parts of sections.
      config: The whole configuration.
      derived: Fields that are no keys of the configuration.
    """
    keys = [name for name in kind.model_fields if name in Config.model_fields]
    return kind.model_validate({name: getattr(config, name) for name in keys} | derived)


def settings_json(kind: type[Section], config: Config, **derived: Any) -> str:
    """What a node is told, as it is handed over; arguments as for `settings_for`."""
    return settings_for(kind, config, **derived).model_dump_json()


def preprocessing_for(config: Config) -> Preprocessing:
    """What Transform is told; vocabularies are the contract's domains.

    Raises:
      InputError: A categorical column has no domain in the contract.
    """
    schema = tfdv.load_schema_text(str(config.schema_path))
    domains = []
    for column in config.columns.categorical:
        try:
            domains.append((column, tuple(tfdv.get_domain(schema, column).value)))
        except ValueError as error:
            raise InputError(
                f"{config.contract}: categorical column '{column}' has no domain; list its values "
                "there"
            ) from error
    features = config.features
    text = TextLayout(
        config.columns.text, features.text_vocabulary, features.text_tokens, features.text_ngrams
    )
    return Preprocessing(
        numeric=config.columns.numeric,
        categorical=tuple(domains),
        text=text if text.columns else None,  # without text its keys change nothing
        passed_through=tuple(slice_columns(config)),
        buckets=features.buckets,
        classes=config.columns.names,
    )


def labeling_modules(config: Config) -> list[str]:
    """Modules of labelling functions that a run uses."""
    functions = config.labeling.functions
    return [functions] if functions and config.labeling.mode == "weak" else []
