"""The contract of a new data set: TFDV's inference from its rows, made fit for what comes later."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from core.names import ROW_ID
from core.raw_table import CATEGORY, NUMBERS, TEXT
from pipeline.init.proposal import Proposal

DISTANCE, LABEL_DISTANCE = 0.05, 0.1  # as in the census contract
_SPREAD = 4.0  # standard deviations that a small split may lie below the share seen here

Parts = Mapping[str, Mapping[str, Sequence[str]]]


def infer(parts: Parts, proposal: Proposal, smallest_split: int) -> schema_pb2.Schema:
    """The contract.

    Args:
        parts: cells by column of each part.
        proposal: what the columns are.
        smallest_split: rows of the smallest split of a smoke run: shares vary in it by chance.
    """
    frames = {part: _frame(cells, proposal) for part, cells in parts.items()}
    everything = pd.concat(frames.values(), ignore_index=True)
    statistics = tfdv.generate_statistics_from_dataframe(everything)
    schema = tfdv.infer_schema(statistics, infer_feature_shape=False, max_string_domain_size=0)
    for feature in schema.feature:
        if feature.name == proposal.label.name:
            _label(feature, schema, proposal)
        else:
            _column(feature, schema, proposal, everything[feature.name], smallest_split)
    row_id = schema.feature.add(name=ROW_ID, type=schema_pb2.BYTES, not_in_environment=["SERVING"])
    row_id.presence.min_fraction, row_id.presence.min_count = 1.0, 1
    for feature in schema.feature:
        feature.value_count.min = feature.value_count.max = 1
    schema.default_environment[:] = ["TRAINING", "SERVING"]
    return schema


def anomalies(parts: Parts, proposal: Proposal, schema: schema_pb2.Schema) -> list[str]:
    """What in the data itself goes against its contract; empty unless something is wrong here."""
    found = []
    checked = schema_pb2.Schema()
    checked.CopyFrom(schema)
    del checked.feature[[feature.name for feature in checked.feature].index(ROW_ID)]
    for part, cells in parts.items():
        statistics = tfdv.generate_statistics_from_dataframe(_frame(cells, proposal))
        problems = tfdv.validate_statistics(statistics, checked, environment="TRAINING")
        found += [
            f"{part}, {feature}: {info.description}"
            for feature, info in problems.anomaly_info.items()
        ]
    return found


def render(schema: schema_pb2.Schema) -> str:
    """The contract as text."""
    return text_format.MessageToString(schema, as_utf8=True)


def _frame(cells: Mapping[str, Sequence[str]], proposal: Proposal) -> pd.DataFrame:
    """The rows with the types that they will have."""
    table = {}
    for column in proposal.columns:
        values = pd.Series(cells[column.name], dtype=object).replace("", None)
        if column.kind in NUMBERS:
            numbers = pd.to_numeric(values)
            whole = bool(numbers.dropna().mod(1).eq(0).all())
            table[column.name] = numbers.astype("Int64" if whole else "float32")
        else:
            table[column.name] = values
    label = proposal.label.name
    table[label] = pd.Series(cells[label], dtype=object).replace("", None)
    return pd.DataFrame(table)


def _label(feature: schema_pb2.Feature, schema: schema_pb2.Schema, proposal: Proposal) -> None:
    feature.type = schema_pb2.BYTES
    _domain(feature, schema, [proposal.label.negative, proposal.label.positive])
    feature.presence.CopyFrom(schema_pb2.FeaturePresence(min_fraction=0.0))
    feature.not_in_environment.append("SERVING")
    feature.drift_comparator.infinity_norm.threshold = LABEL_DISTANCE


def _column(
    feature: schema_pb2.Feature,
    schema: schema_pb2.Schema,
    proposal: Proposal,
    cells: pd.Series,
    smallest_split: int,
) -> None:
    kind = next(column.kind for column in proposal.columns if column.name == feature.name)
    comparators = (feature.drift_comparator, feature.skew_comparator)
    if kind not in NUMBERS:
        feature.type = schema_pb2.BYTES
        feature.ClearField("domain_info")
    if kind == CATEGORY:
        _domain(feature, schema, sorted(set(cells.dropna())))
        for comparator in comparators:
            comparator.infinity_norm.threshold = DISTANCE
    elif kind != TEXT:
        if cells.dropna().min() >= 0:
            domain = feature.int_domain if feature.type == schema_pb2.INT else feature.float_domain
            domain.name, domain.min = feature.name, 0
        for comparator in comparators:
            comparator.jensen_shannon_divergence.threshold = DISTANCE
    feature.ClearField("presence")
    least = least_presence(float(cells.notna().mean()), smallest_split)
    if least > 0:
        feature.presence.min_fraction, feature.presence.min_count = least, 1


def least_presence(share: float, smallest_split: int) -> float:
    """The smallest share of present values to allow, from the share seen: in steps of 0.05."""
    if share == 1:
        return 1.0
    spread = _SPREAD * math.sqrt(share * (1 - share) / max(smallest_split, 1))
    return max(0.0, math.floor((share - spread) * 20) / 20)


def _domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema, values: Sequence[str]) -> None:
    schema.string_domain.add(name=feature.name, value=values)
    feature.domain = feature.name
