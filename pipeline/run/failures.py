"""Turns an exception from a run into what a person needs: cause, line of code, how to go on.

Beam hands errors of its workers on as text inside a RuntimeError, and adds the step's name; both
are undone here.
"""

import errno
import re
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.files import REPOSITORY

_USER_ROOMS = ("components", "models", "data")
_INPUT_EXIT, _FAILURE_EXIT = 2, 1
_DISK_FULL = re.compile(
    r"No space left on device|database or disk is full|disk is full|Disk quota exceeded"
)
_WHILE_RUNNING = re.compile(r"\s*\[while running '[^']*'\]")
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>\S+)', re.M)
_RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)): ?", re.M)


@dataclass(frozen=True)
class Failure:
    """Why a run stopped, and `failure` of its summary.

    cause: the innermost message.
    code: last line of user code, `models/network/rows.py:12 in load`; None when none was running.
    resume: what to do next.
    exit_code: 2 when data, configuration or the disk are at fault, else 1.
    input_at_fault: whether data or configuration are: the same run would stop again.
    node: the node that failed; None: the run, outside of its nodes.
    """

    cause: str
    code: str | None
    resume: str
    exit_code: int = _FAILURE_EXIT
    input_at_fault: bool = False
    node: str | None = None


def explain(error: BaseException, root: Path, command: str) -> Failure:
    """Finds the cause of a failure in the chain of exceptions.

    Args:
        error: what was raised.
        root: the folder of runs, whose disk may be full.
        command: what to type to run again.
    """
    chain = list(_chain(error))
    code = _last_user_line(chain)
    again = f"run the same command again; finished nodes are not run again: {command}"
    if any(is_disk_full(e) for e in chain):
        there = next(
            folder for folder in (root.resolve(), *root.resolve().parents) if folder.exists()
        )
        free = shutil.disk_usage(there).free / 2**20
        cause = f"the disk of {root.resolve()} is full ({free:.1f} MB free)"
        return Failure(cause, code, f"free space or choose another --root, then {again}", 2)
    for found in chain:
        if (message := _input_error(found)) is not None:
            return Failure(
                message, None, f"mend that, then {again}", _INPUT_EXIT, input_at_fault=True
            )
    for found in chain:
        if isinstance(found, OSError) and _denied(found):
            return Failure(str(found), code, f"mend that, then {again}", _INPUT_EXIT)
    return Failure(_innermost(error), code, again, _FAILURE_EXIT)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, its cause, the cause's cause ...; without a cause, what was being handled."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk is full or the quota used up, as Python, TensorFlow or SQLite say it."""
    full = (errno.ENOSPC, errno.EDQUOT)
    if isinstance(error, OSError) and error.errno in full:
        return True
    return not isinstance(error, InputError) and bool(_DISK_FULL.search(str(error)))


def _denied(error: OSError) -> bool:
    return error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)


def _input_error(error: BaseException) -> str | None:
    """The message of an InputError, also of one that Beam made text of."""
    if isinstance(error, InputError):
        return _WHILE_RUNNING.sub("", str(error)).strip()
    for match in reversed(list(_RAISED.finditer(str(error)))):
        if match["type"].rpartition(".")[2] in _input_error_names(InputError):
            return _message_from(str(error), match)
    return None


def _input_error_names(kind: type[Exception]) -> set[str]:
    """Names of a class and of the classes derived from it so far."""
    names = {kind.__name__}
    for derived in kind.__subclasses__():
        names |= _input_error_names(derived)
    return names


def _message_from(text: str, match: re.Match[str]) -> str:
    """The message after `SomeError: `, up to the next traceback or the end."""
    message = text[match.end() :]
    for end in ("\n\n", "\nTraceback (most recent call last)", "\nDuring handling of"):
        message = message.partition(end)[0]
    return _WHILE_RUNNING.sub("", message).strip()


def _innermost(error: BaseException) -> str:
    """Type and message of the exception that the others were raised from."""
    current = error
    while current.__cause__ is not None:
        current = current.__cause__
    text = str(current)
    if "Traceback (most recent call last)" in text and (found := list(_RAISED.finditer(text))):
        name = found[-1]["type"].rpartition(".")[2]
        return f"{name}: {_message_from(text, found[-1])}"
    message = _WHILE_RUNNING.sub("", text).strip()
    return f"{type(current).__name__}: {message}" if message else type(current).__name__


def _last_user_line(chain: list[BaseException]) -> str | None:
    """The innermost frame that runs code of the user's rooms, in the innermost exception."""
    for error in reversed(chain):
        frames = [
            (frame.filename, frame.lineno or 0, frame.name)
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        frames += [
            (match["file"], int(match["line"]), match["function"])
            for match in _FRAME.finditer(str(error))
        ]
        for file, line, function in reversed(frames):
            path = Path(file)
            if path.is_relative_to(REPOSITORY):
                inside = path.relative_to(REPOSITORY)
                if inside.parts[0] in _USER_ROOMS:
                    return f"{inside}:{line} in {function}"
    return None
