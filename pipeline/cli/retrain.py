"""`retrain`: runs the DAG if there is a reason to."""

import argparse
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from core.errors import InputError
from pipeline.cli.common import add_common_flags, load_config, run_folder
from pipeline.config.doubts import doubts
from pipeline.notify.after import after
from pipeline.notify.notices import Blocked
from pipeline.notify.notify import failures_told
from pipeline.report.display import RunDisplay, print_failure, print_results, print_warnings
from pipeline.report.markup import escape
from pipeline.retraining import display
from pipeline.retraining import retrain as work
from pipeline.run.run import RunRequest, build_dag

_DESCRIPTION = """Decides whether there is a reason to run, says which, and runs or does not.
Exit codes: 0 there was no reason, or the run pushed every target; 1 the run failed; 2 data,
configuration or disk at fault; 3 spans, a gate or a missing blessing blocked it."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the verb's flags."""
    parser.description = _DESCRIPTION
    add_common_flags(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--accept-span",
        type=int,
        action="append",
        default=[],
        metavar="N",
        help="take span N although it is held back; may be given more than once",
    )
    parser.add_argument(
        "--now", metavar="TIME", help="ISO 8601: take this for the time (rehearsals)"
    )
    parser.set_defaults(verb=retrain)


def retrain(options: argparse.Namespace, out: Console) -> int:
    """Decides, and runs when there is a reason to."""
    config = load_config(options)
    if options.accept_span:
        accepted = sorted({*config.data.accept_spans, *options.accept_span})
        options.overrides = [*options.overrides, f"data.accept_spans={accepted}"]
        config = load_config(options)
    now = _time(options.now)
    run = RunRequest(Path(options.config).stem, config, Path(options.root), options.command)
    request = work.RetrainRequest(run, now, options.dry_run)
    shown = Console(stderr=True, highlight=False) if options.json else out
    warn = partial(print_warnings, shown)
    warn(doubts(config))
    with failures_told(run, warn), RunDisplay(shown) as live:
        announce = partial(display.print_decision, shown)
        build = options.build or build_dag
        result = work.retrain(request, build, live.on_event, live.tell, announce)
    folder = run_folder(options, config)
    if result.run is not None:
        warnings = after(result.run.summary, config, run.config_name, folder) + result.warnings
        if result.run.summary.failure:
            print_failure(shown, result.run.summary.failure)
        print_results(shown, result.run.summary)
        warn(warnings)
    elif result.decision.action == "blocked" and not options.dry_run:
        warn(after(Blocked(reasons=result.decision.reasons), config, run.config_name, folder))
    if options.json:
        print(json.dumps(_as_json(result), indent=2))
    elif result.run is not None and result.run.signal is not None:
        again = f"interrupted; to go on, run the same command again: {options.command}"
        out.print(escape(again), soft_wrap=True)
    return result.exit_code


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"--now {text}: not a time like 2026-01-31T03:00:00+00:00") from None
    return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)


def _as_json(result: work.RetrainResult) -> dict[str, Any]:
    summary = result.run.summary if result.run else None
    return {
        "decision": result.decision.model_dump(mode="json"),
        "run": summary and {"run_id": summary.run_id, "state": summary.state},
        "pushed": summary and {t: p.model_dump(mode="json") for t, p in summary.pushed.items()},
        "exit_code": result.exit_code,
    }
