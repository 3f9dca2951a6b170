"""Answers chunks of rows in Beam, checked as `serve` checks them; what is refused is set apart."""

import importlib
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.sections.columns import DateFormat
from core.targets import TARGETS
from models.export.served import ServedModel
from pipeline.prediction.batch_files import Chunk
from pipeline.prediction.cells import cell_of
from pipeline.serving.contract import read_columns
from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.outputs import chosen
from pipeline.serving.rows import RequestRows, RowChecker

_ARROW = {"BYTES": pa.string(), "INT": pa.int64(), "FLOAT": pa.float64()}
BadRow = tuple[int, str, str]  # number, column, reason
_LOADED: dict[tuple[str, str], ServedModel] = {}


@dataclass(frozen=True)
class Asked:
    """Who is asked, small enough to hand to another process.

    Attributes:
      target, version, folder: The version.
      contract: Path of the schema.
      classes: By their codes; of two negative, positive.
      refuse: Whether values outside domains and ranges are refused.
      dates: `columns.dates` of the configuration.
    """

    target: str
    version: int
    folder: str
    contract: str
    classes: tuple[str, ...]
    refuse: bool
    dates: dict[str, DateFormat] = field(default_factory=dict)


def added(classes: Sequence[str]) -> tuple[str, ...]:
    """The columns that answers get; of more than two classes the probability of each."""
    if len(classes) == 2:
        return ("probability", "prediction", "version")
    return (*(f"probability[{name}]" for name in classes), "class", "version")


def load_ahead(target: str, folder: str) -> ServedModel:
    """Loads a version of a target; the next `AnswerChunks` of this process takes it over."""
    return _LOADED.setdefault((target, folder), _load(target, folder))


def _load(target: str, folder: str) -> ServedModel:
    model: ServedModel = importlib.import_module(TARGETS[target].loader).load(Path(folder))
    return model


class AnswerChunks(beam.DoFn):
    """From the path of a pickled Chunk to files beside it: .parquet of rows, .json of bad rows."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def setup(self) -> None:
        """Loads the model, unless there is one that nobody has taken: one thread asks a model."""
        asked = self._asked
        taken = _LOADED.pop((asked.target, asked.folder), None)
        self._model = _load(asked.target, asked.folder) if taken is None else taken
        self._contract = read_columns(Path(asked.contract), asked.dates)
        columns = (self._model.numbers, self._model.texts)
        most = 2**62  # a chunk has few
        self._checker = RowChecker(self._contract, *columns, asked.refuse, most)

    def process(self, path: str) -> Iterator[tuple[int, int]]:
        """Yields how many rows were answered, and how many were not."""
        chunk: Chunk = pickle.loads(Path(path).read_bytes())
        rows, kept, bad = self._check(chunk)
        table = self._answer(chunk, rows, kept)
        pq.write_table(table, f"{path}.parquet")
        Path(f"{path}.json").write_text(json.dumps(bad), encoding="utf-8")
        yield len(kept), len(bad)

    def _check(self, chunk: Chunk) -> tuple[RequestRows, list[int], list[BadRow]]:
        """All rows at once; one by one where that shows a fault."""
        everything = list(range(len(chunk.rows)))
        try:
            return self._rows(chunk, everything), everything, []
        except (CellError, RequestError):
            pass
        good: list[int] = []
        bad: list[BadRow] = []
        for at in everything:
            try:
                self._rows(chunk, [at])
                good.append(at)
            except CellError as error:
                bad.append((chunk.first + at, error.column, error.args[0]))
            except RequestError as error:
                bad.append((chunk.first + at, "", error.message))
        return self._rows(chunk, good), good, bad

    def _rows(self, chunk: Chunk, places: Sequence[int]) -> RequestRows:
        if chunk.columns is None:
            return self._checker.of_examples([chunk.rows[at] for at in places])
        for at in places:
            if len(chunk.rows[at]) != len(chunk.columns):
                raise RequestError(
                    f"{len(chunk.rows[at])} cells, the header has {len(chunk.columns)} columns"
                )
        where = {name: chunk.columns.index(name) for name in self._checker.names}
        return self._checker.of_columns(
            {
                column.name: [
                    cell_of(row, column, chunk.rows[at][where[column.name]])
                    for row, at in enumerate(places)
                ]
                for column in self._checker.columns()
            }
        )

    def _answer(self, chunk: Chunk, rows: RequestRows, kept: Sequence[int]) -> pa.Table:
        texts = np.empty((rows.count, len(self._model.texts)), object)
        if rows.count and self._model.texts:
            texts[:] = rows.texts
        asked = np.array(rows.numbers, np.float64).reshape(rows.count, len(self._model.numbers))
        classes = self._asked.classes
        width = 1 if len(classes) == 2 else len(classes)
        answers = self._model.answer(asked, texts) if rows.count else np.zeros((0, width))
        arrays = self._kept(chunk, rows, kept)
        *of_answers, of_class, of_version = added(classes)
        for name, column in zip(of_answers, answers.reshape(-1, width).T, strict=True):
            arrays[name] = pa.array(column.astype(np.float64), pa.float64())
        arrays[of_class] = pa.array(chosen(answers, classes), pa.string())
        arrays[of_version] = pa.array([self._asked.version] * rows.count, pa.int64())
        return pa.table(arrays)

    def _kept(
        self, chunk: Chunk, rows: RequestRows, kept: Sequence[int]
    ) -> dict[str, pa.ChunkedArray | pa.Array]:
        """What was asked, in the types that it came in; of tf.Examples what the model takes."""
        if chunk.table is not None:
            taken = chunk.table.take(pa.array(kept, pa.int64()))
            return dict(zip(taken.column_names, taken.columns, strict=True))
        if chunk.columns is not None:
            cells = [chunk.rows[at] for at in kept]
            return {
                name: pa.array([row[at] for row in cells], pa.string())
                for at, name in enumerate(chunk.columns)
            }
        numbers_and_texts = [
            *zip(*rows.numbers, strict=True), *zip(*rows.texts, strict=True)
        ] or [()] * len(self._checker.names)  # fmt: skip
        return {
            column.name: pa.array(
                [None if value == "" or value != value else value for value in values],
                _ARROW[column.kind],
            )
            for column, values in zip(self._checker.columns(), numbers_and_texts, strict=True)
        }
