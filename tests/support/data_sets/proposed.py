"""What `init` proposes of a file with the label `y`."""

from pathlib import Path

from core import raw_table
from pipeline.init import looking, proposal
from pipeline.init.looking import InitRequest
from pipeline.init.proposal import Proposal

SMOKE = {"data": {"rows": 2000}, "labeling": {"gold_rows": 100}}


def request(path: Path, **changes: object) -> InitRequest:
    """Of a file; `changes` of the fields."""
    asked: dict[str, object] = {
        "csv": path, "label": "y", "name": "x", "positive": None, "test_fraction": 0.2,
        "missing": (), "kinds": {}, **changes,
    }  # fmt: skip
    return InitRequest(**asked)  # type: ignore[arg-type]


def proposed_of(text: str, **changes: object) -> tuple[Proposal, dict[str, list[str]]]:
    """The proposal, and the cells by column."""
    found = looking.read(text.encode(), "x.csv")
    looked = looking.look(request(Path("x.csv"), **changes), found)
    cells = raw_table.convert(looked.source, found.cells, "x.csv")
    return proposal.propose(looked, cells, SMOKE)[0], cells
