"""Tells of runs that could not tell of their own failure: killed, or ended before they began."""

import logging
import signal
from collections.abc import Callable
from pathlib import Path

from core.config import Config
from core.files import read_lines
from pipeline.notify import notices
from pipeline.notify.notify import FILE, notify, origin, secrets_of
from pipeline.run.failures import Failure

_LOG = logging.getLogger("notify")


def watch(
    config: Config, config_name: str, folder: Path, command: str
) -> Callable[[], Callable[[int, str], None]]:
    """What to call before a run in a process of its own.

    Args:
        config: whose hooks are called.
        config_name: as given on the command line.
        folder: <root>/<name>.
        command: what to type to run it by hand.

    Returns:
        A function without arguments. What it returns takes the exit code (below zero: a signal)
        and the last line of output of a run that failed since, and tells of it unless the run has.
    """

    def count() -> int:
        return sum(line.get("event") == "failure" for line in read_lines(folder / FILE))

    def before() -> Callable[[int, str], None]:
        told = count()

        def on_failure(code: int, last_line: str) -> None:
            if count() == told:
                failure = _failure(code, last_line, command)
                notice = notices.of_failure(failure, origin(config, config_name))
                for warning in notify(config.notify, [notice], folder, secrets_of(config)):
                    _LOG.warning(warning)

        return on_failure

    return before


def _failure(code: int, last_line: str, command: str) -> Failure:
    how = f"ended with {code}"
    if code < 0:
        how = f"was killed by {signal.Signals(-code).name}"
    if code == -signal.SIGKILL:
        how += " (was memory short?)"
    said = f": {last_line}" if last_line else ""
    resume = f"see what went wrong, then: {command}; finished nodes are not run again"
    return Failure(f"retrain {how}{said}", None, resume, code)
