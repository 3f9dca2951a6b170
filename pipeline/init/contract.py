"""The contract of a new data set: what its rows hold, made fit for what comes later."""

import math
from collections.abc import Mapping, Sequence

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from core.names import ROW_ID
from core.numbers import read_integer
from core.raw_table import CATEGORIES, CATEGORY, NUMBERS, Column
from core.sections.columns import Group
from pipeline.ingestion.rows import group_labels
from pipeline.init.proposal import Proposal

DISTANCE, LABEL_DISTANCE = 0.05, 0.1  # as in the census contract
_SPREAD = 4.0  # standard deviations that a small split may lie below the share seen here


def infer(
    cells: Mapping[str, Sequence[str]], proposal: Proposal, smallest_split: int
) -> schema_pb2.Schema:
    """The contract.

    Args:
        cells: cells by column of all rows, in the pipeline's form.
        proposal: what the columns are.
        smallest_split: rows of the smallest split of a smoke run: shares vary in it by chance.
    """
    schema = schema_pb2.Schema(default_environment=["TRAINING", "SERVING"])
    for column in proposal.columns:
        _column(schema, column, cells[column.name], smallest_split)
    for name, group in proposal.slices.groups.items():
        _group(schema, name, group, cells)
    _label(schema, proposal)
    row_id = schema.feature.add(name=ROW_ID, type=schema_pb2.BYTES, not_in_environment=["SERVING"])
    row_id.presence.min_fraction, row_id.presence.min_count = 1.0, 1
    for feature in schema.feature:
        feature.value_count.min = feature.value_count.max = 1
    return schema


def render(schema: schema_pb2.Schema) -> str:
    """The contract as text."""
    return text_format.MessageToString(schema, as_utf8=True)


def _label(schema: schema_pb2.Schema, proposal: Proposal) -> None:
    label = proposal.label
    feature = schema.feature.add(
        name=label.name, type=schema_pb2.BYTES, not_in_environment=["SERVING"]
    )
    _domain(feature, schema, label.names)
    feature.presence.min_fraction = 0.0
    feature.drift_comparator.infinity_norm.threshold = LABEL_DISTANCE


def _group(
    schema: schema_pb2.Schema, name: str, group: Group, cells: Mapping[str, Sequence[str]]
) -> None:
    """A column that staging derives of a number."""
    feature = schema.feature.add(name=name, type=schema_pb2.BYTES, not_in_environment=["SERVING"])
    values = {cell for cell in cells[group.column] if cell}
    _domain(feature, schema, group_labels(group, all(map(_is_whole, values))))


def _column(
    schema: schema_pb2.Schema, column: Column, cells: Sequence[str], smallest_split: int
) -> None:
    feature = schema.feature.add(name=column.name, type=schema_pb2.BYTES)
    comparators = (feature.drift_comparator, feature.skew_comparator)
    values = set(cells) - {""}
    if column.kind in NUMBERS:
        whole = all(map(_is_whole, values))
        feature.type = schema_pb2.INT if whole else schema_pb2.FLOAT
        if min(map(float, values)) >= 0:
            domain = feature.int_domain if whole else feature.float_domain
            domain.name, domain.min = feature.name, 0
        for comparator in comparators:
            comparator.jensen_shannon_divergence.threshold = DISTANCE
    elif column.kind in CATEGORIES:
        if column.kind == CATEGORY:
            _domain(feature, schema, sorted(values))
        for comparator in comparators:
            comparator.infinity_norm.threshold = DISTANCE
    known = sum(map(bool, cells)) / len(cells)
    least = least_presence(known, smallest_split)
    if least > 0:
        feature.presence.min_fraction, feature.presence.min_count = least, 1


def least_presence(share: float, smallest_split: int) -> float:
    """The smallest share of present values to allow, from the share seen: in steps of 0.05."""
    if share == 1:
        return 1.0
    spread = _SPREAD * math.sqrt(share * (1 - share) / max(smallest_split, 1))
    return max(0.0, math.floor((share - spread) * 20) / 20)


def _is_whole(cell: str) -> bool:
    return read_integer(cell) is not None


def _domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema, values: Sequence[str]) -> None:
    schema.string_domain.add(name=feature.name, value=values)
    feature.domain = feature.name
