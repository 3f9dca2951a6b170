"""Explanations over the network: in a thread of their own, of a bounded cost.

Predictions are answered meanwhile: the thread asks a copy of the model, since an edge model may be
asked by one thread at a time, and the event loop asks the other.
"""

import asyncio
import logging
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from core.errors import InputError
from models.explain.single import SCALE, RowExplainer
from pipeline.explaining.explain import class_code, nothing_to_change
from pipeline.explaining.version import cells_of_rows
from pipeline.serving.errors import RequestError
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.rows import RequestRows
from pipeline.serving.versions import Servable

_LOG = logging.getLogger(__name__)
_MOST_WAITING = 8  # requests; those beyond are refused
MOST_COUNTERFACTUALS = 10


class Explainers:
    """What explains the answers of the versions that are served."""

    def __init__(self, target: str, max_rows: int, metrics: ServingMetrics) -> None:
        """Begins with nothing loaded.

        Args:
          target: Whose versions.
          max_rows: Most rows of a request.
          metrics: Where rows and seconds are counted.
        """
        self._target, self._max_rows, self._metrics = target, max_rows, metrics
        self._thread = ThreadPoolExecutor(1, "explain")
        # What left is not held: a version's model goes when nobody serves it any more.
        self._loaded: dict[int, tuple[weakref.ref[Servable], RowExplainer]] = {}
        self._waiting = 0

    async def answer(
        self, servable: Servable, rows: RequestRows, document: dict[str, Any]
    ) -> dict[str, Any]:
        """The explanations of rows that were checked, as JSON values.

        Args:
          servable: Who answers.
          rows: What is asked.
          document: The request: `counterfactuals`, how many of each row, and `class`, which they
            are to reach, are read from it.

        Raises:
          RequestError: It asks for what there is not, too many requests wait, or the model failed.
        """
        if rows.count > self._max_rows:
            most = f"serving.explain_rows={self._max_rows}"
            raise RequestError(
                f"the request has {rows.count} rows, {most} is the most that is explained"
            )
        count = document.get("counterfactuals", 0)
        if type(count) is not int or not 0 <= count <= MOST_COUNTERFACTUALS:
            raise RequestError(
                f"'counterfactuals' must be a whole number of 0 to {MOST_COUNTERFACTUALS}"
            )
        wanted = document.get("class")
        if wanted is not None and type(wanted) is not str:
            raise RequestError("'class' must be a string")
        if self._waiting >= _MOST_WAITING:
            told = f"{self._waiting} requests for explanations wait already; ask again later"
            raise RequestError(told, "UNAVAILABLE")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self._thread, self._explain, servable, rows, count, wanted
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Ends when what is under way is answered."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _explain(
        self, servable: Servable, rows: RequestRows, count: int, wanted: str | None
    ) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            found = self._explained(servable, rows, count, wanted)
        except InputError as error:
            raise RequestError(str(error), "FAILED_PRECONDITION") from error
        except RequestError:
            raise
        except Exception as error:
            _LOG.exception("an answer could not be explained")
            raise RequestError(f"the explanation failed: {error}", "INTERNAL") from error
        self._metrics.explained(
            self._target, servable.version, rows.count, time.perf_counter() - began
        )
        return found

    def _explained(
        self, servable: Servable, rows: RequestRows, count: int, wanted: str | None
    ) -> dict[str, Any]:
        explainer = self._explainer(servable)
        try:
            code = class_code(wanted, explainer.classes)
        except InputError as error:
            raise RequestError(str(error)) from error
        cells = cells_of_rows(rows, explainer.model)
        explanations = explainer.told(explainer.attributions(cells), cells.names)
        if count:
            if not explainer.changeable:
                raise InputError(nothing_to_change(explainer.actionable, cells.names))
            changes = explainer.counterfactuals(cells, count, code)
            for explanation, found in zip(explanations, changes, strict=True):
                explanation["counterfactuals"] = found
        return {"version": servable.version, "scale": SCALE, "explanations": explanations}

    def _explainer(self, servable: Servable) -> RowExplainer:
        """That of a version, loaded when it is first asked; in the one thread."""
        known, explainer = self._loaded.pop(servable.version, (None, None))
        if known is None or known() is not servable or explainer is None:
            if servable.explainer is None:
                raise InputError("this version is not loaded from a folder")
            explainer = servable.explainer()
        alive = {n: one for n, one in self._loaded.items() if one[0]() is not None}
        self._loaded = {**alive, servable.version: (weakref.ref(servable), explainer)}
        return explainer
