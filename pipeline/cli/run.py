"""`run`: one run of the DAG."""

import argparse
from functools import partial
from pathlib import Path

from rich.console import Console

from pipeline.cli.common import (
    DONE,
    NOT_BLESSED,
    SIGNALLED,
    add_common_flags,
    load_config,
    run_folder,
)
from pipeline.config.doubts import doubts
from pipeline.notify.after import after
from pipeline.notify.notify import failures_told
from pipeline.report.display import RunDisplay, print_failure, print_results, print_warnings
from pipeline.report.markup import escape
from pipeline.run.run import RunRequest, build_dag, execute


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument(
        "--require-blessing",
        action="store_true",
        help=f"exit with {NOT_BLESSED} when a target was not blessed",
    )
    parser.set_defaults(verb=run)


def run(options: argparse.Namespace, out: Console) -> int:
    """Runs the DAG once."""
    config = load_config(options)
    request = RunRequest(Path(options.config).stem, config, Path(options.root), options.command)
    warn = partial(print_warnings, out)
    warn(doubts(config))
    with failures_told(request, warn), RunDisplay(out) as display:
        build = options.build or build_dag
        outcome = execute(request, build, display.on_event, display.tell)
    warnings = after(outcome.summary, config, request.config_name, run_folder(options, config))
    if outcome.summary.failure:
        print_failure(out, outcome.summary.failure)
    print_results(out, outcome.summary)
    warn(warnings)
    if outcome.failure:
        return outcome.failure.exit_code
    if outcome.signal is not None:
        again = f"interrupted; to go on, run the same command again: {options.command}"
        out.print(escape(again), soft_wrap=True)
        return SIGNALLED + outcome.signal
    blessed = all(pushed.version is not None for pushed in outcome.summary.pushed.values())
    return DONE if blessed or not options.require_blessing else NOT_BLESSED
