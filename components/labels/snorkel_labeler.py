"""SnorkelLabeler: labels raw Examples by labelling functions and a budget of true labels.

In: Examples with splits train, eval and test, `row_id` and the label column; the anomaly report,
since raw data is gated before it is labelled; the answers of people, gold rows beside the budget.
Out: the same Examples with `label` (float, P(positive)) and `weight` (float), the true label kept
on gold and test rows only; the label report.
Fails with InputError when a labelling function raises or returns no class, when there are fewer
labelled rows than the gold budget or they are all of one class, when a label has an unknown value
or is missing in the test split, and when a file is damaged.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples

from components.artifacts import AnomalyReport, Answers, LabelReport
from components.beam.finding_labels import find_labels
from components.beam.voting_pass import (
    AnsweredLabel,
    LabelerSettings,
    Shard,
    VotedShard,
    make_voter,
    vote,
)
from components.beam.writing_pass import write_labeled, write_test
from core.files import write_json
from core.names import ANSWERS_FILE, LABEL_REPORT

TEST_SPLIT = "test"


def read_answers(uri: str) -> dict[str, AnsweredLabel]:
    """What people said, by row id, from the artifact of AnswerImporter."""
    answers = json.loads(Path(uri, ANSWERS_FILE).read_text(encoding="utf-8"))["answers"]
    return {row_id: AnsweredLabel(**answer) for row_id, answer in answers.items()}


class Vote(beam.DoFn):
    """Applies the labelling functions to shards; remembers what was said from one to the next."""

    def __init__(self, settings: LabelerSettings) -> None:
        self._settings = settings

    def setup(self) -> None:
        """Loads the functions, once for each worker."""
        self._voter = make_voter(self._settings)

    def process(self, shard: Shard) -> Iterator[VotedShard]:
        """Yields the shard with its votes."""
        yield vote(shard, self._settings, self._voter)


def label_shards(
    pipeline: beam.Pipeline,
    training: list[Shard],
    test: list[Shard],
    settings: LabelerSettings,
    report_path: str,
) -> None:
    """Adds the whole work to a Beam pipeline; functions run once, files are read twice."""
    shards = pipeline | "TrainingShards" >> beam.Create(training)
    voted = shards | "Vote" >> beam.ParDo(Vote(settings))
    labels = (
        voted
        | "Tally" >> beam.Map(lambda shard: shard.tally)
        | "AllTallies" >> beam.combiners.ToList()
        | "FindLabels" >> beam.Map(find_labels, settings)
    )
    _ = labels | "WriteReport" >> beam.Map(
        lambda found: write_json(Path(report_path), found.report)
    )
    _ = voted | "WriteLabeled" >> beam.Map(write_labeled, beam.pvalue.AsSingleton(labels), settings)
    _ = pipeline | "TestShards" >> beam.Create(test) | "WriteTest" >> beam.Map(write_test, settings)


def find_shards(examples: Examples, labeled_examples: Examples, split: str) -> list[Shard]:
    """The files of a split with their places in the output, whose folder is made."""
    source = artifact_utils.get_split_uri([examples], split)
    destination = artifact_utils.get_split_uri([labeled_examples], split)
    fileio.makedirs(destination)
    paths = sorted(fileio.glob(os.path.join(source, "*")))
    return [Shard(path, os.path.join(destination, os.path.basename(path))) for path in paths]


@component(use_beam=True)
def SnorkelLabeler(  # noqa: N802 - TFX takes the node's id from the name
    examples: InputArtifact[Examples],
    anomaly_report: InputArtifact[AnomalyReport],
    answers: InputArtifact[Answers],
    labeled_examples: OutputArtifact[Examples],
    label_report: OutputArtifact[LabelReport],
    settings: Parameter[str],
    code_sha256: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Labels the examples as `settings`, JSON of `LabelerSettings` without the answers, asks."""
    told = LabelerSettings.model_validate_json(settings)
    told = told.model_copy(update={"answers": read_answers(answers.uri)})
    labeled_examples.split_names = examples.split_names
    payload_format = example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE
    examples_utils.set_payload_format(labeled_examples, payload_format)
    splits = artifact_utils.decode_split_names(examples.split_names)
    shards = {split: find_shards(examples, labeled_examples, split) for split in splits}
    test = shards.pop(TEST_SPLIT)
    training = [shard for split in shards.values() for shard in split]
    with beam_pipeline as pipeline:
        report_path = os.path.join(label_report.uri, LABEL_REPORT.file)
        label_shards(pipeline, training, test, told, report_path)
