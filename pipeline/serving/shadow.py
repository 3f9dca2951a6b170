"""A version that is asked the same as the live one, whose answers only the log sees."""

from dataclasses import dataclass
from typing import Any

from pipeline.serving.errors import RequestError
from pipeline.serving.rows import RequestRows
from pipeline.serving.versions import Servable, Versions

MOST_WAITING = 1000
"""Requests that wait for the shadow; those beyond are logged without."""


@dataclass(frozen=True)
class Shadow:
    """Who answers beside the live version.

    Attributes:
      target: Its target.
      label, version: Which version of it; a label where no number is given.
      versions: Those of the target that are loaded.
    """

    target: str
    label: str | None
    version: int | None
    versions: Versions

    async def answer(self, live: Servable, rows: RequestRows) -> dict[str, Any]:
        """`target`, `version` and `answers` of the rows, or why there are none: `error`."""
        told: dict[str, Any] = {"target": self.target}
        try:
            found = self.versions.find(self.versions.name, self.version, self.label)
            told["version"] = found.version
            answers = await found.answer(as_asked(rows, live, found))
        except RequestError as error:
            return {**told, "error": error.message}
        return {**told, "answers": answers.tolist()}


def as_asked(rows: RequestRows, live: Servable, other: Servable) -> RequestRows:
    """Rows with their columns in the order of another model.

    Raises:
      RequestError: It takes a column that the live version does not.
    """
    if live.checker.names == other.checker.names:
        return rows
    orders = []
    for own, wanted in (
        (live.model.numbers, other.model.numbers),
        (live.model.texts, other.model.texts),
    ):
        if missing := [name for name in wanted if name not in own]:
            raise RequestError(f"it takes column '{missing[0]}', which the live version does not")
        orders.append([own.index(name) for name in wanted])
    numbers, texts = orders
    return RequestRows(
        [tuple(row[at] for at in numbers) for row in rows.numbers],
        [tuple(row[at] for at in texts) for row in rows.texts],
        rows.examples if other.by_examples is not None else None,
    )
