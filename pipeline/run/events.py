"""What a run tells those who watch it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

NodeState = Literal["RAN", "CACHED", "SKIPPED", "FAILED"]


@dataclass(frozen=True)
class NodeStarted:
    """The `number`-th of `total` nodes starts."""

    node: str
    number: int
    total: int


@dataclass(frozen=True)
class NodeFinished:
    """A node has ended, or will not run; `seconds` are wall-clock."""

    node: str
    state: NodeState
    seconds: float
    execution_id: int | None


@dataclass(frozen=True)
class DamageFound:
    """A file is damaged or gone: which one, and what is done about it."""

    text: str


class NodeError(Exception):
    """A node failed: `node` is its id, `__cause__` what it raised."""

    def __init__(self, node: str) -> None:
        super().__init__(f"{node} failed")
        self.node = node


Event = NodeStarted | NodeFinished | DamageFound
Listener = Callable[[Event], None]
