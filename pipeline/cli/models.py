"""`models`: the versions of the two models, and which one is live."""

import argparse

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.report.markup import escape
from pipeline.versions.listing import ROWS, list_versions, print_versions


def add(parser: argparse.ArgumentParser) -> None:
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
