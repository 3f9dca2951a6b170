"""Whether a card says what its sources say: made anew from them, and compared in every character.

The card names the execution that made it; ML Metadata says what that execution read and was told.
Its sources are read again, by the digests that were noted when they were made, and the card is made
of them a second time. The history in it is held against the version's record. Where the code of
cards was changed since, the file is held against the file that was made then, by its digest.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from core.errors import InputError
from core.names import FILES_SHA256
from core.version_record import RECORD_FILE, read_record
from models.cards.compare import compare
from models.cards.document import HISTORY_BEGIN, HISTORY_END, Written
from models.cards.files import with_history
from models.cards.sources import MissingSourcesError
from pipeline.cards.made import NODE, CardMade, NumberedRecord, made_by, record_of
from pipeline.metadata.damage import damage_of
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import open_store
from pipeline.run.fingerprint import code_sha256

_MARK = re.compile(
    r"<!-- (model_card|data_card): (ModelCard\.(\w+)) execution (\d+) pipeline (\S+) -->"
)
_VERSION = re.compile(r"Version (?:<data [^>]*>)?(\d+)")
_MODULE = "components.cards.model_card"


@dataclass(frozen=True)
class CardVerdict:
    """What was found of a card.

    Attributes:
      file: The card.
      claims: Numbers and texts of it that were held against their sources.
      sources: Files and properties that they rest on.
      altered: What the card says otherwise than its sources.
      missing: Sources that are gone or were changed.
      notes: What is to be said besides.
    """

    file: Path
    claims: int = 0
    sources: int = 0
    altered: Sequence[str] = ()
    missing: Sequence[str] = ()
    notes: Sequence[str] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether nothing was altered and every source is there."""
        return not self.altered and not self.missing


def verify(file: Path, folder: Path) -> CardVerdict:
    """Verifies a card.

    Args:
        file: Markdown or HTML, wherever it lies.
        folder: <root>/<name> of the run that made it.

    Raises:
        InputError: there is no such file, or no store.
    """
    text = _read(file)
    if (store := open_store(folder)) is None:
        raise no_store(folder)
    found = _MARK.search("\n".join(text.split("\n", 3)[:3]))
    if found is None:
        return CardVerdict(file, altered=["its first lines name no execution of ModelCard"])
    kind, node, target, number, pipeline = found.groups()
    if pipeline != folder.name:
        return CardVerdict(file, altered=[f"it is of pipeline {pipeline}, not {folder.name}"])
    made = made_by(store.history(), node, int(number))
    if made is None:
        what = f"execution {number} of {node}, which is said to have made it, in {folder}"
        return CardVerdict(file, missing=[f"ML Metadata knows no {what}"])
    name = f"{kind}{'.html' if text.startswith('<!doctype') else '.md'}"
    record, missing = None, list[str]()
    if kind == "model_card":
        record, missing = _record(file, text, folder, target)
    verdict = _against_sources(file, name, text, made, record)
    return CardVerdict(
        file, verdict.claims, verdict.sources, verdict.altered, [*missing, *verdict.missing],
        verdict.notes,
    )  # fmt: skip


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8, so no card") from None


def _record(
    file: Path, text: str, folder: Path, target: str
) -> tuple[NumberedRecord | None, list[str]]:
    """Number and record of the version that a card is of, and what is missing of it."""
    beside = file.resolve().parent
    if beside.name.isdecimal() and (record := read_record(beside)) is not None:
        return (int(beside.name), record), []
    history = text.partition(HISTORY_BEGIN)[2].partition(HISTORY_END)[0]
    if (named := _VERSION.search(history)) is None:
        return None, []
    record_there = record_of(folder, target, int(named[1]))
    if record_there is None:
        return None, [f"{RECORD_FILE} of {target} version {named[1]}, for its history, is gone"]
    return record_there, []


def _against_sources(
    file: Path, name: str, text: str, made: CardMade, record: NumberedRecord | None
) -> CardVerdict:
    try:
        lines = made.lines(name, record)
    except MissingSourcesError as error:
        altered, missing = _against_made(name, text, made, record)
        return CardVerdict(file, altered=altered, missing=[*error.problems, *missing])
    except ValidationError:
        lines = []
    compared = compare(lines, text)
    claims = [claim for line in lines for _, _, claim in line.claims]
    counts = (len(claims), len({(c.pointer.label, c.pointer.file) for c in claims}))
    altered = list(compared.problems)
    if compared.words_changed and name.endswith(".html"):
        altered.append("what people wrote of use and limits was changed, in HTML")
    if altered and made.code_sha256 != code_sha256(_MODULE):
        altered, missing = _against_made(name, text, made, record)
        note = "other code made it: held against the file that was made, not made anew"
        return CardVerdict(file, *counts, altered, missing, [note])
    notes = []
    if compared.words_changed:
        notes.append("what people wrote of use and limits was changed since it was made")
    return CardVerdict(file, *counts, altered, (), notes)


def _against_made(
    name: str, text: str, made: CardMade, record: NumberedRecord | None
) -> tuple[list[str], list[str]]:
    """What differs from the file that was made then, and what is missing of that."""
    output = made.output
    if output is None:
        return [], [f"the cards that execution {made.execution.id} of {NODE}{made.target} made"]
    path = Path(output.uri) / name
    noted = str(output.properties.get(FILES_SHA256, ""))
    if not path.is_file() or (damage := damage_of(output.uri, noted)):
        return [], [f"m{output.id} ({output.type_name}): {damage if path.is_file() else 'gone'}"]
    then = with_history(name, _read(path), record)
    lines = [Written(line) for line in then.split("\n")[:-1]]
    return list(compare(lines, text).problems), []
