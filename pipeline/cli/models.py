"""`models` and `rollback`: the versions of the models, and which one is live."""

import argparse
import shlex
from pathlib import Path

from rich.console import Console

from core.targets import TARGETS
from pipeline.cli.common import DONE, add_common_flags, given_flags, load_config, run_folder
from pipeline.notify.after import after
from pipeline.report.display import print_warnings
from pipeline.report.markup import escape
from pipeline.versions.listing import ROWS, list_versions, print_versions
from pipeline.versions.rollback import roll_back


def add_models(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(verb=list_)


def list_(options: argparse.Namespace, out: Console) -> int:
    """Lists the versions of both targets, the newest first."""
    config = load_config(options)
    folder = run_folder(options, config)
    rows = list_versions(folder, config.name)
    if options.json:
        print(ROWS.dump_json(rows, indent=2).decode())
    elif rows:
        print_versions(out, rows)
    else:
        out.print(f"no versions under {escape(str(folder))} yet")
    return DONE


def add_rollback(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "target", choices=tuple(TARGETS), metavar="TARGET", help=" or ".join(TARGETS)
    )
    parser.add_argument(
        "version",
        nargs="?",
        type=int,
        metavar="VERSION",
        help="the version to make live (default: the one before the live one)",
    )
    parser.add_argument("--reason", metavar="TEXT", help="why; kept with the version")
    parser.set_defaults(verb=rollback)


def rollback(options: argparse.Namespace, out: Console) -> int:
    """Makes a version live."""
    config = load_config(options)
    folder = run_folder(options, config)
    done = roll_back(folder, config.name, options.target, options.version, options.reason)
    before = f"before: {done.before}" if done.before else "before: none"
    out.print(f"{done.target}: version {done.live} is live ({before})", soft_wrap=True)
    if done.withdrawn:
        moved = ", ".join(map(str, done.withdrawn))
        back = ["rollback", done.target, str(done.before), *given_flags(options)]
        undo = f"python -m pipeline {shlex.join(back)}"
        out.print(f"  rolled back: {moved}; to undo: {escape(undo)}", soft_wrap=True)
    print_warnings(out, after(done, config, Path(options.config).stem, folder))
    return DONE
