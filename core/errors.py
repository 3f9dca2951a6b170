"""Errors that are the user's to mend."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a device's own code raises these, too, and has no pydantic
    from pathlib import Path

    from pydantic import ValidationError


class InputError(ValueError):
    """Data or configuration is at fault, not the program.

    The message names the file, key, row or column and says what to do. The command line prints it
    without a traceback and exits with code 2.
    """


def first_problem(error: "ValidationError") -> str:
    """Where pydantic found the first fault, and which: `models.teacher.bytes: Field required`."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg']}"


def not_of_log(path: "Path", error: "ValidationError") -> InputError:
    """What to say of a file of lines of which one is not what is written there."""
    return InputError(
        f"{path}: a line is not of this log: {first_problem(error)}; bring the file back from a "
        "copy, or move it aside to begin a new one"
    )
