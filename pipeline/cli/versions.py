"""`models` and `rollback`: the versions of the two models, and which one is live."""

import argparse
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from pipeline.cli.common import DONE, given_flags, load_config, run_folder
from pipeline.report.display import print_warnings


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Adds the verbs to the parser."""
    models = verbs.add_parser("models", parents=[common], help="list the model versions")
    models.add_argument("--json", action="store_true", help="print JSON")
    models.set_defaults(verb=list_)
    back = verbs.add_parser(
        "rollback", parents=[common], help="make an older version live, or one rolled back before"
    )
    back.add_argument("target", choices=("server", "edge"), metavar="TARGET", help="server or edge")
    back.add_argument(
        "version",
        nargs="?",
        type=int,
        metavar="VERSION",
        help="the version to make live (default: the one before the live one)",
    )
    back.add_argument("--reason", metavar="TEXT", help="why; kept with the version")
    back.set_defaults(verb=rollback)


def list_(options: argparse.Namespace, out: Console) -> int:
    """Lists the versions of both targets, the newest first."""
    from pipeline.versions.listing import ROWS, list_versions, versions_table

    config = load_config(options)
    folder = run_folder(options, config)
    rows = list_versions(folder, config.name)
    if options.json:
        print(ROWS.dump_json(rows, indent=2).decode())
    elif rows:
        out.print(versions_table(rows))
    else:
        out.print(f"no versions under {escape(str(folder))} yet")
    return DONE


def rollback(options: argparse.Namespace, out: Console) -> int:
    """Makes a version live."""
    from pipeline.notify.after import after
    from pipeline.versions.rollback import roll_back

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
