"""Answers a file of rows by a pushed version, all of them or none: the output appears whole."""

import json
import pickle
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core import csv_text
from core.errors import InputError
from core.files import write_atomically
from pipeline.prediction import batch_files
from pipeline.run.environment import prepare
from pipeline.serving.outputs import check_classes
from pipeline.versions.served import Version, VersionRequest


@dataclass(frozen=True)
class PredictRequest(VersionRequest):
    """A file to be answered.

    Attributes:
      source: Rows.
      output: Of the answers.
      bad_rows: Of the rows that are refused, if there are any.
    """

    source: Path
    output: Path
    bad_rows: Path


@dataclass(frozen=True)
class PredictCounts:
    """Rows that were answered by a version, and rows that were refused."""

    version: int
    answered: int
    refused: int


def predict(request: PredictRequest, tell: Callable[[str], None]) -> PredictCounts:
    """Answers all rows of the file that can be, by Beam with the options of the DAG.

    Raises:
        InputError: file, columns, version or output are at fault, or no row can be answered; the
            output is as it was.
    """
    version = request.find()
    _check_paths(request)
    output = request.output
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=output.parent) as scratch:
        folder = Path(scratch)
        prepare()
        inputs = _inputs(request, version)
        chunks = _write_chunks(request.source, inputs, folder)
        tell(f"{request.target} version {version.version} answers {len(chunks)} chunks")
        header = _answer(request, version, inputs, chunks)
        bad = []
        for path in chunks:
            bad += json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
        whole = folder / f"whole{output.suffix}"
        batch_files.write_table(whole, header, _parts(chunks))
        answered = _rows(chunks)
        _write_bad_rows(request.bad_rows, bad)
        if not answered:
            raise InputError(
                f"{request.source}: none of its {len(bad)} rows can be answered; "
                f"{request.bad_rows} says why"
            )
        whole.replace(output)
    return PredictCounts(version.version, answered, len(bad))


def _check_paths(request: PredictRequest) -> None:
    output = request.output
    if output.suffix not in batch_files.OUTPUTS:
        raise InputError(
            f"--output {output}: answers are written to files that end in "
            f"{' or '.join(batch_files.OUTPUTS)}"
        )
    for path in (output, request.bad_rows):
        if not path.parent.is_dir():
            raise InputError(f"{path}: there is no folder {path.parent}; make it first")
        if path.is_dir():
            raise InputError(f"{path}: is a folder; name a file")
    paths = {p.resolve() for p in (request.source, output, request.bad_rows)}
    if len(paths) < 3:
        raise InputError(f"{output}: input, output and bad rows have to be three files")


def _inputs(request: PredictRequest, version: Version) -> tuple[str, ...]:
    """The columns that a version takes; it stays loaded for the answers.

    Raises:
      InputError: It answers other classes than the configuration names.
    """
    from pipeline.prediction import answering  # loads Beam

    model = answering.load_ahead(request.target, str(version.path))
    try:
        check_classes(model.classes, request.config.columns.names)
    except ValueError as error:
        raise InputError(f"{request.target} version {version.version}: {error}") from error
    return (*model.numbers, *model.texts)


def _write_chunks(source: Path, inputs: tuple[str, ...], folder: Path) -> list[str]:
    """Chunks as files, in order: Beam's runner would hold them all in memory."""
    paths = []
    for number, chunk in enumerate(batch_files.read(source, inputs)):
        path = folder / f"{number:08d}"
        path.write_bytes(pickle.dumps(chunk))
        paths.append(str(path))
    return paths


def _answer(
    request: PredictRequest, version: Version, inputs: tuple[str, ...], chunks: list[str]
) -> list[str]:
    """Runs Beam; the columns of the output."""
    import apache_beam as beam  # loads Beam
    from apache_beam.options.pipeline_options import PipelineOptions  # loads Beam

    from pipeline.prediction import answering  # loads Beam
    from pipeline.settings import beam_args  # loads TensorFlow

    config = request.config
    first: batch_files.Chunk = pickle.loads(Path(chunks[0]).read_bytes())
    asked = answering.Asked(
        request.target,
        version.version,
        str(version.path),
        str(config.schema_path),
        config.columns.names,
        config.serving.out_of_domain == "refuse",
        config.columns.dates,
    )
    added = answering.added(asked.classes)
    _check_columns(first, request, version, inputs, added)
    with beam.Pipeline(options=PipelineOptions(beam_args(config))) as pipeline:
        _ = (
            pipeline
            | "Chunks" >> beam.Create(chunks)
            | "Spread" >> beam.Reshuffle()
            | "Answer" >> beam.ParDo(answering.AnswerChunks(asked))
        )
    return list(pq.read_schema(f"{chunks[0]}.parquet").names)


def _check_columns(
    first: batch_files.Chunk,
    request: PredictRequest,
    version: Version,
    inputs: tuple[str, ...],
    added: tuple[str, ...],
) -> None:
    if first.columns is None:
        return
    source = request.source
    missing = [name for name in inputs if name not in first.columns]
    if missing:
        raise InputError(
            f"{source}: column '{missing[0]}' is missing; version {version.version} of "
            f"{request.target} takes {', '.join(inputs)}"
        )
    for column in added:
        if column in first.columns:
            raise InputError(f"{source}: column '{column}' is one that answers get; rename it")


def _parts(chunks: list[str]) -> Iterator[pa.Table]:
    for path in chunks:
        yield pq.read_table(f"{path}.parquet")


def _rows(chunks: list[str]) -> int:
    return sum(pq.read_metadata(f"{path}.parquet").num_rows for path in chunks)


def _write_bad_rows(path: Path, bad: list[list[object]]) -> None:
    """Row numbers from 1, columns and reasons; what an earlier call left is removed."""
    if not bad:
        path.unlink(missing_ok=True)
        return
    lines = [["row", "column", "reason"], *([str(cell) for cell in row] for row in bad)]
    write_atomically(path, "".join(csv_text.to_lines(lines)))
