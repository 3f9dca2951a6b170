"""`rebase`: takes a folder of runs for where it is now, after it was moved."""

import argparse

from rich.console import Console

from core import lock
from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.metadata import seal
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import Metadata, open_store
from pipeline.report.markup import escape

_DESCRIPTION = """Puts right the paths that ML Metadata keeps, where the folder of runs was moved,
copied, restored or mounted elsewhere. Records in the folder itself (SQLite) need no such call: the
next run does it. Records on a server stay where they are when the folder is copied, so somebody has
to say that this folder is the one that they are about."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    parser.description = _DESCRIPTION
    add_common_flags(parser)
    parser.set_defaults(verb=rebase)


def rebase(options: argparse.Namespace, out: Console) -> int:
    """Puts the paths right."""
    folder = run_folder(options, load_config(options))
    if open_store(folder) is None:
        raise no_store(folder)
    with lock.hold(folder / lock.FILE), seal.writing(folder):
        moved = Metadata(folder, writable=True).bring_home(taking_over=True)
    what = "its records are about this folder now" if moved else "not moved; nothing to do"
    out.print(escape(f"{folder}: {what}"), soft_wrap=True)
    return DONE
