"""`runs` and `show`: the runs there were, and one of them."""

import argparse
import json

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.report.display import print_failure, print_node, print_results
from pipeline.report.history import list_runs, read_run, runs_table
from pipeline.report.markup import escape


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `runs`."""
    add_common_flags(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(verb=list_)


def add_show(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `show`."""
    add_common_flags(parser)
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of the run (default: the last)")
    parser.add_argument("--json", action="store_true", help="print summary.json")
    parser.add_argument(
        "--all",
        action="store_true",
        help="also the gates that passed and rates at other thresholds",
    )
    parser.set_defaults(verb=show)


def list_(options: argparse.Namespace, out: Console) -> int:
    """Lists the runs, the newest first."""
    folder = run_folder(options, load_config(options))
    rows = list_runs(folder)
    if options.json:
        print(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    elif rows:
        out.print(runs_table(rows))
    else:
        out.print(f"no runs under {escape(str(folder))} yet")
    return DONE


def show(options: argparse.Namespace, out: Console) -> int:
    """Shows one run."""
    summary = read_run(run_folder(options, load_config(options)), options.run)
    if options.json:
        print(summary.model_dump_json(indent=2))
        return DONE
    for node, ended in summary.nodes.items():
        print_node(out, node, ended.state, ended.seconds)
    if summary.failure:
        print_failure(out, summary.failure)
    print_results(out, summary, options.all, slices=True)
    return DONE
