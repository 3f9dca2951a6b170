"""Writes rows to the files of the splits as they come, so that memory holds some of them only.

Without a draw a row goes to its split at once. With one the rows that it may still take are kept in
scratch files, their places in the draw in memory, until the numbers of rows are known.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from core import csv_text
from core.config import Config
from core.names import ROW_ID, SPLITS
from pipeline.ingestion import rows
from pipeline.ingestion.spans import TEST
from pipeline.ingestion.tables import CHUNK_ROWS, ColumnKinds, Table

Sides = NDArray[np.int8]
"""Number in SPLITS of each row, int8 [rows]."""


class SplitWriter:
    """Makes <folder>/{train,eval,test}/data.csv, which are whole after `finish`."""

    def __init__(self, folder: Path, config: Config, columns: ColumnKinds) -> None:
        """Makes the files, with their headers.

        Args:
            folder: where they go; nothing is in it.
            config: the configuration.
            columns: columns of the rows, in order.
        """
        self._config, self._columns = config, columns
        self._stack = ExitStack()
        header = csv_text.to_lines([[ROW_ID, *columns.kinds, *config.columns.groups]])
        self._files: list[IO[bytes]] = []
        for split in SPLITS:
            (folder / split).mkdir(parents=True)
            file = open(folder / split / "data.csv", "wb")  # noqa: SIM115
            self._files.append(self._stack.enter_context(file))
            file.write(header[0].encode())
        self._counts = [0] * len(SPLITS)
        self._rows_of_part = Counter[str]()
        self._labels = {side: Counter[str]() for side in (False, True)}
        self._draws: dict[bool, _Draw] = {}
        if (most := config.data.rows) is not None:
            for side in (False, True):
                scratch = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
                self._draws[side] = _Draw(self._stack.enter_context(scratch), most)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def add(self, part: str, table: Table, without: NDArray[np.bool_] | None = None) -> None:
        """Takes the next rows of a part; parts come one after another.

        Args:
            part: where they are of.
            table: their cells.
            without: which of all rows of the part are left out, bool [rows].
        """
        config = self._config
        labels = table[config.columns.label]
        start = self._rows_of_part[part] + 1
        self._rows_of_part[part] += len(labels)
        ids = [f"{part}:{number}" for number in range(start, start + len(labels))]
        if without is not None:
            kept = np.flatnonzero(~without[start - 1 : start - 1 + len(labels)]).tolist()
            table = {column: [cells[n] for n in kept] for column, cells in table.items()}
            labels, ids = table[config.columns.label], [ids[n] for n in kept]
        derived = rows.groups(table, config, self._columns)
        lines = csv_text.to_lines(zip(ids, *table.values(), *derived.values(), strict=True))
        test = part == TEST
        if test:
            sides = np.full(len(ids), SPLITS.index("test"), np.int8)
        else:
            sides = rows.in_eval(ids, config.data.eval_fraction, config.seed).astype(np.int8)
        if self._draws:
            self._draws[test].add(lines, labels, sides, rows.draw_places(ids, config.seed))
        else:
            self._write(lines, labels, sides, test)

    def finish(self) -> dict[str, int]:
        """Ends the files; the number of rows of each split.

        Raises:
            InputError: a part lacks a class, a split has no rows.
        """
        self._take_drawn()
        for test, part in ((False, "the training part"), (True, "the test part")):
            rows.check_classes(self._labels[test], part, self._config)
        counts = dict(zip(SPLITS, self._counts, strict=True))
        rows.check_rows(counts)
        self._stack.close()
        return counts

    def _write(self, lines: list[str], labels: list[str], sides: Sides, test: bool) -> None:
        self._labels[test].update(labels)
        for side, file in enumerate(self._files):
            chosen = np.flatnonzero(sides == side).tolist()
            file.write("".join([lines[n] for n in chosen]).encode())
            self._counts[side] += len(chosen)

    def _take_drawn(self) -> None:
        """Writes the rows that were drawn, if there was a draw."""
        of_test = self._rows_of_part[TEST]
        of_train = self._rows_of_part.total() - of_test
        counts = rows.drawn_counts(of_train, of_test, self._config.data.rows)
        for test, draw in self._draws.items():
            for lines, labels, sides in draw.taken(counts[test]):
                self._write(lines, labels, sides, test)


class _Draw:
    """The rows of one part that the draw may take: their lines in a file, the rest in memory."""

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most = file, most
        self._rows = np.zeros(
            0, [("place", "f8"), ("start", "i8"), ("size", "i8"), ("side", "i1"), ("label", "i4")]
        )
        self._end = 0
        self._labels: dict[str, int] = {}

    def add(
        self, lines: list[str], labels: list[str], sides: Sides, places: NDArray[np.float64]
    ) -> None:
        """Takes rows, and forgets those that the draw cannot take any more."""
        encoded = [line.encode() for line in lines]
        self._file.write(b"".join(encoded))
        added = np.zeros(len(lines), self._rows.dtype)
        added["size"] = [len(line) for line in encoded]
        added["start"] = self._end + np.cumsum(added["size"]) - added["size"]
        added["place"], added["side"] = places, sides
        added["label"] = [self._labels.setdefault(c, len(self._labels)) for c in labels]
        self._end += int(added["size"].sum())
        self._rows = np.concatenate([self._rows, added])
        if len(self._rows) > 2 * self._most:
            self._rows = self._rows[rows.drawn_first(self._rows["place"], self._most)]

    def taken(self, count: int) -> Iterator[tuple[list[str], list[str], Sides]]:
        """Lines, labels and sides of the rows that are drawn, in their order, some at a time."""
        names = list(self._labels)
        chosen = self._rows[rows.drawn_first(self._rows["place"], count)]
        for first in range(0, count, CHUNK_ROWS):
            chunk = chosen[first : first + CHUNK_ROWS]
            lines = []
            for start, size in zip(chunk["start"].tolist(), chunk["size"].tolist(), strict=True):
                self._file.seek(start)
                lines.append(self._file.read(size).decode())
            yield lines, [names[n] for n in chunk["label"]], chunk["side"]
