"""Requests that wait together are answered together.

A model is asked in the thread of the event loop: an answer takes less time than handing it to
another thread. What arrives meanwhile waits in its sockets, is read at once when the loop comes
round, and makes up the next batch. So batches grow with the load, and nobody waits for others
unless `wait` says so.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.serving.errors import RequestError

_LOG = logging.getLogger(__name__)
Items = Sequence[Any]
Ask = Callable[[Items], np.ndarray]
Done = Callable[[np.ndarray | RequestError], None]
"""Is told the answers for a request's rows, or why there are none."""


class Batcher:
    """Asks a model for rows of several requests at once."""

    def __init__(
        self, ask: Ask, max_rows: int, wait: float, observe: Callable[[int], None]
    ) -> None:
        """Takes the model.

        Args:
          ask: From rows to answers, [rows] or [rows, K].
          max_rows: Most rows of a batch.
          wait: Seconds that a request waits for others.
          observe: Told the rows of each batch.
        """
        self._ask, self._max_rows, self._wait, self._observe = ask, max_rows, wait, observe
        self._queue: deque[tuple[Items, Done]] = deque()
        self._scheduled = False

    def add(self, items: Items, done: Done) -> None:
        """Has a request's rows answered with the next batch, in the event loop that runs."""
        if len(items) <= self._max_rows:
            self._queue.append((items, done))
        else:
            self._queue.extend(_in_parts(items, self._max_rows, done))
        if not self._scheduled:
            self._scheduled = True
            loop = asyncio.get_running_loop()
            if self._wait:
                loop.call_later(self._wait, self._flush, loop)
            else:
                loop.call_soon(self._flush, loop)

    async def submit(self, items: Items) -> np.ndarray:
        """The answers for a request's rows.

        Raises:
          RequestError: The model cannot answer them.
        """
        waiting = Waiting()
        self.add(items, waiting.done)
        return await waiting.answers()

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        queue = self._queue
        batch = [queue.popleft()]
        rows = len(batch[0][0])
        while queue and rows + len(queue[0][0]) <= self._max_rows:
            batch.append(queue.popleft())
            rows += len(batch[-1][0])
        self._scheduled = bool(queue)
        if queue:
            loop.call_soon(self._flush, loop)
        self._observe(rows)
        self._answer(batch)

    def _answer(self, batch: list[tuple[Items, Done]]) -> None:
        items = [item for part, _ in batch for item in part] if len(batch) > 1 else batch[0][0]
        try:
            answers = self._ask(items)
        except Exception as error:
            if len(batch) > 1:  # one request must not spoil the others
                for waiting in batch:
                    self._answer([waiting])
                return
            _LOG.exception("a model could not answer")
            _tell(batch[0][1], RequestError(f"the model failed: {error}", "INTERNAL"))
            return
        at = 0
        for part, done in batch:
            _tell(done, answers[at : at + len(part)])
            at += len(part)


class Waiting:
    """One who awaits what `done` is told; if it leaves, nothing is told."""

    def __init__(self) -> None:
        self._future: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()

    def done(self, found: np.ndarray | RequestError) -> None:
        """See `Done`."""
        if self._future.done():
            return
        if isinstance(found, RequestError):
            self._future.set_exception(found)
        else:
            self._future.set_result(found)

    async def answers(self) -> np.ndarray:
        """The answers.

        Raises:
          RequestError: There are none.
        """
        return await self._future


def _tell(done: Done, found: np.ndarray | RequestError) -> None:
    try:
        done(found)
    except Exception:  # of one request, which must not keep the others from their answers
        _LOG.exception("an answer could not be given")


def _in_parts(items: Items, size: int, done: Done) -> list[tuple[Items, Done]]:
    """Parts of a request that are answered one after the other, and `done` once."""
    firsts = range(0, len(items), size)
    found: list[np.ndarray] = []
    failed: list[RequestError] = []

    def part(answers: np.ndarray | RequestError) -> None:
        if failed:
            return
        if isinstance(answers, RequestError):
            failed.append(answers)
            done(answers)
            return
        found.append(answers)
        if len(found) == len(firsts):
            done(np.concatenate(found))

    return [(items[first : first + size], part) for first in firsts]
