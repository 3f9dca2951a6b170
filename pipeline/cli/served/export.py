"""`export`: a client of a pushed edge version, for where it runs."""

import argparse
from pathlib import Path

from rich.console import Console

from core.targets import EDGE
from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.report.markup import escape
from pipeline.versions.export import FORMS, export_client
from pipeline.versions.served import to_be_asked


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "--format",
        choices=tuple(FORMS),
        required=True,
        help="python: bundle and runner; web: bundle, page and modules; c99: student.c, student.h",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "--version", type=int, metavar="N", help="of the edge target (the live one)"
    )
    parser.set_defaults(verb=export)


def export(options: argparse.Namespace, out: Console) -> int:
    """Writes the files, and says which."""
    config = load_config(options)
    folder = run_folder(options, config)
    version = to_be_asked(folder, config.name, EDGE.name, options.version)
    output = Path(options.output)
    files = export_client(version.path, options.format, output)
    told = f"{EDGE.name} version {version.version}: {', '.join(files)} in {output}"
    out.print(escape(told), soft_wrap=True)
    return DONE
