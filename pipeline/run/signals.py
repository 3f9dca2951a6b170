"""Signals that ask a process to end, as an exception in its main thread or as a list of numbers."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal asked to end; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Makes SIGTERM and SIGINT raise Interrupted while the block runs.

    Yields the numbers of those that came: code in between may make another error of Interrupted,
    as Beam does of what is raised in a worker, or swallow it, as native code does.
    """
    numbers: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        numbers.append(number)
        raise Interrupted(number)

    with _handled(interrupt):
        yield numbers


@contextmanager
def collected() -> Iterator[list[int]]:
    """SIGTERM and SIGINT are added to what is yielded, and interrupt nothing in the block."""
    numbers: list[int] = []
    with _handled(lambda number, frame: numbers.append(number)):
        yield numbers


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
