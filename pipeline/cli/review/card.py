"""`card`: the model card and the data card of a version, and whether a card says what is so."""

import argparse
import sys
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from core.errors import InputError
from core.targets import TARGETS
from models.cards.document import as_text
from pipeline.cards.made import card_paths, of_pushed
from pipeline.cards.verify import CardVerdict, verify
from pipeline.cli.common import DONE, FAILED, add_common_flags, load_config, run_folder
from pipeline.metadata import connection
from pipeline.metadata.graph import read_graph
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import open_store
from pipeline.report.markup import escape

_MOST = 20  # differences that are told one by one


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument("target", nargs="?", metavar="TARGET", help=" or ".join(TARGETS))
    parser.add_argument(
        "version", nargs="?", type=int, metavar="VERSION", help="of the target (default: live)"
    )
    parser.add_argument("--data", action="store_true", help="the data card of its window")
    parser.add_argument("--html", action="store_true", help="print HTML instead of Markdown")
    parser.add_argument(
        "--verify",
        nargs="+",
        metavar="FILE",
        help="make cards anew from their sources and compare; exits with 1 where one differs",
    )
    parser.set_defaults(verb=card)


def card(options: argparse.Namespace, out: Console) -> int:
    """Prints a card, lists cards, or verifies some."""
    if options.verify:
        if options.target is not None:
            raise InputError("give a target, or --verify and files; not both")
        return _verify(options, out)
    folder = run_folder(options, load_config(options))
    if options.target is None:
        paths = card_paths(folder)
        for path in paths:
            out.print(escape(str(path)), soft_wrap=True)
        if not paths:
            out.print(f"no version with a card under {escape(str(folder))} yet")
        return DONE
    if (store := open_store(folder)) is None:
        raise no_store(folder)
    made, record = of_pushed(read_graph(store), folder, options.target, options.version)
    name = f"{'data' if options.data else 'model'}_card.{'html' if options.html else 'md'}"
    try:
        lines = made.lines(name, record)
    except ValidationError:
        raise InputError(
            f"other code made this card, and was told other things: it cannot be "
            f"made anew; read {name} in the version's folder"
        ) from None
    sys.stdout.write(as_text(lines))
    return DONE


def _verify(options: argparse.Namespace, out: Console) -> int:
    held = True
    for given in options.verify:
        file = Path(given)
        verdict = verify(file, _folder_of(file) or run_folder(options, load_config(options)))
        _print(out, verdict)
        held &= verdict.holds
    return DONE if held else FAILED


def _folder_of(file: Path) -> Path | None:
    """<root>/<name> that a file lies under; None for one elsewhere."""
    stores = (connection.SQLITE, connection.FILE)
    folders = file.resolve().parents
    return next((f for f in folders if any((f / store).is_file() for store in stores)), None)


def _print(out: Console, verdict: CardVerdict) -> None:
    def tell(text: str) -> None:
        out.print(escape(text), soft_wrap=True)

    for note in verdict.notes:
        tell(f"{verdict.file}: note: {note}")
    for problem in verdict.missing:
        tell(f"{verdict.file}: source: {problem}")
    for problem in verdict.altered[:_MOST]:
        tell(f"{verdict.file}: altered: {problem}")
    if (more := len(verdict.altered) - _MOST) > 0:
        tell(f"{verdict.file}: altered: and {more} more")
    if verdict.holds:
        rests = f"{verdict.claims} claims rest on {verdict.sources} files and properties"
        tell(f"{verdict.file}: verified: {rests}")
