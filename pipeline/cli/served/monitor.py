"""`monitor`: what is asked of the live version, and what its answers are worth."""

import argparse
import json
from datetime import UTC, datetime

from rich.console import Console

from pipeline.cli.common import DONE, add_common_flags, add_target_flag, load_config, run_folder
from pipeline.monitoring import records
from pipeline.monitoring.display import print_report
from pipeline.monitoring.monitor import monitor as look
from pipeline.notify.after import after
from pipeline.report.markup import escape


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    add_common_flags(parser)
    add_target_flag(parser, "whose live version")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.set_defaults(verb=monitor)


def monitor(options: argparse.Namespace, out: Console) -> int:
    """Looks, keeps the report, and tells of what is beyond its bounds."""
    config = load_config(options)
    folder = run_folder(options, config)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    report = look(
        config,
        options.config,
        folder,
        options.target,
        datetime.now(UTC),
        lambda text: errors.print(escape(text)),
    )
    if report.version is not None:
        records.append(folder, report)
        for warning in after(report, config, options.config, folder):
            errors.print(f"[yellow]warning[/]: {escape(warning)}")
    if options.json:
        out.print(
            json.dumps(report.model_dump(mode="json"), indent=1), markup=False, soft_wrap=True
        )
    else:
        print_report(report, out)
    return DONE
