"""The columns of a request, as the contract has them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tensorflow_metadata.proto.v0 import schema_pb2

from core.contract import read_schema
from core.sections.columns import DateFormat
from models.columns.date_formats import DateColumn, date_column

_EVERY_ROW = 1.0


@dataclass(frozen=True)
class ServedColumn:
    """A column of the contract.

    Attributes:
      name: Its name.
      kind: INT, FLOAT or BYTES.
      required: Whether each row must have a value.
      values: What a text may be; None: anything.
      low, high: Smallest and largest number.
      date: How a text is read as a date; None: it is none.
    """

    name: str
    kind: str
    required: bool
    values: tuple[str, ...] | None = None
    low: float = -math.inf
    high: float = math.inf
    date: DateColumn | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether there are values that it may not have."""
        return self.kind != "BYTES" or self.values is not None or self.date is not None


def read_columns(path: Path, dates: Mapping[str, DateFormat]) -> dict[str, ServedColumn]:
    """The columns of a schema.pbtxt, by name.

    Args:
        path: the contract.
        dates: `columns.dates` of the configuration.

    Raises:
        InputError: as `core.contract.read_schema`.
    """
    schema = read_schema(path)
    shared = {domain.name: tuple(domain.value) for domain in schema.string_domain}
    found = {feature.name: _column(feature, shared) for feature in schema.feature}
    for name, date in dates.items():
        read = date_column(name, date.format, date.timezone)
        found[name] = replace(found.get(name, ServedColumn(name, "BYTES", False)), date=read)
    return found


def _column(feature: schema_pb2.Feature, shared: dict[str, tuple[str, ...]]) -> ServedColumn:
    which = feature.WhichOneof("domain_info")
    values, low, high = None, -math.inf, math.inf
    if which == "domain":
        values = shared.get(feature.domain)
    elif which == "string_domain":
        values = tuple(feature.string_domain.value)
    elif which in ("int_domain", "float_domain"):
        domain = getattr(feature, which)
        low = domain.min if domain.HasField("min") else low
        high = domain.max if domain.HasField("max") else high
    return ServedColumn(
        feature.name,
        schema_pb2.FeatureType.Name(feature.type),
        feature.presence.min_fraction >= _EVERY_ROW,
        values or None,
        low,
        high,
    )
