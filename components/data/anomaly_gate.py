"""AnomalyGate: stops the run before anything is learnt from data that breaks the contract.

In: the anomalies that ExampleValidator found, the statistics and the contract they come from.
Out: `anomaly_report`, the anomalies that were accepted or lie below the configured severity.
Fails with InputError when an anomaly of that severity or above is left; the message names the
split, the feature, the problem, the rows and what to do.
"""

import dataclasses
import os
from pathlib import Path

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics, Schema

from components.artifacts import AnomalyReport
from core.errors import InputError
from core.files import write_json
from core.names import ANOMALY_REPORT
from core.sections.data import AnomaliesSection

DATASET = "(data set)"

_Type = anomalies_pb2.AnomalyInfo.Type
_OUT_OF_RANGE = {
    _Type.INT_TYPE_BIG_INT: "correct the values, or raise its max",
    _Type.INT_TYPE_SMALL_INT: "correct the values, or lower its min",
    _Type.FLOAT_TYPE_BIG_FLOAT: "correct the values, or raise its max",
    _Type.FLOAT_TYPE_SMALL_FLOAT: "correct the values, or lower its min",
}
_ABSENT = {_Type.FEATURE_TYPE_LOW_FRACTION_PRESENT, _Type.FEATURE_TYPE_NOT_PRESENT}
_REMEDIES = {
    _Type.ENUM_TYPE_UNEXPECTED_STRING_VALUES: "correct the values, or add them to its domain",
    _Type.SCHEMA_NEW_COLUMN: "remove the column, or describe it",
    _Type.SCHEMA_MISSING_COLUMN: "bring the column back, or remove it",
    _Type.FEATURE_TYPE_NOT_PRESENT: "bring the values back, or lower its presence",
    _Type.FEATURE_TYPE_LOW_FRACTION_PRESENT: "fill the empty cells, or lower its min_fraction",
    **_OUT_OF_RANGE,
}


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """One thing in which a split breaks the contract.

    Attributes:
      split: Split of the examples.
      feature: Column, or "(data set)".
      severity: WARNING or ERROR.
      problem: What TensorFlow Data Validation says.
      rows: Rows concerned; None where the statistics do not tell.
      total: Rows of the split.
      remedy: What to change, in the data or in the contract.
    """

    split: str
    feature: str
    severity: str
    problem: str
    rows: int | None
    total: int
    remedy: str

    def __str__(self) -> str:
        rows = "" if self.rows is None else f" ({self.rows} of {self.total} rows)"
        return (
            f"{self.severity} split '{self.split}', feature '{self.feature}'{rows}: {self.problem}"
        )


def find_anomalies(
    split: str,
    anomalies: anomalies_pb2.Anomalies,
    statistics: statistics_pb2.DatasetFeatureStatistics,
    schema: schema_pb2.Schema,
) -> list[Anomaly]:
    """Turns TFDV's anomalies of one split into ours, with the number of rows concerned."""
    features = {f.name or ".".join(f.path.step): f for f in statistics.features}
    total = int(statistics.num_examples)
    found = []
    infos = dict(anomalies.anomaly_info)
    if anomalies.HasField("dataset_anomaly_info"):
        infos[DATASET] = anomalies.dataset_anomaly_info
    for name, info in sorted(infos.items()):
        types = [reason.type for reason in info.reason]
        remedies = [_REMEDIES[t] for t in types if t in _REMEDIES]
        found.append(
            Anomaly(
                split=split,
                feature=name,
                severity=anomalies_pb2.AnomalyInfo.Severity.Name(info.severity),
                problem=" ".join(r.description for r in info.reason) or info.description,
                rows=affected_rows(types, features.get(name), name, schema),
                total=total,
                remedy="; ".join(remedies or ["correct the data, or change the contract"]),
            )
        )
    return found


def affected_rows(
    types: list[int],
    feature: statistics_pb2.FeatureNameStatistics | None,
    name: str,
    schema: schema_pb2.Schema,
) -> int | None:
    """Rows that an anomaly concerns, from the statistics; None where they do not tell.

    Counts of numbers out of range come from the histogram and are rounded up to one.
    """
    if feature is None:
        return None
    common = getattr(feature, feature.WhichOneof("stats")).common_stats
    if _Type.ENUM_TYPE_UNEXPECTED_STRING_VALUES in types:
        known = set(tfdv.get_domain(schema, name).value)
        buckets = feature.string_stats.rank_histogram.buckets
        return int(sum(b.sample_count for b in buckets if b.label not in known))
    if _ABSENT & set(types):
        return int(common.num_missing)
    if _OUT_OF_RANGE.keys() & set(types):
        domain = tfdv.get_domain(schema, name)
        outside = [
            bucket.sample_count
            for histogram in feature.num_stats.histograms[:1]
            for bucket in histogram.buckets
            if (domain.HasField("max") and bucket.low_value > domain.max)
            or (domain.HasField("min") and bucket.high_value < domain.min)
        ]
        return max(1, round(sum(outside)))
    return int(common.num_non_missing) if _Type.SCHEMA_NEW_COLUMN in types else None


def check(anomalies: list[Anomaly], settings: AnomaliesSection, contract: str) -> None:
    """Raises InputError when an anomaly is severe enough and not accepted.

    Args:
      anomalies: All anomalies of the run.
      settings: What is severe enough, and what is accepted.
      contract: Path of the schema, for the message.
    """
    blocking = {"WARNING": ("WARNING", "ERROR"), "ERROR": ("ERROR",)}[settings.severity]
    left = [a for a in anomalies if a.severity in blocking and a.feature not in settings.accept]
    if not left:
        return
    lines = [f"{len(left)} anomalies against the contract {contract}; nothing was trained:"]
    for anomaly in left:
        lines += [f"  {anomaly}", f"    to mend: {anomaly.remedy} in {contract}"]
    names = sorted({*settings.accept, *(a.feature for a in left)})
    lines.append(f"  to accept: --set 'anomalies.accept=[{', '.join(names)}]'")
    raise InputError("\n".join(lines))


@component
def AnomalyGate(  # noqa: N802 - TFX takes the node's id from the name
    anomalies: InputArtifact[ExampleAnomalies],
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    anomaly_report: OutputArtifact[AnomalyReport],
    settings: Parameter[str],
    contract: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Stops the run on anomalies; see the module's docstring.

    Args:
      settings: JSON of the section `anomalies`.
      contract: Path of the schema, for the message.
    """
    contract_schema = tfdv.load_schema_text(os.path.join(schema.uri, "schema.pbtxt"))
    found = []
    for split in artifact_utils.decode_split_names(anomalies.split_names):
        path = Path(anomalies.uri, f"Split-{split}", "SchemaDiff.pb")
        split_anomalies = anomalies_pb2.Anomalies.FromString(path.read_bytes())
        dataset = stats_artifact_utils.load_statistics(statistics, split).proto().datasets[0]
        found += find_anomalies(split, split_anomalies, dataset, contract_schema)
    check(found, AnomaliesSection.model_validate_json(settings), contract)
    write_json(Path(anomaly_report.uri, ANOMALY_REPORT.file), found)
