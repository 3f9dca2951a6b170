"""A pipeline of three nodes, made of real TFX parts, for the tests of the runner.

Make (writes examples) -> Work (is given them, and does what MINI_WORK in the environment says) ->
Last (copies what Work wrote).
"""

import errno
import os
import random
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx.components.util import examples_utils
from tfx.dsl.component.experimental.annotations import (
    BeamComponentParameter,
    InputArtifact,
    OutputArtifact,
    Parameter,
)
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, Model

from core.config import Config
from core.errors import InputError
from data.census.spans import split_rows
from pipeline.ingestion.staging import Staged
from pipeline.metadata.connection import connection_config, without_password
from pipeline.settings import beam_args

ROWS = 2000
WORKING = "working"  # a file in the working directory: Work has begun


@component
def Make(examples: OutputArtifact[Examples], rows: Parameter[int]) -> None:  # noqa: N802
    """Writes `rows` examples."""
    examples.split_names = artifact_utils.encode_split_names(["train"])
    examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
    folder = Path(examples.uri) / "Split-train"
    folder.mkdir()
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001.gz"), options) as writer:
        for number in range(rows):
            content = random.Random(number).randbytes(8)
            value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
            features = tf.train.Features(feature={"value": value})
            writer.write(tf.train.Example(features=features).SerializeToString())


@component(use_beam=True)
def Work(  # noqa: N802
    examples: InputArtifact[Examples],
    model: OutputArtifact[Model],
    label: Parameter[str],
    beam_pipeline: BeamComponentParameter[beam.Pipeline] = None,
) -> None:
    """Writes half a model, then does what it is told."""
    del examples
    (Path(model.uri) / "model.txt").write_text("half")
    task = os.environ.get("MINI_WORK", "finish")
    if task == "finish":
        (Path(model.uri) / "model.txt").write_text("whole")
    elif task == "sleep":
        Path(os.environ["MINI_ROOT"], WORKING).touch()
        time.sleep(60)
    elif task in ("make an error of a signal", "swallow a signal"):
        try:
            Path(os.environ["MINI_ROOT"], WORKING).touch()
            time.sleep(60)
        except KeyboardInterrupt as error:
            if task != "swallow a signal":
                raise RuntimeError("a worker failed") from error
        (Path(model.uri) / "model.txt").write_text("whole")
    elif task == "meet":
        _meet(Path(os.environ["MINI_ROOT"]), label)
        (Path(model.uri) / "model.txt").write_text("whole")
    elif task == "fill":
        with open(Path(model.uri) / "big", "wb") as file:
            while True:
                file.write(b"\0" * 2**20)
    elif task == "beam":
        with beam_pipeline as pipeline:
            _ = pipeline | beam.Create([3]) | "Judge" >> beam.Map(reject)
    elif task == "user code":
        split_rows([], 3)
    elif task in _ERRORS:
        raise _ERRORS[task]


@component
def Last(model: InputArtifact[Model], copy: OutputArtifact[Model]) -> None:  # noqa: N802
    """Copies the model."""
    (Path(copy.uri) / "model.txt").write_text((Path(model.uri) / "model.txt").read_text())


def _meet(folder: Path, name: str, others: int = 1) -> None:
    """Waits until others have come to this point, too."""
    (folder / f"{WORKING}-{name}").touch()
    deadline = time.monotonic() + 60
    while len(list(folder.glob(f"{WORKING}-*"))) <= others:
        assert time.monotonic() < deadline, "nobody came"
        time.sleep(0.05)


_ERRORS: dict[str, Exception] = {
    "input error": InputError("age: row 3 is wrong"),
    "tensorflow disk full": tf.errors.ResourceExhaustedError(
        None, None, "/x/y; No space left on device"
    ),
    "disk full": OSError(errno.ENOSPC, "No space left on device"),
}


def reject(number: int) -> Any:
    """Fails in a Beam worker."""
    raise InputError(f"column 'age': {number} is\nnot allowed")


def build(config: Config, staged: Staged, folder: Path) -> Pipeline:
    """The three nodes; `config.seed` is a parameter of Work."""
    del staged
    make = Make(rows=ROWS)
    work = Work(examples=make.outputs["examples"], label=str(config.seed))
    last = Last(model=work.outputs["model"])
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=str(folder / "artifacts"),
        metadata_connection_config=without_password(connection_config(config, folder)),
        components=[make, work, last],
        enable_cache=True,
        beam_pipeline_args=beam_args(config),
    )
