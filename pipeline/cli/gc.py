"""`gc`: frees the disk of what old runs left, never what is served or behind it."""

import argparse
from contextlib import ExitStack

from rich.console import Console

from core import lock
from core.errors import InputError
from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.metadata import gc, seal
from pipeline.metadata.graph import read_graph
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import Metadata, open_store
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "--keep", type=int, required=True, metavar="N", help="newest runs that keep their files"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.set_defaults(verb=collect)


def collect(options: argparse.Namespace, out: Console) -> int:
    """Removes files of old runs and says how many bytes each took."""
    if options.keep < 1:
        raise InputError(f"--keep {options.keep}: keep at least 1, the last run")
    folder = run_folder(options, load_config(options))
    if open_store(folder) is None:
        raise no_store(folder)

    def tell(removal: gc.Removal) -> None:
        path = removal.path.relative_to(folder)
        out.print(f"{removal.size:>14,}  {removal.kind:<10}  {escape(str(path))}", soft_wrap=True)

    with ExitStack() as held:
        if not options.dry_run:
            held.enter_context(lock.hold(folder / lock.FILE))
            held.enter_context(seal.writing(folder))
            if (folder / "staged").is_dir():
                held.enter_context(lock.wait(folder / "staged" / lock.STAGED_FILE))
        store = Metadata(folder, writable=not options.dry_run)
        if not options.dry_run:
            store.bring_home()
        removals = gc.plan(read_graph(store), folder, options.keep)
        if options.dry_run:
            for removal in removals:
                tell(removal)
        else:
            gc.collect(store, removals, tell)
    total = sum(removal.size for removal in removals)
    what = "would be freed" if options.dry_run else "freed"
    out.print(f"{total:>14,}  bytes {what}, {len(removals)} items")
    return DONE
