"""Files that appear whole or not at all."""

import os
from pathlib import Path


def write_atomically(path: Path, content: str | bytes) -> None:
    """Makes a file or replaces it; neither a kill nor a loss of power leaves a part of it.

    Args:
      path: The content is written beside it, in a folder that is there, and renamed.
      content: A text is written as UTF-8.

    Raises:
      OSError: It cannot be written; what was there before still is.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(scratch, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
