"""What answers, whatever the protocol: versions, log and figures of a process that serves."""

import asyncio
import importlib
import itertools
import math
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf import __version__ as protobuf_version
from google.protobuf.json_format import MessageToDict

from core.config import Config
from core.targets import TARGETS
from core.version_record import version_damage
from models.export.served import ServedModel
from pipeline.explaining.served import Explainers
from pipeline.explaining.version import load_explainer
from pipeline.serving.batching import Batcher
from pipeline.serving.canary import Canary, Header
from pipeline.serving.contract import ServedColumn
from pipeline.serving.errors import RequestError
from pipeline.serving.metrics import ServingMetrics
from pipeline.serving.outputs import check_classes
from pipeline.serving.request_log import LogEntry, RequestLog
from pipeline.serving.rows import RequestRows, RowChecker
from pipeline.serving.shadow import MOST_WAITING, Shadow, as_asked
from pipeline.serving.versions import Servable, Versions, ask_columns

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_ALL_FIELDS = (
    "including_default_value_fields"
    if protobuf_version.startswith(("3.", "4."))
    else "always_print_fields_with_no_presence"
)
_WARM_UP_ROWS = (1, 8)  # and a full batch
_ROUNDED = 1 / 128  # each share of a quantized model is rounded, so they sum to 1 but for that


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
    def classes(self) -> tuple[str, ...]:
        """The classes by their codes: of two negative, positive."""
        return self.config.columns.names

    def request_id(self, given: bytes | None) -> str:
        """Id of a request: the one that it came with, if it can stand in a header."""
        if given is not None and _REQUEST_ID.fullmatch(given):
            return given.decode()
        return f"{self._process}-{next(self._ids)}"

    async def answer(
        self,
        servable: Servable,
        rows: RequestRows,
        request: str,
        began: float,
        header: Header | None = None,
    ) -> tuple[Servable, np.ndarray]:
        """The answers for rows that were checked, counted and written down, and who gave them.

        Args:
          servable: Who answers, unless it is the canary's turn.
          rows: What is asked.
          request: Its id.
          began: `time.perf_counter()` when the request was there.
          header: Headers of a request that names no version; None: no canary answers it.

        Raises:
          RequestError: The model failed.
        """
        told: dict[str, Any] | None = None
        answers = None
        canary = self.canary.find() if self.canary is not None and header is not None else None
        if canary is not None and self.canary is not None and header is not None:
            told = {
                "version": canary.version,
                "chosen": self.canary.is_chosen(servable, rows, header),
            }
            if told["chosen"]:
                try:
                    asked = as_asked(rows, servable, canary)
                    answers = await canary.answer(asked)
                    servable, rows = canary, asked
                except RequestError as error:
                    told["error"] = error.message
        if answers is None:
            answers = await servable.answer(rows)
        self.metrics.rows(self.target, servable.version, rows.count)
        if self.log is not None:
            latency = round((time.perf_counter() - began) * 1000, 3)
            names = servable.checker.names
            entry = LogEntry(
                request, time.time(), self.target, servable.version, names, rows,
                answers.tolist(), latency, servable.model.classes, told,
            )  # fmt: skip
            if self.shadow is None or len(self._shadowed) >= MOST_WAITING:
                self.log.add(entry)
            else:
                task = asyncio.create_task(self._log_with_shadow(self.shadow, servable, entry))
                self._shadowed.add(task)
                task.add_done_callback(self._shadowed.discard)
        return servable, answers

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


@dataclass(frozen=True)
class Loader:
    """Loads versions of a target."""

    target: str
    contract: dict[str, ServedColumn]
    config: Config
    metrics: ServingMetrics

    def __call__(self, version: int, folder: Path) -> Servable:
        """Loads a version and has it answer its warm-up.

        Raises:
          ValueError: A file is not as it was pushed, it tells other classes apart than the
            configuration, or its answers are no probabilities.
        """
        if damage := version_damage(folder):
            raise ValueError(damage)
        module = importlib.import_module(TARGETS[self.target].loader)
        model: ServedModel = module.load(folder)
        check_classes(model.classes, self.config.columns.names)
        serving = self.config.serving
        refuse = serving.out_of_domain == "refuse"
        checker = RowChecker(self.contract, model.numbers, model.texts, refuse, serving.max_rows)
        warm_up(model, checker, (*_WARM_UP_ROWS, serving.batch_rows))
        bounds = (serving.batch_rows, serving.batch_wait_ms / 1000, self.metrics.batches.observe)
        by_examples = Batcher(model.answer_examples, *bounds) if model.takes_examples else None
        explainer = partial(load_explainer, self.target, folder, self.contract, self.config)
        by_columns = Batcher(ask_columns(model), *bounds)
        return Servable(version, model, checker, by_columns, by_examples, explainer)


def warm_up(model: ServedModel, checker: RowChecker, sizes: Sequence[int]) -> None:
    """Has a model answer batches of some sizes, so that no client waits for first times.

    The rows are made from the contract: first values of the domains, and nothing at all.

    Raises:
      ValueError: An answer is no probability.
    """
    columns = {column.name: column for column in checker.columns()}
    lowest = [columns[name].low for name in model.numbers]
    numbers = tuple(low if math.isfinite(low) else 0.0 for low in lowest)
    texts = tuple((columns[name].values or ("text",))[0] for name in model.texts)
    nothing = (math.nan,) * len(numbers), ("",) * len(texts)
    ask = ask_columns(model)
    for size in sizes:
        answers = ask([(numbers, texts), nothing][:size] + [(numbers, texts)] * (size - 2))
        shape = (size,) if model.classes is None else (size, len(model.classes))
        if answers.shape != shape or not _are_probabilities(answers):
            raise ValueError(f"its warm-up answered {answers[:3]}, which are no probabilities")
    if model.takes_examples:
        model.answer_examples([b""])


def _are_probabilities(answers: np.ndarray) -> bool:
    inside = bool(((answers >= 0) & (answers <= 1)).all())
    if answers.ndim == 1:
        return inside
    off = abs(answers.sum(axis=1) - 1)
    return inside and bool((off < _ROUNDED * answers.shape[1]).all())
