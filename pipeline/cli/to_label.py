"""`to-label`: the rows that people should label next, as a CSV file."""

import argparse
from pathlib import Path

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, follow_up, load_config, run_folder
from pipeline.labels.to_label import allowed_answers, write_batch
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "--n", type=_count, default=200, metavar="ROWS", help="default: %(default)s"
    )
    parser.add_argument("--out", metavar="FILE", help="default: <root>/<name>/to-label-ROWS.csv")
    parser.set_defaults(verb=to_label)


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0")
    return int(text)


def to_label(options: argparse.Namespace, out: Console) -> int:
    """Chooses rows, writes them, says what to do with the file."""
    config = load_config(options)
    with Console(stderr=True).status("choosing rows"):
        out_file = Path(options.out) if options.out else None
        batch = write_batch(config, run_folder(options, config), options.n, out_file)
    *most, last = allowed_answers(config)
    for line in (
        f"{batch.rows} rows to label: {batch.path}",
        f"  {batch.random} drawn at random from {batch.pool}, {batch.rows - batch.random} chosen "
        "to inform",
        f"  in column answer, write {', '.join(most)} or {last}, or leave it empty "
        "to skip; in column annotator, who answered",
        f"  then: {follow_up(options, 'labels', 'import', str(batch.path))}",
    ):
        out.print(escape(line), soft_wrap=True)
    return DONE
