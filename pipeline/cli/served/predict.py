"""`predict`: answers a file of rows with what was pushed."""

import argparse
from pathlib import Path

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, add_version_flags, load_config, run_folder
from pipeline.prediction.predict import PredictRequest
from pipeline.prediction.predict import predict as answer
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "--input", required=True, metavar="FILE", help="rows: .csv, .parquet or .tfrecord"
    )
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="rows with answers: .csv or .parquet"
    )
    parser.add_argument(
        "--bad-rows", metavar="FILE", help="rows that are refused, and why (OUTPUT.bad.csv)"
    )
    add_version_flags(parser)
    parser.set_defaults(verb=predict)


def predict(options: argparse.Namespace, out: Console) -> int:
    """Answers, and says how many rows were refused."""
    config = load_config(options)
    output = Path(options.output)
    bad_rows = Path(options.bad_rows or f"{output}.bad.csv")
    request = PredictRequest(
        config,
        run_folder(options, config),
        options.target,
        options.version,
        Path(options.input),
        output,
        bad_rows,
    )
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    done = answer(request, lambda text: errors.print(escape(text)))
    told = f"{done.answered:,} rows answered by version {done.version}: {output}"
    out.print(escape(told), soft_wrap=True)
    if done.refused:
        out.print(
            f"[yellow]{done.refused:,} rows refused[/], with reasons: {escape(str(bad_rows))}",
            soft_wrap=True,
        )
    return DONE
