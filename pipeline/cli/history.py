"""`runs` and `show`: the runs there were, and one of them."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.markup import escape

from pipeline.cli.common import DONE, load_config, run_folder
from pipeline.report.display import print_failure, print_node, print_results


def add(verbs: Any, common: argparse.ArgumentParser) -> None:
    """Adds the verbs to the parser."""
    runs = verbs.add_parser("runs", parents=[common], help="list the runs")
    runs.add_argument("--json", action="store_true", help="print JSON")
    runs.set_defaults(verb=list_)
    one = verbs.add_parser("show", parents=[common], help="one run's nodes, gates and models")
    one.add_argument("run", nargs="?", metavar="RUN", help="id of the run (default: the last)")
    one.add_argument("--json", action="store_true", help="print summary.json")
    one.add_argument("--all", action="store_true", help="print every gate, those that passed too")
    one.set_defaults(verb=show)


def list_(options: argparse.Namespace, out: Console) -> int:
    """Lists the runs, the newest first."""
    from pipeline.report.history import list_runs, runs_table

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
    from pipeline.report.history import read_run

    summary = read_run(run_folder(options, load_config(options)), options.run)
    if options.json:
        print(summary.model_dump_json(indent=2))
        return DONE
    for node, ended in summary.nodes.items():
        print_node(out, node, ended.state, ended.seconds)
    if summary.failure:
        print_failure(out, summary.failure)
    print_results(out, summary, options.all)
    return DONE
