"""Plays a year of continuous training in minutes, and says what `retrain` made of each month.

    make demo-retrain                                     # prints; the folder is removed
    make demo-retrain ARGS="--keep DIR --markdown FILE"   # keeps the runs; writes the table

Each month brings a delivery (benchmarks/census_year.py): whole, half copied, doubled, drifted,
mislabelled, rescaled, against the contract, or none. Then `retrain` looks, with the clock set to
that month, and runs or does not. The last columns measure whatever is live after it on a test part
that nothing is trained or tuned on.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.census_year import DELIVERIES, Delivery, Year
from pipeline.config.load import load
from pipeline.retraining import records, served_model
from pipeline.retraining.records import Decision
from pipeline.retraining.retrain import RetrainRequest, RetrainResult, retrain
from pipeline.run.run import RunRequest, build_dag

CONFIG = "demo_retrain"
START = datetime(2026, 1, 1, 3, tzinfo=UTC)
MONTH = timedelta(days=30)
HEADER = ("month", "what arrived", "decision", "why", "outcome", "live", "AUC", "F1")


class YearRow(NamedTuple):
    """One look: what arrived, what was decided and why, what came of it, what is live after it."""

    month: str
    arrived: str
    decision: str
    why: str
    outcome: str
    live: str
    auc: str
    f1: str


def main() -> int:
    """Plays the year and prints its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where data and runs are kept")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the table there")
    options = parser.parse_args()
    out = Console(width=None if sys.stdout.isatty() else 180, highlight=False)
    started, used = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="year-") as scratch:
        rows = play((options.keep or Path(scratch)).resolve(), out)
    table = Table(*HEADER, show_lines=True)
    for row in rows:
        table.add_row(*row)
    out.print(table)
    seconds, cpu = time.monotonic() - started, time.process_time() - used
    out.print(f"{len(rows)} looks in {seconds:.0f} s, {cpu:.0f} CPU s")
    if options.markdown:
        options.markdown.write_text(markdown(rows), encoding="utf-8")
    return 0


def play(folder: Path, out: Console) -> list[YearRow]:
    """Brings each delivery and looks.

    Args:
        folder: where data and runs go; has to be new or empty.
        out: is told what goes on.
    """
    year = Year(folder)
    rows: list[YearRow] = []
    live: list[int] = []
    for number, delivery in enumerate(DELIVERIES, 1):
        out.rule(f"month {delivery.month}: {delivery.what}", align="left")
        delivery.bring(year)
        result = look(folder, year, START + delivery.month * MONTH + timedelta(minutes=number), out)
        rows.append(row_of(delivery, result, folder, live))
        out.print(f"{rows[-1].decision}: {rows[-1].why}\n{rows[-1].outcome}", soft_wrap=True)
    return rows


def look(folder: Path, year: Year, now: datetime, out: Console) -> RetrainResult:
    """One call of `retrain`."""
    config = load(CONFIG, [f"data.folder={year.spans}", f"schema={year.contract}"])
    request = RunRequest(CONFIG, config, folder / "runs", "make demo-retrain")
    with out.status("retrain") as status:
        return retrain(
            RetrainRequest(request, now, dry_run=False),
            build_dag,
            lambda event: status.update(f"{getattr(event, 'node', event)} ..."),
            lambda text: status.update(f"{text} ..."),
            lambda decision: None,
        )


def row_of(delivery: Delivery, result: RetrainResult, folder: Path, live: list[int]) -> YearRow:
    """What a look came to; `live` holds the versions that were live so far, and is added to."""
    run_folder = folder / "runs" / CONFIG
    served = served_model.look_up(run_folder, CONFIG, records.read(run_folder))
    metrics = served.metrics
    if served.server is not None and served.server.version not in live:
        live.append(served.server.version)
    return YearRow(
        str(delivery.month),
        delivery.what,
        result.decision.action,
        why(result.decision),
        outcome(result),
        f"model {live.index(served.server.version) + 1}" if served.server else "-",
        f"{metrics['auc']:.3f}" if metrics else "-",
        f"{metrics['f1']:.3f}" if metrics else "-",
    )


def why(decision: Decision) -> str:
    """The reasons and the spans held back, in a few words."""
    reasons = [e for e in decision.evidence if e.state == "reason"]
    kinds = [f"{e.kind}: {e.message.partition(' not in the training data')[0]}" for e in reasons]
    held = [f"span {finding.span} held back: {finding.kind}" for finding in decision.held_back]
    late = [f"span {found.span} is late" for found in decision.reported if found.kind == "late"]
    if decision.action == "blocked":
        return decision.reasons[0].partition("; correct it")[0]
    return "; ".join([*kinds, *held, *late]) or decision.reasons[0]


def outcome(result: RetrainResult) -> str:
    """What was pushed, or what stopped it."""
    if result.run is None:
        return f"exit code {result.exit_code}"
    summary = result.run.summary
    if summary.failure:
        return f"{summary.failure.node} stopped the run; exit code {result.exit_code}"
    pushed = [
        f"{target} pushed" if push.version is not None else f"{target} not pushed: {push.why}"
        for target, push in summary.pushed.items()
    ]
    return f"{'; '.join(pushed)}; exit code {result.exit_code}"


def markdown(rows: Sequence[YearRow]) -> str:
    """The year as a table in Markdown."""
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    sys.exit(main())
