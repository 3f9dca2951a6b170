"""FeatureSelector: narrows the contract to the columns that the models learn from.

It drops what is nearly empty or nearly constant, and by scores on the labelled training rows what
`features.keep` says. In weak mode the labels that are scored on are made; whether noise hurts is
judged by rows that weigh more than such a row can: they have their true label.

In: the training statistics, the contract and the labelled examples. Out: `selected_schema`, which
also holds the label and the weight that labelling added and the slice columns (one that was dropped
is marked, and no model sees it); `feature_report`, the reason for each drop and the scores of all
columns. Fails with InputError when no column is left.
"""

import dataclasses
import os
from pathlib import Path

import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tensorflow_transform.tf_metadata.schema_utils import schema_as_feature_spec
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, ExampleStatistics, Schema

from components.artifacts import FeatureReport, split_pattern
from core.errors import InputError
from core.files import write_json
from core.names import FEATURE_REPORT, LABEL, WEIGHT
from core.sections.features import Selection
from core.sections.labeling import LabelSource
from core.sections.section import Section
from models.export.raw_rows import parse_rows
from models.features.choosing import ColumnChoice, ColumnScore, choose_by_scores, sample_of
from models.network.layout import Preprocessing, layout_of, not_a_feature
from models.network.rows import load_records
from models.reference.columns import table_of
from models.reference.models import Labelled


class FeatureSettings(Section):
    """What FeatureSelector goes by.

    Attributes:
      features: The section of the configuration, as far as it chooses columns.
      labeling: Whether labels are made.
      preprocessing: What kind each column is of.
      columns: What the models may learn from.
      label: The column with the true label, as it is in the contract.
      passed_through: Slice columns.
      hidden: Columns that the models are not to see, by `fairness.reads_column`.
      needed: Columns that are not dropped by their scores: those by whose groups thresholds differ.
      seed: Of draws of rows.
    """

    features: Selection
    labeling: LabelSource
    preprocessing: Preprocessing
    columns: tuple[str, ...]
    label: str
    passed_through: tuple[str, ...]
    hidden: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Drop:
    """A column that the models do not see, and why."""

    column: str
    reason: str


def find_drops(
    statistics: statistics_pb2.DatasetFeatureStatistics, columns: list[str], features: Selection
) -> list[Drop]:
    """Columns that are nearly empty or nearly constant in the training rows.

    Args:
      statistics: Of the training split.
      columns: Candidates.
      features: The smallest share of rows with a value, and the largest share of rows with one and
        the same value.
    """
    measured = {f.name or ".".join(f.path.step): f for f in statistics.features}
    drops = []
    for column in columns:
        if column not in measured:
            drops.append(Drop(column, "not in the data"))
            continue
        presence, share = _presence_and_share(measured[column], statistics.num_examples)
        if presence < features.min_presence:
            bound = f"below {features.min_presence:.2%}"
            drops.append(Drop(column, f"present in {presence:.2%} of rows, {bound}"))
        elif share > features.max_share:
            bound = f"above {features.max_share:.2%}"
            drops.append(Drop(column, f"one value in {share:.2%} of rows, {bound}"))
    return drops


def choose(
    statistics: statistics_pb2.DatasetFeatureStatistics | None, told: FeatureSettings
) -> tuple[list[str], list[Drop]]:
    """The columns that the models learn from, and why they do not from the others.

    Args:
      statistics: Of the training split; None where nothing is chosen by them.
      told: What to go by.

    Raises:
      InputError: No column is left.
    """
    drops = [Drop(c, "fairness.reads_column=false") for c in told.columns if c in told.hidden]
    shown = [column for column in told.columns if column not in told.hidden]
    if statistics is not None:
        drops += find_drops(statistics, shown, told.features)
    dropped = {drop.column for drop in drops}
    kept = [column for column in shown if column not in dropped]
    if not kept:
        reasons = "; ".join(f"{d.column}: {d.reason}" for d in drops)
        raise InputError(f"features: no column is left to learn from ({reasons})")
    return kept, drops


def score(
    patterns: list[str], contract: schema_pb2.Schema, columns: list[str], told: FeatureSettings
) -> ColumnChoice:
    """Scores columns on labelled training rows, of which a sample is read, and narrows them.

    Args:
      patterns: File patterns of the rows.
      contract: What the columns hold.
      columns: To choose from.
      told: What to go by.
    """
    examples = load_records(patterns)
    weights = parse_rows(examples, {WEIGHT: tf.io.VarLenFeature(tf.float32)}).columns[WEIGHT]
    judged = weights > (1.0 if told.labeling.mode == "weak" else 0.0)
    drawn = sample_of(weights, judged, len(columns), told.seed)
    layout = layout_of(columns, told.preprocessing)
    if not len(drawn):
        return ColumnChoice(columns, {}, [], "not scored: no row has a label")
    types = schema_as_feature_spec(contract).feature_spec
    spec = {name: tf.io.VarLenFeature(types[name].dtype) for name in layout.columns}
    spec[LABEL] = tf.io.FixedLenFeature([told.preprocessing.outputs], tf.float32)
    found = parse_rows([examples[row] for row in drawn], spec).columns
    labels = found[LABEL].reshape(len(drawn), -1)
    rows = Labelled(table_of(found, layout), labels, weights[drawn])
    count = int((weights > 0).sum())
    keep = told.features.keep
    chosen = choose_by_scores(rows, columns, keep, judged[drawn], count, told.seed)
    reasons = {name: why for name, why in chosen.reasons.items() if name not in told.needed}
    kept = [name for name in columns if name not in reasons]
    return dataclasses.replace(chosen, kept=kept, reasons=reasons)


def narrow(
    schema: schema_pb2.Schema, columns: list[str], passed_through: list[str], dropped: set[str]
) -> schema_pb2.Schema:
    """The contract for the given columns, plus `label` and `weight` (FLOAT, TRAINING only).

    Args:
      schema: The contract.
      columns: What the models learn from.
      passed_through: Slice columns.
      dropped: Columns that the models would learn from, had they not been dropped; those that are
        sliced on get a mark beside them.
    """
    kept = {*columns, *passed_through}
    narrowed = schema_pb2.Schema()
    narrowed.CopyFrom(schema)
    del narrowed.feature[:]
    narrowed.feature.extend(f for f in schema.feature if f.name in kept)
    for name in (LABEL, WEIGHT):
        feature = narrowed.feature.add(name=name, type=schema_pb2.FLOAT)
        feature.value_count.min = feature.value_count.max = 1
        feature.not_in_environment.append("SERVING")
    for name in passed_through:
        if name in dropped:
            narrowed.feature.add(name=not_a_feature(name), type=schema_pb2.BYTES)
    return narrowed


def _presence_and_share(
    feature: statistics_pb2.FeatureNameStatistics, rows: int
) -> tuple[float, float]:
    """Share of rows with a value, and share of those that have the most frequent one."""
    if feature.HasField("string_stats"):
        present = feature.string_stats.common_stats.tot_num_values
        counts = [v.frequency for v in feature.string_stats.top_values[:1]]
    else:
        present = feature.num_stats.common_stats.tot_num_values
        constant = feature.num_stats.min == feature.num_stats.max
        counts = [present if constant else feature.num_stats.num_zeros]
    return present / max(rows, 1), (counts or [0])[0] / max(present, 1)


def not_listed(contract: schema_pb2.Schema, told: FeatureSettings) -> list[Drop]:
    """Columns of the contract that nothing reads; the label is one that no model may see."""
    known = {*told.columns, *told.passed_through}
    reasons = {told.label: "the label"}
    return [
        Drop(f.name, reasons.get(f.name, "not listed in columns"))
        for f in contract.feature
        if f.name not in known
    ]


@component
def FeatureSelector(  # noqa: N802 - TFX takes the node's id from the name
    statistics: InputArtifact[ExampleStatistics],
    schema: InputArtifact[Schema],
    labeled_examples: InputArtifact[Examples],
    selected_schema: OutputArtifact[Schema],
    feature_report: OutputArtifact[FeatureReport],
    settings: Parameter[str],
    code_sha256: Parameter[str],
) -> None:
    """Narrows the contract by `settings`, JSON of `FeatureSettings`; see the module's docstring."""
    told = FeatureSettings.model_validate_json(settings)
    contract = tfdv.load_schema_text(os.path.join(schema.uri, "schema.pbtxt"))
    training = None
    if told.features.select:
        training = stats_artifact_utils.load_statistics(statistics, "train").proto().datasets[0]
    kept, drops = choose(training, told)
    scores: list[ColumnScore] = []
    note = "not scored: features.select is false"
    if told.features.select:
        chosen = score([split_pattern(labeled_examples, "train")], contract, kept, told)
        kept, scores, note = chosen.kept, chosen.scores, chosen.note
        drops += [Drop(column, reason) for column, reason in chosen.reasons.items()]
    dropped = {drop.column for drop in drops}
    drops += not_listed(contract, told)
    narrowed = narrow(contract, kept, list(told.passed_through), dropped)
    tfdv.write_schema_text(narrowed, os.path.join(selected_schema.uri, "schema.pbtxt"))
    report = {"kept": kept, "dropped": drops, "note": note, "scores": scores}
    write_json(Path(feature_report.uri, FEATURE_REPORT.file), report)
