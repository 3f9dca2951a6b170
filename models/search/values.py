"""The values of a trial: how they are written, and the network's part of them.

KerasTuner's values are numbers, texts and truth values, so that the widths of hidden layers are
written as `64-32` and a numeric embedding with its length as `relu-8`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from core.sections.training import Hyperparameters
from models.network.network import Architecture


def values_of(section: Hyperparameters) -> Hyperparameters:
    """The values alone, without what else a section holds."""
    return Hyperparameters(**section.model_dump(include=set(Hyperparameters.model_fields)))


def of_trial(values: Mapping[str, Any]) -> Hyperparameters:
    """The values of a trial; what a strategy noted beside them (`tuner/epochs`) is none of them."""
    own = {name: value for name, value in values.items() if name in Hyperparameters.model_fields}
    own["hidden_units"] = tuple(int(width) for width in own["hidden_units"].split("-"))
    kind, _, dim = own.get("numeric_embedding", "none").partition("-")
    own["numeric_embedding"] = kind
    if dim:
        own["numeric_dim"] = int(dim)
    return Hyperparameters.model_validate(own)


def as_trial(values: Hyperparameters) -> dict[str, Any]:
    """The values as those of a trial; the length of an embedding that is none is left out."""
    written = values.model_dump()
    written["hidden_units"] = "-".join(str(width) for width in values.hidden_units)
    dim = written.pop("numeric_dim")
    if values.numeric_embedding != "none":
        written["numeric_embedding"] = f"{values.numeric_embedding}-{dim}"
    return written


def architecture_of(values: Hyperparameters) -> Architecture:
    """The network's part of the values; the length of an embedding that is none does not count."""
    names = {field.name for field in dataclasses.fields(Architecture)}
    if values.numeric_embedding == "none":
        names -= {"numeric_dim"}
    return Architecture(**{name: getattr(values, name) for name in names})
