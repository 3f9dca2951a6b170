"""Which cells of date columns are not of the format that the configuration gives.

To a model such a value is a missing one. Many of them are a wrong format.
"""

from collections import Counter
from collections.abc import Iterable

from core.config import Config
from core.csv_text import shown
from core.errors import InputError
from models.columns.date_formats import date_column, reader_of
from pipeline.ingestion.spans import SourceFile, SpanFinding, part_of
from pipeline.ingestion.tables import Table


class DateCells:
    """Counts the cells of each part and column."""

    def __init__(self, config: Config) -> None:
        self._bound = config.data.max_unreadable_dates
        self._formats = {name: date.format for name, date in config.columns.dates.items()}
        self._readers = {
            name: reader_of(date_column(name, date.format, date.timezone))
            for name, date in config.columns.dates.items()
        }
        self._known = {name: dict[str, bool]() for name in self._readers}
        self._filled = Counter[tuple[str, str]]()
        self._unread = Counter[tuple[str, str]]()
        self._first: dict[tuple[str, str], str] = {}

    def add(self, file: SourceFile, table: Table, first: int) -> None:
        """Takes rows of a file; `first` is the number of the first."""
        for column, reader in self._readers.items():
            key, known = (file.part, column), self._known[column]
            for cell in set(table[column]).difference(known):
                known[cell] = not cell or reader.read(cell) is not None
            self._filled[key] += len(table[column]) - table[column].count("")
            for row, cell in enumerate(table[column], first):
                if not known[cell]:
                    self._unread[key] += 1
                    self._first.setdefault(key, f"{file.path}: row {row}: '{shown(cell)}'")

    def check(self) -> None:
        """Refuses a part in which too many cells are of another format.

        Raises:
            InputError: names part, column, format and the first of the cells.
        """
        for (part, column), count in self._unread.items():
            share = count / self._filled[part, column]
            if self._bound is not None and share > self._bound:
                raise InputError(
                    f"{part}: column '{column}': {share:.1%} of the values are not of the "
                    f"format '{self._formats[column]}' (columns.dates.{column}.format), "
                    f"data.max_unreadable_dates={self._bound} is the most; the first is in "
                    f"{self._first[part, column]}"
                )

    def findings(self, spans: Iterable[int]) -> tuple[SpanFinding, ...]:
        """What is to be said of the spans that are taken."""
        found = []
        for span in spans:
            part = part_of(span)
            for column in self._readers:
                if count := self._unread[part, column]:
                    found.append(
                        SpanFinding(
                            span,
                            "unreadable dates",
                            f"{count} of {self._filled[part, column]} values in '{column}' "
                            f"are not of the format '{self._formats[column]}' and count as "
                            f"missing; the first is in {self._first[part, column]}",
                        )
                    )
        return tuple(found)
