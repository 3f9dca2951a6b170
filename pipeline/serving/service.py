"""What answers, whatever the protocol: versions, log and figures of a process that serves."""

import asyncio
import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from google.protobuf import __version__ as protobuf_version
from google.protobuf.json_format import MessageToDict

from core.config import Config
from pipeline.explaining.served import Explainers
from pipeline.serving.batching import Waiting
from pipeline.serving.canary import Canary, Header
from pipeline.serving.errors import RequestError
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.request_log import LogEntry, RequestLog
from pipeline.serving.rows import RequestRows
from pipeline.serving.shadow import MOST_WAITING, Shadow, as_asked
from pipeline.serving.versions import Servable, Versions

Answered = Callable[[Servable, np.ndarray | RequestError], None]
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_ALL_FIELDS = (
    "including_default_value_fields"
    if protobuf_version.startswith(("3.", "4."))
    else "always_print_fields_with_no_presence"
)


@dataclass
class Service:
    """A process that serves.

    Attributes:
      config: The configuration.
      target: Whose model the protocols ask.
      versions: Of each target that is loaded, by name.
      log: Where requests are written down; None: nowhere.
      metrics: The figures.
      token_free: Whether requests need no token.
      shadow: Who answers beside the live version, for the log alone.
      canary: Who answers a share of the requests in its place.
      explainers: What explains answers.
    """

    config: Config
    target: str
    versions: dict[str, Versions]
    log: RequestLog | None
    metrics: ServingMetrics
    token_free: bool
    shadow: Shadow | None = None
    canary: Canary | None = None
    explainers: Explainers = field(init=False)
    _shadowed: set[asyncio.Task[None]] = field(default_factory=set)
    _ids: "itertools.count[int]" = field(default_factory=itertools.count)
    _process: str = field(default_factory=lambda: f"{os.getpid():x}-{time.time_ns():x}")
    _described: dict[int, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.explainers = Explainers(self.target, self.config.serving.explain_rows, self.metrics)

    @property
    def served(self) -> Versions:
        """The versions that the protocols ask."""
        return self.versions[self.target]

    @property
    def dropped(self) -> int:
        """Requests that were not written to the log."""
        return self.log.dropped if self.log is not None else 0

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes by their codes: of two negative, positive."""
        return self.config.columns.names

    def request_id(self, given: bytes | None) -> str:
        """Id of a request: the one that it came with, if it can stand in a header."""
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode()
        return f"{self._process}-{next(self._ids)}"

    def ask(
        self,
        servable: Servable,
        rows: RequestRows,
        request: str,
        began: float,
        header: Header | None,
        done: Answered,
    ) -> None:
        """Has rows that were checked answered, counted and written down.

        Args:
          servable: Who answers, unless it is the canary's turn.
          rows: What is asked.
          request: Its id.
          began: `time.perf_counter()` when the request was there.
          header: Headers of a request that names no version; None: no canary answers it.
          done: Is told who answered and the answers, or why there are none.
        """
        canary, told = self._turn(servable, rows, header)

        def answered(by: Servable, asked: RequestRows, found: np.ndarray | RequestError) -> None:
            done(by, found)
            if not isinstance(found, RequestError):
                self._note(by, asked, request, began, found, told)

        def ask_live() -> None:
            servable.ask(rows, lambda found: answered(servable, rows, found))

        if canary is None or told is None:
            ask_live()
            return

        def tried(found: np.ndarray | RequestError) -> None:
            if isinstance(found, RequestError):
                told["error"] = found.message
                ask_live()
            else:
                answered(canary, asked, found)

        try:
            asked = as_asked(rows, servable, canary)
        except RequestError as error:
            tried(error)
        else:
            canary.ask(asked, tried)

    def _turn(
        self, servable: Servable, rows: RequestRows, header: Header | None
    ) -> tuple[Servable | None, dict[str, Any] | None]:
        """The canary, if it is its turn, and what the log says of it."""
        found = self.canary.find() if self.canary is not None and header is not None else None
        if found is None or self.canary is None or header is None:
            return None, None
        chosen = self.canary.is_chosen(servable, rows, header)
        return found if chosen else None, {"version": found.version, "chosen": chosen}

    async def answer(
        self,
        servable: Servable,
        rows: RequestRows,
        request: str,
        began: float,
        header: Header | None = None,
    ) -> tuple[Servable, np.ndarray]:
        """The same for who can wait: who answered, and the answers.

        Raises:
          RequestError: The model failed.
        """
        waiting, by = Waiting(), [servable]

        def done(who: Servable, found: np.ndarray | RequestError) -> None:
            by[0] = who
            waiting.done(found)

        self.ask(servable, rows, request, began, header, done)
        answers = await waiting.answers()
        return by[0], answers

    def _note(
        self, by: Servable, rows: RequestRows, request: str, began: float, answers: np.ndarray,
        canary: dict[str, Any] | None,
    ) -> None:  # fmt: skip
        """Counts rows that were answered, and writes them down, the shadow's answers besides."""
        self.metrics.rows(self.target, by.version, rows.count)
        if self.log is None:
            return
        latency = int((time.perf_counter() - began) * 1e6) / 1000
        entry = LogEntry(
            request, time.time(), self.target, by.version, by.checker.names, rows,
            answers.tolist(), latency, by.model.classes, canary,
        )  # fmt: skip
        if self.shadow is None or len(self._shadowed) >= MOST_WAITING:
            self.log.add(entry)
        else:
            task = asyncio.create_task(self._log_with_shadow(self.shadow, by, entry))
            self._shadowed.add(task)
            task.add_done_callback(self._shadowed.discard)

    async def _log_with_shadow(self, shadow: Shadow, servable: Servable, entry: LogEntry) -> None:
        if self.log is not None:
            told = await shadow.answer(servable, entry.rows)
            self.log.add(LogEntry(*entry[:-1], told))

    async def settle(self) -> None:
        """Waits for the shadow's answers to what was answered."""
        await asyncio.gather(*self._shadowed, return_exceptions=True)

    def describe(self, servable: Servable) -> dict[str, Any]:
        """TensorFlow Serving's metadata of a version: its signatures."""
        if servable.version not in self._described:
            signatures = {
                name: MessageToDict(
                    signature, preserving_proto_field_name=True, **{_ALL_FIELDS: True}
                )
                for name, signature in sorted(servable.model.signatures.items())
            }
            version = str(servable.version)
            spec = {"name": self.config.name, "signature_name": "", "version": version}
            metadata = {"signature_def": {"signature_def": signatures}}
            self._described = {servable.version: {"model_spec": spec, "metadata": metadata}}
        return self._described[servable.version]
