"""`explain`: what an answer rests on, and what would change it."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from core.targets import EDGE
from pipeline.cli.common import DONE, add_common_flags, add_version_flags, load_config, run_folder
from pipeline.serving.serve import load_tensorflow, messages_without_tensorflow

_MOST = 20


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    rows = parser.add_mutually_exclusive_group(required=True)
    rows.add_argument("--row", metavar="FILE", help="rows: .csv with a header, or .json")
    rows.add_argument(
        "--row-id", metavar="ID", help="of staged data, e.g. test:17, or of a request in the log"
    )
    add_version_flags(parser)
    parser.add_argument(
        "--counterfactuals",
        type=_count,
        default=0,
        metavar="N",
        help="up to N smallest changes of the columns in explain.actionable that change the "
        "decision (default: %(default)s)",
    )
    parser.add_argument(
        "--class", dest="wanted", metavar="NAME", help="that counterfactuals reach (any other)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(verb=explain)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 0 to {_MOST}")
    return int(text)


def explain(options: argparse.Namespace, out: Console) -> int:
    """Explains rows."""
    config = load_config(options)
    if options.target == EDGE.name:
        messages_without_tensorflow()
    else:
        load_tensorflow()
    from pipeline.explaining import display  # loads TensorFlow
    from pipeline.explaining.explain import ExplainRequest  # loads TensorFlow
    from pipeline.explaining.explain import explain as work  # loads TensorFlow

    explained = work(
        ExplainRequest(
            config,
            run_folder(options, config),
            options.target,
            options.version,
            Path(options.row) if options.row else None,
            options.row_id,
            options.counterfactuals,
            options.wanted,
        )
    )
    if options.json:
        print(json.dumps(asdict(explained), indent=1, ensure_ascii=False))
    else:
        display.print_explanations(explained, out, config.columns.names)
    return DONE
