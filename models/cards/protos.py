"""Statistics and contracts as JSON values, as far as cards speak of them; loads no TensorFlow."""

from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

_VALUES = 40  # values of a column that are told one by one


def statistics_view(content: bytes) -> dict[str, Any]:
    """Statistics of a split.

    Args:
      content: Of a `FeatureStats.pb`.

    Returns:
      `rows`, and by column `missing` (rows without a value), `different` (values; None of numbers)
      and, where they are few, `counts` by value.
    """
    parsed = statistics_pb2.DatasetFeatureStatisticsList.FromString(content)
    if not parsed.datasets:
        return {"rows": 0, "columns": {}}
    data = parsed.datasets[0]
    columns = {f.name or ".".join(f.path.step): _column(f) for f in data.features}
    return {"rows": int(data.num_examples), "columns": columns}


def _column(feature: statistics_pb2.FeatureNameStatistics) -> dict[str, Any]:
    if not feature.HasField("string_stats"):
        return {"missing": int(feature.num_stats.common_stats.num_missing), "different": None}
    stats = feature.string_stats
    found: dict[str, Any] = {
        "missing": int(stats.common_stats.num_missing),
        "different": int(stats.unique),
    }
    buckets = stats.rank_histogram.buckets
    if len(buckets) <= _VALUES:
        found["counts"] = {b.label: int(b.sample_count) for b in buckets}
    return found


def schema_view(content: bytes) -> dict[str, Any]:
    """A contract.

    Args:
      content: Of a `schema.pbtxt`.

    Returns:
      By column `type`, `presence` (smallest share of rows with a value, or None), `values` (those
      that exist, or None), `low` and `high` (or None).
    """
    schema = schema_pb2.Schema()
    text_format.Parse(content, schema)
    domains = {domain.name: list(domain.value) for domain in schema.string_domain}
    return {"columns": {f.name: _declared(f, domains) for f in schema.feature}}


def _declared(feature: schema_pb2.Feature, domains: dict[str, list[str]]) -> dict[str, Any]:
    values = domains.get(feature.domain) if feature.domain else None
    if feature.HasField("string_domain"):
        values = list(feature.string_domain.value)
    low = high = None
    for name in ("int_domain", "float_domain"):
        if feature.HasField(name):
            domain = getattr(feature, name)
            low = domain.min if domain.HasField("min") else None
            high = domain.max if domain.HasField("max") else None
    presence = feature.presence
    return {
        "type": schema_pb2.FeatureType.Name(feature.type),
        "presence": presence.min_fraction if presence.HasField("min_fraction") else None,
        "values": values,
        "low": low,
        "high": high,
    }
