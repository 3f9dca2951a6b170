"""`report`: the page of a run."""

import argparse

from rich.console import Console

from core.errors import InputError
from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.report.markup import escape
from pipeline.report.page import page
from pipeline.report.page.records import read_record


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of the run (default: the last)")
    parser.add_argument(
        "--against", metavar="RUN", help="put it and another run of these side by side instead"
    )
    parser.set_defaults(verb=report)


def report(options: argparse.Namespace, out: Console) -> int:
    """Writes the page of a run and says where it is."""
    folder = run_folder(options, load_config(options))
    record = read_record(folder, options.run)
    if options.against is None:
        path = page.write(record)
    else:
        other = read_record(folder, options.against)
        if other.summary.run_id == record.summary.run_id:
            raise InputError(f"--against {options.against}: that is the run itself; name another")
        path = page.write_against(record, other)
    out.print(escape(str(path)), soft_wrap=True)
    return DONE
