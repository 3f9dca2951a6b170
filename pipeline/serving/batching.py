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
_Waiting = tuple[Items, "asyncio.Future[np.ndarray]"]


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
        self._queue: deque[_Waiting] = deque()
        self._scheduled = False

    async def submit(self, items: Items) -> np.ndarray:
        """The answers for a request's rows.

        Raises:
          RequestError: The model cannot answer them.
        """
        loop = asyncio.get_running_loop()
        futures = []
        for first in range(0, len(items), self._max_rows):
            future: asyncio.Future[np.ndarray] = loop.create_future()
            self._queue.append((items[first : first + self._max_rows], future))
            futures.append(future)
        if not self._scheduled:
            self._scheduled = True
            if self._wait:
                loop.call_later(self._wait, self._flush, loop)
            else:
                loop.call_soon(self._flush, loop)
        if len(futures) == 1:
            return await futures[0]
        return np.concatenate(await asyncio.gather(*futures))

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, rows = [], 0
        while self._queue and rows + len(self._queue[0][0]) <= self._max_rows:
            batch.append(self._queue.popleft())
            rows += len(batch[-1][0])
        self._scheduled = bool(self._queue)
        if self._queue:
            loop.call_soon(self._flush, loop)
        self._observe(rows)
        self._answer(batch)

    def _answer(self, batch: list[_Waiting]) -> None:
        items = [item for part, _ in batch for item in part] if len(batch) > 1 else batch[0][0]
        try:
            answers = self._ask(items)
        except Exception as error:
            if len(batch) > 1:  # one request must not spoil the others
                for waiting in batch:
                    self._answer([waiting])
                return
            _LOG.exception("a model could not answer")
            if not batch[0][1].done():
                batch[0][1].set_exception(RequestError(f"the model failed: {error}", "INTERNAL"))
            return
        at = 0
        for part, future in batch:
            if not future.done():
                future.set_result(answers[at : at + len(part)])
            at += len(part)
