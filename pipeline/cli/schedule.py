"""`schedule`: keeps `retrain` on a cron expression, in the foreground."""

import argparse
import json
import shlex
import sys
from pathlib import Path

from rich.console import Console

from pipeline.cli.common import (
    DONE,
    SIGNALLED,
    add_common_flags,
    given_flags,
    load_config,
    run_folder,
)
from pipeline.notify.untold import watch
from pipeline.schedule.cron import parse
from pipeline.schedule.json_log import log_to_stdout
from pipeline.schedule.schedule import Job, keep, once


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    parser.add_argument("--cron", metavar="EXPRESSION", help="instead of schedule.cron")
    parser.add_argument(
        "--once",
        action="store_true",
        help="retrain if a slot has come since the last one, and exit with retrain's code",
    )
    parser.set_defaults(verb=schedule)


def schedule(options: argparse.Namespace, out: Console) -> int:
    """Runs `retrain` at each slot, in a process of its own."""
    del out  # what it prints are JSON lines
    flags = given_flags(options)
    if options.cron is not None:
        options.overrides = [*options.overrides, f"schedule.cron={json.dumps(options.cron)}"]
    config = load_config(options)
    folder = run_folder(options, config)
    folder.mkdir(parents=True, exist_ok=True)
    log_to_stdout()
    command = [sys.executable, "-m", "pipeline", "retrain", *flags]
    failures = watch(config, Path(options.config).stem, folder, shlex.join(command))
    slots = parse(config.schedule.cron, config.schedule.timezone)
    job = Job(command, config.schedule, slots, folder, failures)
    if options.once:
        code = once(job)
        return code if code >= DONE else SIGNALLED - code
    return SIGNALLED + keep(job)
