"""How fast `serve` answers, and what it does while versions change and processes are killed.

    make benchmark BENCHMARK=serving                       # 5 to 7 minutes
    make benchmark BENCHMARK=serving ARGS="--soak 1000000" # besides, memory over a million requests

Two smoke runs under a root of its own push two versions of each target. Then the server runs in a
process of its own on 127.0.0.1 and is asked by wrk, by the public gRPC stubs, and by clients that
check every answer. What it is compared with, calls of the model in a process without a server, is
measured in a third process. Medians and p99 are those that wrk tells.

Writes serving.md and serving.json to benchmarks/results/.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from benchmarks.served.serving_load import Load, Up, serving, wrk
from benchmarks.serving.calls import (
    body,
    calls_without_a_server,
    grpc_median,
    in_process,
    metrics_ms,
    requests,
)
from benchmarks.serving.changing import CHANGES, PATH, changes, grown, half_lines

NO_LOG = "serving.log.sample=0"
SECONDS = 5
ROUNDS = 5  # of the loads with and without a log


def main() -> int:
    """Measures, prints and writes; 1 when that failed."""
    parser = report.parser(__doc__)
    parser.add_argument(
        "--root", type=Path, help="with two versions of a smoke run, if there is one"
    )
    parser.add_argument("--soak", type=int, default=0, metavar="REQUESTS")
    parser.add_argument("--in-process", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_process:
        print(json.dumps(in_process(options.in_process)))
        return 0
    return report.run(
        "benchmarks.serving",
        "serving",
        options.results,
        lambda scratch: measured(options.root or pushed_twice(scratch), scratch, options.soak),
    )


def pushed_twice(scratch: Path) -> Path:
    """A root with two versions of each target."""
    for overrides in ((), ("trainer.learning_rate=0.004", "distiller.temperature=3.0")):
        measure.run_pipeline("smoke", scratch, overrides)
    return scratch


def measured(root: Path, scratch: Path, soak: int) -> tuple[str, dict[str, Any]]:
    """Tables and values."""
    rows = requests(root)
    one, hundred = body(rows[:1]), body(rows[:100])
    alone = calls_without_a_server(root)
    loads: dict[str, Load] = {}
    checks: list[Check] = []

    def load(name: str, up: Up, content: bytes, connections: int) -> Load:
        wrk(up, PATH, content, scratch, connections, 1)
        loads[name] = wrk(up, PATH, content, scratch, connections, SECONDS)
        return loads[name]

    with serving(root, "server") as up:
        checks.append(at_most("server: seconds until it answers", up.seconds, 10))
        single = load("server, 1 row, 1 connection", up, one, 1)
        many = load("server, 1 row, 32 connections", up, one, 32)
        batches = load("server, 100 rows, 1 connection", up, hundred, 1)
        by_grpc = grpc_median(up.grpc, rows[0])
        memory = {"server": up.memory_mb()}
    logged, unlogged = with_and_without_log(root, scratch, one)
    loads["server, 1 row, 32 connections, with log, in turn"] = logged
    loads["server, 1 row, 32 connections, no log, in turn"] = unlogged
    ratio = single.median / alone["packed_ms"]
    checks += [
        at_most("server, 1 row: median, times the packed call", ratio, 1.3),
        at_least("server, 1 row, 1 connection: requests/s", single.per_second, 1100),
        at_least("server, 1 row, 32 connections: requests/s", many.per_second, 6000),
        at_most("server, 1 row, 32 connections: p99 ms", many.p99, 25),
        at_least(
            "server, 100 rows: rows/s",
            batches.per_second * 100,
            min(60_000, 0.7 * alone["signature_rows_per_second"]),
        ),
        at_most("gRPC, 1 row: median ms", by_grpc, 1.5),
    ]
    cost = (logged.cpu_us - unlogged.cpu_us + metrics_ms() * 1000) / logged.cpu_us
    checks.append(at_most("cost of log and figures, share of the server's CPU", cost, 0.1))
    checks += edge(root, load, one, memory)
    changing = changes(root, one)
    checks += [
        at_least(f"requests during {CHANGES} pushes and rollbacks", changing["asked"], 20_000),
        at_most("of these failed", changing["failed"], 0),
        at_most("of these answered by a version that was not live", changing["wrong"], 0),
        at_most("half lines after a kill", half_lines(root, one), 0),
    ]
    if soak:
        checks.append(
            at_most("growth of memory after 50,000", grown(root, scratch, one, soak), 0.05)
        )
    if failed := sum(each.failed for each in loads.values()):
        raise measure.MeasurementError(f"{failed} requests of wrk failed")
    header = ("load", "requests/s", "median ms", "p99 ms", "server CPU us")
    lines = [
        (name, f"{v.per_second:,.0f}", f"{v.median:.2f}", f"{v.p99:.2f}", f"{v.cpu_us:.0f}")
        for name, v in loads.items()
    ]
    busy = os.getloadavg()[0]
    tables = (
        f"{report.checks_table(checks)}\n{report.table(header, lines)}\n"
        f"Without a server: packed call {alone['packed_ms']:.2f} ms, session "
        f"{alone['session_ms']:.2f} ms, 100 rows by the signature "
        f"{alone['signature_rows_per_second']:,.0f} rows/s. Memory after the loads, MB: server "
        f"{memory['server']:.0f}, edge {memory['edge']:.0f}. Load of the machine at the end: "
        f"{busy:.1f} processes.\n"
    )
    values = {"checks": checks, "loads": loads, "alone": alone, "memory_mb": memory}
    return tables, {**values, "grpc_ms": by_grpc, "changes": changing, "loadavg": busy}


def with_and_without_log(root: Path, scratch: Path, one: bytes) -> tuple[Load, Load]:
    """The same load on a server that logs and on one that does not, in turn.

    What else the machine does, and how fast it is at the moment, meets both. Of each the load with
    the median CPU time of a request.
    """
    found: tuple[list[Load], list[Load]] = [], []
    with serving(root, "server") as logs, serving(root, "server", [NO_LOG]) as does_not:
        for warm in (True, *[False] * ROUNDS):
            for up, loads in zip((logs, does_not), found, strict=True):
                each = wrk(up, PATH, one, scratch, 32, 1 if warm else SECONDS // 2)
                if not warm:
                    loads.append(each)
    logged, unlogged = map(median_load, found)
    return logged, unlogged


def median_load(loads: list[Load]) -> Load:
    """That with the median CPU time of a request, and the failures of all."""
    middle = sorted(loads, key=lambda load: load.cpu_us)[len(loads) // 2]
    return replace(middle, failed=sum(load.failed for load in loads))


def edge(
    root: Path, load: Callable[[str, Up, bytes, int], Load], one: bytes, memory: dict[str, float]
) -> list[Check]:
    """What is asked of the edge target."""
    with serving(root, "edge") as up:
        checks = [at_most("edge: seconds until it answers", up.seconds, 2)]
        single = load("edge, 1 row, 1 connection", up, one, 1)
        load("edge, 1 row, 32 connections", up, one, 32)
        memory["edge"] = up.memory_mb()
    with serving(root, "edge", ["serving.workers=2"]) as up:
        time.sleep(2)  # the second process
        many = load("edge, 1 row, 32 connections, 2 processes", up, one, 32)
    return [
        *checks,
        at_most("edge: MB", memory["edge"], 200),
        at_most("edge, 1 row, 1 connection: median ms", single.median, 0.3),
        at_most("edge, 1 row, 1 connection: p99 ms", single.p99, 1),
        at_least("edge, 1 row, 1 connection: requests/s", single.per_second, 3000),
        at_least("edge, 1 row, 32 connections, 2 processes: requests/s", many.per_second, 5000),
    ]


if __name__ == "__main__":
    sys.exit(main())
