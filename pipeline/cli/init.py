"""`init`: describes a new data set from a CSV or Parquet file."""

import argparse
import math
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from core.errors import InputError
from core.files import REPOSITORY
from pipeline.cli.common import DONE
from pipeline.init import describe, display
from pipeline.init.describe import Described
from pipeline.init.files import InitOrigin
from pipeline.init.looking import GOLD, KINDS, WEAK, InitRequest
from pipeline.report.markup import escape

MODES = (GOLD, WEAK)


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags; it has no use for those of the others."""
    parser.add_argument(
        "--csv", "--parquet", required=True, dest="csv", metavar="FILE",
        help="the data: CSV with a header, or Parquet, by its ending",
    )  # fmt: skip
    parser.add_argument("--label", required=True, metavar="COLUMN", help="column with the label")
    parser.add_argument("--name", required=True, help="of the data set: letters a-z, digits, '_'")
    parser.add_argument(
        "--positive",
        metavar="VALUE",
        help="value of the label to detect; all others are one class; without it each is a class",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        help="of labelling: all labels, or few and labelling functions (default: gold where nearly "
        "all rows have a label)",
    )
    parser.add_argument(
        "--slice",
        action="append",
        default=[],
        metavar="COLUMN",
        help="results are measured by its values, or by groups of its numbers; more than once",
    )
    parser.add_argument(
        "--test-fraction",
        type=_share,
        default=0.2,
        metavar="SHARE",
        help="share of the labelled rows that models are measured on (default: %(default)s)",
    )
    parser.add_argument(
        "--missing",
        action="append",
        default=[],
        metavar="TEXT",
        help="a cell that means unknown, besides NA, ? and the like; may be given more than once",
    )
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        metavar="COLUMN=KIND",
        help=f"one of {', '.join(KINDS)}, against what its values look like; more than once",
    )
    parser.add_argument(
        "--all-columns",
        action="store_true",
        help="a line for each column, also of a file of many",
    )
    parser.set_defaults(verb=init, root=str(REPOSITORY))


def init(options: argparse.Namespace, out: Console) -> int:
    """Writes configuration, contract, span loader and labelling functions."""
    kinds = dict(_kind(text) for text in options.kind)
    request = InitRequest(
        Path(options.csv),
        options.label,
        options.name,
        options.positive,
        options.test_fraction,
        tuple(options.missing),
        kinds,
        tuple(dict.fromkeys(options.slice)),
        options.mode,
    )
    origin = InitOrigin(f"{datetime.now(UTC):%Y-%m-%d}", options.command)
    described = _described(request, origin)
    display.print_described(out, described, options.all_columns)
    return DONE


def _described(request: InitRequest, origin: InitOrigin) -> Described:
    """Describes the data set and says meanwhile what is being done, on standard error."""
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    if not errors.is_terminal:
        return describe.describe(request, origin, lambda step: errors.print(escape(step)))
    with errors.status("") as status:
        return describe.describe(request, origin, lambda step: status.update(escape(step)))


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= 0.5:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0.05 to 0.5")
    return value


def _kind(text: str) -> tuple[str, str]:
    column, equals, kind = _column_and_kind(text)
    if not equals or kind.partition(":")[0] not in KINDS or (":" in kind and kind[:5] != "date:"):
        raise InputError(
            f"--kind {text}: write COLUMN=KIND; a kind is one of {', '.join(KINDS)}, or date:FORMAT"
        )
    return column, kind


def _column_and_kind(text: str) -> tuple[str, str, str]:
    """Column, `=` and kind; a format of dates may hold a further `=`."""
    column, equals, kind = text.partition("=date:")
    return (column, "=", f"date:{kind}") if equals else text.rpartition("=")
