"""The versions that are served: they come and go with the folder that is watched.

As TensorFlow Serving does it, the highest number is live; the one before it is served, too, by its
number and by the label `previous`, and so are versions that the server was told to keep: a canary
(label `canary`, as long as it is not live) and a shadow. A new version is loaded and answers its
warm-up beside the old one, which answers until then. A version that cannot be loaded is told by the
status and by the log, and the old one goes on.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.version_record import version_folders
from models.explain.single import RowExplainer
from models.export.served import ServedModel
from pipeline.serving.batching import Batcher, Done, Items, Waiting
from pipeline.serving.errors import RequestError
from pipeline.serving.rows import RequestRows, RowChecker

_LOG = logging.getLogger(__name__)
_KEPT = 2  # live and previous
_REMEMBERED = 20  # versions that ended, in the status
_COLLECTED = 10_000, 20, 20  # new objects, and rounds, until the garbage collector looks
_RETRY = 30.0  # seconds after which a version that failed is tried again
LIVE, PREVIOUS, CANARY = "live", "previous", "canary"
LABELS = (LIVE, PREVIOUS)


@dataclass(frozen=True)
class Servable:
    """A version that answers; `explainer` loads what explains its answers."""

    version: int
    model: ServedModel
    checker: RowChecker
    by_columns: Batcher
    by_examples: Batcher | None
    explainer: Callable[[], RowExplainer] | None = None

    def ask(self, rows: RequestRows, done: Done) -> None:
        """Has rows answered as `ServedModel.answer` does: float32 [rows], or [rows, K]."""
        if rows.examples is not None and self.by_examples is not None:
            self.by_examples.add(rows.examples, done)
        else:
            self.by_columns.add(list(zip(rows.numbers, rows.texts, strict=True)), done)

    async def answer(self, rows: RequestRows) -> np.ndarray:
        """The same for who can wait.

        Raises:
          RequestError: The model failed.
        """
        waiting = Waiting()
        self.ask(rows, waiting.done)
        return await waiting.answers()


def ask_columns(model: ServedModel) -> Callable[[Items], np.ndarray]:
    """A function from rows, each a tuple of numbers and one of texts, to answers."""
    width = len(model.texts)

    def ask(items: Items) -> np.ndarray:
        numbers = np.array([item[0] for item in items], np.float64)
        texts = np.empty((len(items), width), object)
        if width:
            texts[:] = [item[1] for item in items]
        return model.answer(numbers, texts)

    return ask


@dataclass(frozen=True)
class VersionState:
    """What became of a version: START, LOADING, AVAILABLE, UNLOADING or END, and why."""

    state: str
    error: str = ""


@dataclass(frozen=True)
class _Failure:
    identity: tuple[int, int, int]
    at: float


class Versions:
    """The versions of one target.

    Attributes:
      name: Of the model, in URLs.
      states: What became of each version by number.
    """

    def __init__(
        self,
        name: str,
        served: Path,
        load: Callable[[int, Path], Servable],
        canary: int | None = None,
        shadow: int | None = None,
    ) -> None:
        """Takes the folder to watch, and what loads a version and has it answer its warm-up.

        Args:
          name: Of the model.
          served: The folder.
          load: Loads a version.
          canary: A version that is kept, and gets the label `canary`.
          shadow: A version that is kept.
        """
        self.name, self._served, self._load = name, served, load
        self._canary = canary
        self._pinned = {number for number in (canary, shadow) if number is not None}
        self.states: dict[int, VersionState] = {}
        self._loaded: dict[int, tuple[tuple[int, int, int], Servable]] = {}
        self._failed: dict[int, _Failure] = {}
        self._labels: dict[str, int] = {}

    @property
    def labels(self) -> dict[str, int]:
        """Versions by label: `live`, `previous` when there is one, and `canary`."""
        return self._labels

    def find(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """A version that answers; the live one when nothing is asked for.

        Raises:
          RequestError: NOT_FOUND, in the words of TensorFlow Serving; INVALID_ARGUMENT for a label
            that is none.
        """
        number = version
        if label is not None:
            if name != self.name or label not in self._labels:
                raise RequestError(f"Unrecognized servable version label: {label}")
            number = self._labels[label]
        elif number is None and name == self.name:
            number = self._labels.get(LIVE)
        found = self._loaded.get(number) if number is not None and name == self.name else None
        if found is None:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise RequestError(f"Servable not found for request: {wanted}", "NOT_FOUND")
        return found[1]

    def status(
        self, name: str, version: int | None = None, label: str | None = None
    ) -> dict[int, VersionState]:
        """States by version, the newest first; of one when one is asked for.

        Raises:
          RequestError: As `find`.
        """
        if label is not None:
            version = self.find(name, label=label).version
        states = self.states if name == self.name else {}
        if version is not None:
            if version not in states:
                text = f"Could not find version {version} of model {name}"
                raise RequestError(text, "NOT_FOUND")
            return {version: states[version]}
        if not states:
            raise RequestError(f"Could not find any versions of model {name}", "NOT_FOUND")
        return dict(sorted(states.items(), reverse=True))

    async def look(self) -> None:
        """Brings what is served in line with the folder."""
        folders = version_folders(self._served)
        wanted = sorted(folders, reverse=True)[:_KEPT]
        if not wanted:  # unmounted, or emptied by hand: what is loaded goes on
            return
        before = {number: identity for number, (identity, _) in self._loaded.items()}
        for number in wanted:
            await self._ensure(number, folders[number])
            self._publish(wanted)
        pinned = sorted(self._pinned.intersection(folders).difference(wanted))
        for number in pinned:
            await self._ensure(number, folders[number])
        gone = [number for number in self._loaded if number not in (*wanted, *pinned)]
        for number in gone if self._labels.get(LIVE) in wanted else []:
            canary = "its folder is gone; the live version answers its share"
            self._note(number, "END", canary if number == self._canary else "")
            del self._loaded[number]
            _LOG.info("%s: version %d is no longer served", self.name, number)
        self._publish(wanted)
        after = {number: identity for number, (identity, _) in self._loaded.items()}
        if before != after:
            settle_memory(left=not before.items() <= after.items())

    async def watch(self, seconds: float) -> None:
        """Looks at the folder again and again."""
        while True:
            try:
                await self.look()
            except Exception:
                _LOG.exception("%s: %s cannot be watched", self.name, self._served)
            await asyncio.sleep(seconds)

    async def _ensure(self, number: int, folder: Path) -> None:
        try:
            found = folder.stat()
        except OSError:
            return  # it went while we looked
        # The time as well: the number of a folder that was removed may be given to the next.
        identity = (found.st_dev, found.st_ino, found.st_mtime_ns)
        if number in self._loaded and self._loaded[number][0] == identity:
            return
        failure = self._failed.get(number)
        if failure and failure.identity == identity and time.monotonic() - failure.at < _RETRY:
            return
        self._note(number, "LOADING")
        try:
            servable = await asyncio.to_thread(self._load, number, folder)
        except Exception as error:
            if not folder.is_dir():
                self.states.pop(number, None)
                return
            self._failed[number] = _Failure(identity, time.monotonic())
            self._note(number, "END", f"{type(error).__name__}: {error}")
            _LOG.error("%s: version %d cannot be served: %s", self.name, number, error)
            return
        self._failed.pop(number, None)
        self._loaded[number] = (identity, servable)
        self._note(number, "AVAILABLE")

    def _publish(self, wanted: list[int]) -> None:
        """The labels, all in one step; those of before while nothing that is wanted is loaded."""
        ready = sorted((number for number in wanted if number in self._loaded), reverse=True)
        if not ready:
            return
        if ready[0] != self._labels.get(LIVE):
            _LOG.info("%s: version %d is live", self.name, ready[0])
        labels = dict(zip(LABELS, ready, strict=False))
        if self._canary is not None and self._canary != ready[0] and self._canary in self._loaded:
            labels[CANARY] = self._canary
            if CANARY not in self._labels:
                _LOG.info("%s: version %d is canary", self.name, self._canary)
        elif CANARY in self._labels:
            why = "is live" if self._canary == ready[0] else "is gone"
            told = "%s: version %d %s and no canary any more: the live version answers all requests"
            _LOG.warning(told, self.name, self._canary, why)
        self._labels = labels

    def _note(self, number: int, state: str, error: str = "") -> None:
        self.states[number] = VersionState(state, error)
        ended = sorted(n for n, s in self.states.items() if s.state == "END")
        for old in ended[:-_REMEMBERED]:
            del self.states[old]


def settle_memory(left: bool) -> None:
    """Takes what stays out of sight of the garbage collector.

    TensorFlow's modules are a million objects; looking through them takes longer than a request.
    A request makes a hundred objects and no circles of them, so there is little to look for: as
    often as Python looks of itself, that takes a tenth of the time of all answers.

    Args:
      left: Whether a version left, which is looked for among what was out of sight.
    """
    if left:
        gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTED)
