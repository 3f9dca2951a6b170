"""Digests of an artifact's files, as its property FILES_SHA256 in ML Metadata holds them."""

import hashlib
import json
from pathlib import Path

from core.files import digests_of, find_damage

_LONGEST = 60_000  # characters; MySQL keeps 65,535 bytes of a text
_ALL = ""  # stands for all files at once, where there are too many to name


def digests_as_text(folder: Path) -> str:
    """SHA-256 of each file below a folder by its path, as JSON."""
    noted = json.dumps(digests_of(folder))
    return noted if len(noted) <= _LONGEST else json.dumps({_ALL: _sha256(noted)})


def damage_of(uri: str, noted: str) -> str | None:
    """The first file of an artifact that is damaged or gone, and what it is; None for none.

    Args:
        uri: of the artifact.
        noted: what `digests_as_text` said when it was made; empty for one made without.
    """
    digests = json.loads(noted or "{}")
    if _ALL in digests:
        whole = _sha256(json.dumps(digests_of(Path(uri)))) == digests[_ALL]
        return None if whole else f"a file below {uri} is damaged or gone"
    return find_damage(Path(uri), digests)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
