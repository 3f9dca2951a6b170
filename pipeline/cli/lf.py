"""`lf`: judges the labelling functions, without a run."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.labels import analysis, display, page, state
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--html", metavar="FILE", help="also write a page")
    parser.set_defaults(verb=lf)


def lf(options: argparse.Namespace, out: Console) -> int:
    """Judges the labelling functions on the gold rows and the unlabelled ones."""
    config = load_config(options)
    with Console(stderr=True).status("applying the labelling functions"):
        folder = run_folder(options, config)
        found = analysis.analyse(config, folder, datetime.now(UTC))
        found = state.with_changes(found, state.last(folder))
    if options.json:
        print(found.report.model_dump_json(indent=2))
    else:
        display.print_report(out, found.report)
    if options.html:
        page.write(found.report, Path(options.html))
        Console(stderr=True, soft_wrap=True).print(f"page: {escape(options.html)}")
    state.remember(found, folder)
    return DONE
