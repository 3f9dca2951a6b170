"""A child process whose output is handed on line by line, and which outlives its parent.

It writes to a file without a name, not to a pipe: when the parent is killed, the child's next line
is no error, and it goes on to its end.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

_INTERVAL = 0.2  # seconds between looks at the output
_LONGEST = 65536  # bytes of a line; a longer one is handed on in parts


class Child:
    """One process at a time."""

    def __init__(self, command: Sequence[str], on_line: Callable[[str], None]) -> None:
        """`on_line` is given each line of standard output and standard error."""
        self._command = command
        self._on_line = on_line
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False  # whether `stop` was called

    def run(self, on_start: Callable[[int], None]) -> int | None:
        """Runs the command to its end.

        Args:
            on_start: is given the process id.

        Returns:
            The exit code, minus n for a process that signal n ended; None when `stop` came first.

        Raises:
            OSError: it cannot be started.
        """
        with tempfile.TemporaryFile() as output:
            with self._guard:
                if self.stopped:
                    return None
                self._process = self._start(output)
            on_start(self._process.pid)
            lines = _Lines(output.fileno(), self._on_line)
            while (code := self._process.poll()) is None:
                lines.hand_on()
                time.sleep(_INTERVAL)
            lines.hand_on(last=True)
        return code

    def stop(self, number: int) -> None:
        """Sends the process signal `number`; none is started any more."""
        with self._guard:
            self.stopped = True
            if self._process is not None:
                self._process.send_signal(number)

    def _start(self, output: IO[bytes]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # a terminal's Ctrl-C comes once, from us
        )


class _Lines:
    """Reads a file that another process writes, without moving its place in it."""

    def __init__(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._on_line = on_line
        self._place = 0
        self._rest = b""

    def hand_on(self, last: bool = False) -> None:
        """Hands on what is new; with `last` a line without an end, too."""
        while new := os.pread(self._descriptor, _LONGEST, self._place):
            self._place += len(new)
            *whole, self._rest = (self._rest + new).split(b"\n")
            if len(self._rest) > _LONGEST:
                whole, self._rest = [*whole, self._rest], b""
            for line in whole:
                self._on_line(line.decode(errors="replace").rstrip("\r"))
        if last and self._rest:
            self._on_line(self._rest.decode(errors="replace"))
