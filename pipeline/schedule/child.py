"""A child process whose output is handed on line by line, and which outlives its parent.

It writes to a file without a name, not to a pipe: when the parent is killed, the child's next line
is no error, and it goes on to its end.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence

_LONGEST = 65536  # bytes of a line; a longer one is handed on in parts


class Child:
    """One process, begun at once; whoever begins it has to call `poll` until it has ended."""

    def __init__(self, command: Sequence[str], on_line: Callable[[str], None]) -> None:
        """`on_line` is given each line of standard output and standard error.

        Raises:
            OSError: the command cannot be started.
        """
        self._on_line = on_line
        self._rest = b""
        self._signals = 0  # that were passed on
        with tempfile.TemporaryFile() as output:
            # Opened anew, so that reading does not move the place where the child writes.
            self._output = open(f"/proc/self/fd/{output.fileno()}", "rb")  # noqa: SIM115
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # a terminal's Ctrl-C comes once, from us
            )
        self.pid = self._process.pid

    def poll(self, signals: Sequence[int] = ()) -> int | None:
        """Hands on what is new of the output, and those of `signals` that it was not yet given.

        Returns:
            None while it runs, then the exit code; minus n for a process that signal n ended.
        """
        for number in signals[self._signals :]:
            self._process.send_signal(number)
        self._signals = len(signals)
        code = self._process.poll()
        while part := self._output.readline(_LONGEST):
            self._rest += part
            if part.endswith(b"\n") or len(self._rest) > _LONGEST:
                self._hand_on()
        if code is not None:
            if self._rest:
                self._hand_on()
            self._output.close()
        return code

    def _hand_on(self) -> None:
        line, self._rest = self._rest.decode(errors="replace"), b""
        self._on_line(line.rstrip("\r\n"))
