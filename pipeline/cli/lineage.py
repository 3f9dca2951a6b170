"""`lineage`: what a model was made of, and what was made of a span of data."""

import argparse
import json
import re
from typing import Any

from rich.console import Console

from core.errors import InputError
from core.targets import TARGETS
from pipeline.cli.common import DONE, add_common_flags, load_config, run_folder
from pipeline.metadata import lineage, lineage_report
from pipeline.metadata.graph import read_graph
from pipeline.metadata.seal import no_store
from pipeline.metadata.store import open_store
from pipeline.report.markup import escape

RUN_ID = re.compile(r"\d{8}T\d{6}Z")


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help=f"{', '.join(TARGETS)}, or the id of a run"
    )
    parser.add_argument(
        "version", nargs="?", type=int, metavar="VERSION", help="of the target (default: live)"
    )
    parser.add_argument("--span", type=int, metavar="N", help="everything made from this span")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--picture", metavar="FILE", help="also draw it: .svg, .png or .html")
    parser.set_defaults(verb=show)


def show(options: argparse.Namespace, out: Console) -> int:
    """Prints a lineage, and draws it on demand."""
    if (options.model is None) == (options.span is None):
        raise InputError(f"give a target ({', '.join(TARGETS)}) or the id of a run; or --span N")
    folder = run_folder(options, load_config(options))
    if (store := open_store(folder)) is None:
        raise no_store(folder)
    graph = read_graph(store)
    if options.span is not None:
        found = lineage.of_span(graph, folder, options.span)
        lineages = [lineage.of_model(graph, model) for model in found.models]
        values: Any = lineage_report.descendant_values(found)
        trees = [lineage_report.descendant_tree(found)]
    else:
        if RUN_ID.fullmatch(options.model):
            lineages = lineage.of_run(graph, folder, options.model)
        else:
            lineages = [lineage.of_version(graph, folder, options.model, options.version)]
        values = [lineage_report.lineage_values(graph, each) for each in lineages]
        trees = [lineage_report.lineage_tree(graph, each) for each in lineages]
    if options.json:
        print(json.dumps(values, indent=2))
    for tree in [] if options.json else trees:
        out.print(tree, soft_wrap=True)
    if not options.json and not lineages:
        out.print("no model: the run came to no Pusher")
    if options.picture:
        from pipeline.metadata.lineage_picture import draw  # loads Altair

        written = draw(graph, lineages, options.picture)
        Console(stderr=True).print(escape(str(written)), soft_wrap=True)
    return DONE
