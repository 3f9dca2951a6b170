"""The parts of the configuration that nodes depend on, and no more (run/node_settings.py: whose).

A node runs again when its settings change, so a key that a node does not need must not be in the
class of its settings.
"""

from typing import Any, TypeVar

import tensorflow_data_validation as tfdv

from core.config import Config
from core.files import REPOSITORY
from core.names import ROW_ID
from core.sections.section import Section
from models.columns.date_formats import date_column
from models.network.layout import HashedLayout, Preprocessing, TextLayout
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
    """What Transform is told; values of categories are the contract's, where it lists them."""
    schema = tfdv.load_schema_text(str(config.schema_path))
    columns, features = config.columns, config.features
    listed, many_valued = [], []
    for column in columns.categorical:
        try:
            values = tuple(value for value in tfdv.get_domain(schema, column).value if value)
        except ValueError:  # it has no domain
            values = ()
        if values:
            listed.append((column, values))
        else:
            many_valued.append(column)
    text = TextLayout(
        columns.text, features.text_vocabulary, features.text_tokens, features.text_ngrams
    )
    hashed = HashedLayout(tuple(many_valued), features.vocabulary, features.hash_buckets)
    return Preprocessing(
        numeric=columns.numeric,
        categorical=tuple(listed),
        text=text if text.columns else None,  # without text its keys change nothing
        dates=tuple(date_column(n, d.format, d.timezone) for n, d in columns.dates.items()),
        hashed=hashed if hashed.columns else None,
        passed_through=(*slice_columns(config), ROW_ID),
        buckets=features.buckets,
        classes=config.columns.names,
    )


def hidden_columns(config: Config) -> tuple[str, ...]:
    """Columns that the models are not to see: the one whose values are the groups to treat alike,
    and the numbers that it is made of.
    """
    column = config.fairness.column
    if config.fairness.reads_column or column is None:
        return ()
    group = config.columns.groups.get(column)
    return (column, group.column) if group else (column,)


def needed_columns(config: Config) -> tuple[str, ...]:
    """Columns that the models have to see: the one whose groups have thresholds of their own."""
    column, mitigation = config.fairness.column, config.fairness.mitigation
    return (column,) if column is not None and mitigation == "thresholds" else ()


def mitigation_of(config: Config) -> dict[str, Any]:
    """What teacher and student are told of groups; nothing where nothing is done, so that the keys
    of what is not done let no node run again.
    """
    if config.fairness.mitigation == "none":
        return {"fairness": None}
    weak = config.labeling.mode == "weak"
    # In gold mode all rows that have a weight have their true label.
    gold_weight = config.labeling.gold_weight if weak else None
    return {"fairness": config.fairness, "gold_weight": gold_weight}


def intended_use(config: Config) -> str:
    """What people wrote of use and limits of the models, in Markdown."""
    return (REPOSITORY / config.cards.intended_use).read_text(encoding="utf-8")


def labeling_modules(config: Config) -> list[str]:
    """Modules of labelling functions that a run uses."""
    functions = config.labeling.functions
    return [functions] if functions and config.labeling.mode == "weak" else []
