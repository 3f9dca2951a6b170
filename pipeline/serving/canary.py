"""A version that answers a share of the requests in the place of the live one, sticky by a key.

A request without a version or a label goes to the canary when the hash of its key is within the
share: the same key goes to the same version, in every process and after every start, and a larger
share keeps the keys of a smaller one. The number of the version is hashed, too: the next canary
meets other keys. Of several rows the first one's key counts, since one version answers a request.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.serving.options import CanaryName
from pipeline.serving.rows import RequestRows
from pipeline.serving.versions import CANARY, Servable, Versions

Header = Callable[[str], str | None]
"""A header of a request by its name in small letters."""


@dataclass(frozen=True)
class Canary:
    """Who answers a share of the requests.

    Attributes:
      name: Which version, what share, by which key.
      versions: Those of the target that is served.
    """

    name: CanaryName
    versions: Versions

    def find(self) -> Servable | None:
        """The version; None while it is not there, cannot be loaded, or is live itself."""
        if CANARY not in self.versions.labels:
            return None
        return self.versions.find(self.versions.name, label=CANARY)

    def is_chosen(self, live: Servable, rows: RequestRows, header: Header) -> bool:
        """Whether the request is among the canary's."""
        key = self._key(live, rows, header) or _of_first_row(rows)
        text = f"{self.name.version}:{key}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(text, digest_size=8).digest()
        return int.from_bytes(digest, "big") < self.name.share * 2**64

    def _key(self, live: Servable, rows: RequestRows, header: Header) -> str | None:
        """The key; None or empty where the request has none."""
        if self.name.header is not None:
            return header(self.name.header)
        for names, cells in ((live.model.numbers, rows.numbers), (live.model.texts, rows.texts)):
            if self.name.column in names:
                value: Any = cells[0][names.index(self.name.column)]
                return value if isinstance(value, str) else _of_number(value)
        return None


def _of_number(value: float) -> str:
    """39 and 39.0 are one; a missing number is no key."""
    return "" if value != value else repr(float(value))


def _of_first_row(rows: RequestRows) -> str:
    return repr(([float(number) for number in rows.numbers[0]], rows.texts[0]))
