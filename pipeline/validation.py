"""What pydantic found wrong with a stored file, in a few words."""

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """Where the first fault is, and which: `models.teacher.bytes: Field required`."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return f"{where}: {first['msg']}"
