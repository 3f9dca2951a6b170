"""StatisticsGen: TensorFlow Data Validation's statistics of every split, one Beam element a split.

In: `examples`. Out: `statistics`, in the files and with the values of TFX's component of this name.
Fails with InputError when a file of examples is damaged.

TFX's component spreads the accumulators of a split over some fifty Beam stages, which for data of
this size costs several times more than the statistics. Here TFDV's own generators are fed batch by
batch. Their sketches bound the memory: up to 1,024 different values of a column are counted
exactly, more approximately.
"""

import os
from collections.abc import Iterable

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics import stats_impl
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen.executor import DEFAULT_FILE_NAME
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, ExampleStatistics

from components.artifacts import split_pattern
from components.beam import record_batches


def statistics_of(batches: Iterable[pa.RecordBatch]) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Statistics of all rows, in TFDV's form and with TFDV's default options.

    Args:
      batches: Rows, each column a list.
    """
    generators = stats_impl.get_generators(tfdv.StatsOptions(), in_memory=True)
    accumulators = [generator.create_accumulator() for generator in generators]
    for batch in batches:
        accumulators = [
            generator.add_input(accumulator, batch)
            for generator, accumulator in zip(generators, accumulators, strict=True)
        ]
    return stats_impl.extract_statistics_output(accumulators, generators)


def write_statistics(source: str, target: str) -> None:
    """Writes the statistics of the TFRecord files that match the pattern `source`."""
    files = sorted(fileio.glob(source))
    found = statistics_of(batch for path in files for batch in record_batches.read(path))
    with fileio.open(target, "wb") as file:
        file.write(found.SerializeToString())


@component(use_beam=True)
def StatisticsGen(  # noqa: N802 - TFX takes the node's id from the name
    examples: InputArtifact[Examples],
    statistics: OutputArtifact[ExampleStatistics],
    code_sha256: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Computes statistics; see the module's docstring."""
    statistics.split_names = examples.split_names
    statistics.span = examples.span
    jobs = []
    for split in artifact_utils.decode_split_names(examples.split_names):
        folder = artifact_utils.get_split_uri([statistics], split)
        fileio.makedirs(folder)
        jobs.append((split_pattern(examples, split), os.path.join(folder, DEFAULT_FILE_NAME)))
    with beam_pipeline as pipeline:
        _ = pipeline | beam.Create(jobs) | beam.MapTuple(write_statistics)
