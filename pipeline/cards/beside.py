"""The cards of a run beside its summary: reports/<run id>/cards/."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from core.names import CARD_FILES
from core.targets import TARGETS
from pipeline.cards.made import NODE
from pipeline.metadata.executions import Execution, find

FOLDER = "cards"


def put_beside(executions: Iterable[Execution], reports: Path) -> None:
    """Copies the cards that there are.

    A model card gets its target's name: `model_card.server.html`. The data card is that of the
    window, which both targets have in common, from the target that comes first.

    Args:
        executions: of the run.
        reports: <root>/<name>/reports/<run id>.
    """
    executions = list(executions)
    for target in TARGETS:
        cards = find(executions, f"{NODE}{target}", "Cards")
        if cards is None:
            continue
        for name in CARD_FILES:
            here, source = reports / FOLDER / name_of(name, target), Path(cards.uri) / name
            if source.is_file() and not here.is_file():
                here.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, here)


def name_of(file: str, target: str) -> str:
    """What a file of CARD_FILES is called beside a summary."""
    stem, dot, ending = file.partition(".")
    return f"{stem}.{target}{dot}{ending}" if stem == "model_card" else file
