"""How fast `serve` answers, and what it does while versions change and processes are killed.

    make benchmark BENCHMARK=serving                       # 4 to 6 minutes
    make benchmark BENCHMARK=serving ARGS="--soak 1000000" # besides, memory over a million requests

Two smoke runs under a root of its own push two versions of each target. Then the server runs in a
process of its own on 127.0.0.1 and is asked by wrk, by the public gRPC stubs, and by clients that
check every answer. What it is compared with, calls of the model in a process without a server, is
measured in a third process. Medians and p99 are those that wrk tells.

Writes serving.md and serving.json to benchmarks/results/.
"""

import argparse
import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from benchmarks.served.serving_load import Clients, Load, TimedAnswer, Up, serving, wrk
from core.targets import TARGETS
from core.version_record import version_folders
from models.export.lean_process import hide_keras
from models.export.predict_server import signature_inputs
from pipeline.serving.metrics import ServingMetrics

PATH = "/v1/models/smoke:predict"
NO_LOG = "serving.log.sample=0"
SECONDS = 5.0
CHANGES = 20
ASKED_WHILE_CHANGING = 20_000
_CALLS = 1000
_SAME = 1e-6  # the last bit of an answer differs with the size of the batch


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
        wrk(up, PATH, content, scratch, connections, 1.0)
        loads[name] = wrk(up, PATH, content, scratch, connections, SECONDS)
        return loads[name]

    with serving(root, "server") as up:
        checks.append(at_most("server: seconds until it answers", up.seconds, 10))
        single = load("server, 1 row, 1 connection", up, one, 1)
        many = load("server, 1 row, 32 connections", up, one, 32)
        batches = load("server, 100 rows, 1 connection", up, hundred, 1)
        by_grpc = grpc_median(up.grpc, rows[0])
        memory = {"server": up.memory_mb()}
    with serving(root, "server", [NO_LOG]) as up:
        unlogged = load("server, 1 row, 32 connections, no log", up, one, 32)
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
    cost = (many.cpu_us - unlogged.cpu_us + metrics_ms() * 1000) / many.cpu_us
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


def requests(root: Path) -> list[dict[str, Any]]:
    """The test rows as a client sends them."""
    [path] = root.glob("smoke/staged/*/test/data.csv")
    model = max(version_folders(TARGETS["server"].served(root / "smoke", "smoke")).items())[1]
    types = signature_inputs(model, "serving_columns")
    with path.open(newline="", encoding="utf-8") as file:
        return [
            {
                name: row[name] if kind == tf.string.as_datatype_enum else int(row[name])
                for name, kind in types.items()
            }
            for row in csv.DictReader(file)
        ]


def body(rows: list[dict[str, Any]]) -> bytes:
    """A request for rows."""
    return json.dumps({"signature_name": "serving_columns", "instances": rows}).encode()


def calls_without_a_server(root: Path) -> dict[str, float]:
    """`in_process`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.serving", "--in-process", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise measure.MeasurementError(done.stderr[-2000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_process(root: Path) -> dict[str, float]:
    """Calls of the live server model: milliseconds of a packed row, rows/s of the signature.

    The packed call is a ConcreteFunction over two tensors, numbers and texts, that takes them apart
    and calls `serving_columns`; the session is what the server asks.
    """
    from models.export.serve_server import load  # loads TensorFlow
    from pipeline.serving.versions import ask_columns  # loads TensorFlow

    hide_keras()
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder = max(version_folders(TARGETS["server"].served(root / "smoke", "smoke")).items())[1]
    loaded = tf.saved_model.load(str(folder))
    signature = loaded.signatures["serving_columns"]
    model = load(folder)
    columns = [(n, tf.float32) for n in model.numbers] + [(n, tf.string) for n in model.texts]
    width = len(model.numbers)

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, width], tf.float32),
            tf.TensorSpec([None, len(model.texts)], tf.string),
        ],
    )
    def packed(numbers: tf.Tensor, texts: tf.Tensor) -> tf.Tensor:
        named = {n: numbers[:, at : at + 1] for at, n in enumerate(model.numbers)}
        named |= {n: texts[:, at : at + 1] for at, n in enumerate(model.texts)}
        return signature(**named)["probability"]

    call, rows = packed.get_concrete_function(), requests(root)[:100]
    items = [
        tuple(tuple(r[n] for n in names) for names in (model.numbers, model.texts)) for r in rows
    ]
    numbers, texts = [items[0][0]], [items[0][1]]
    tables = {name: [[row[name]] for row in rows] for name, _ in columns}
    ask = ask_columns(model)
    packed_ms = median_ms(
        lambda: call(tf.constant(numbers, tf.float32), tf.constant(texts, tf.string)).numpy()
    )
    hundred_ms = median_ms(
        lambda: signature(**{n: tf.constant(tables[n], kind) for n, kind in columns})[
            "probability"
        ].numpy()
    )
    return {
        "packed_ms": packed_ms,
        "session_ms": median_ms(lambda: ask(items[:1])),
        "signature_rows_per_second": 100 / hundred_ms * 1000,
    }


def median_ms(call: Callable[[], Any]) -> float:
    """Median milliseconds of a call, warm."""
    times = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times[_CALLS // 10 :]) * 1000


def metrics_ms() -> float:
    """Milliseconds that the figures take of a request."""
    metrics = ServingMetrics()

    def count() -> None:
        metrics.request("rest", "predict", "OK", 0.001)
        metrics.rows("server", 1, 1)
        metrics.batches.observe(1)

    return median_ms(count)


def grpc_median(address: str, row: dict[str, Any]) -> float:
    """Median milliseconds of a Predict of one row by the public stubs."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "smoke", "serving_columns"
    for name, value in row.items():
        kind = tf.string if isinstance(value, str) else tf.float32
        request.inputs[name].CopyFrom(tf.make_tensor_proto([[value]], kind))
    with grpc.insecure_channel(address) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return median_ms(lambda: stub.Predict(request))


def changes(root: Path, one: bytes) -> dict[str, int]:
    """Pushes and rollbacks while clients ask; how many asked, failed, and got a wrong answer.

    A version that was live at any time between question and answer may have given it.
    """
    served = TARGETS["server"].served(root / "smoke", "smoke")
    aside = served.with_name(".aside")
    older, newer = sorted(version_folders(served))[-2:]
    live: list[tuple[float, float, int]] = []  # from, to, version

    def value(clients: Clients) -> float:
        time.sleep(0.5)
        return clients.answers[-1].value

    with serving(root, "server") as up, Clients(up, PATH, one, 4) as clients:
        values = {newer: value(clients)}
        began, done = 0.0, 0
        while done < CHANGES or len(clients.answers) < ASKED_WHILE_CHANGING:
            out, back = (served / str(newer), aside), (aside, served / str(newer))
            for (source, target), before, after in ((out, newer, older), (back, older, newer)):
                moved = time.time()
                source.rename(target)
                while up.ready()["live"] != after:
                    time.sleep(0.01)
                live.append((began, time.time(), before))
                began = moved
                done += 1
                values.setdefault(after, value(clients))
        live.append((began, time.time() + 60, newer))
    if abs(values[older] - values[newer]) < 10 * _SAME:
        raise measure.MeasurementError("both versions answer alike: nothing tells them apart")
    wrong = [
        a
        for a in clients.answers
        if all(abs(a.value - value) > _SAME for value in possible(a, live, values))
    ]
    asked = len(clients.answers) + len(clients.failed)
    return {"asked": asked, "failed": len(clients.failed), "wrong": len(wrong), "changes": done}


def possible(
    answer: TimedAnswer, live: list[tuple[float, float, int]], values: dict[int, float]
) -> set[float]:
    """Answers of the versions that were live between question and answer."""
    return {values[v] for began, ended, v in live if began <= answer.came and answer.asked <= ended}


def half_lines(root: Path, one: bytes) -> int:
    """Lines that are not whole after a server was killed under load and started again."""
    folder = root / "smoke" / "requests"
    with serving(root, "server") as up, Clients(up, PATH, one, 8):
        time.sleep(2)
        os.kill(up.process.pid, signal.SIGKILL)
    with serving(root, "server"):
        lines = [line for path in sorted(folder.glob("*.jsonl"))[-2:] for line in path.open("rb")]
    return sum(not whole(line) for line in lines)


def whole(line: bytes) -> bool:
    """Whether a line is JSON and ends."""
    try:
        return bool(json.loads(line)) and line.endswith(b"\n")
    except ValueError:
        return False


def grown(root: Path, scratch: Path, one: bytes, count: int) -> float:
    """By how much memory grows from 50,000 requests to `count`, as a share."""
    with serving(root, "server") as up:
        done = 0.0
        first = 0.0
        while done < count:
            done += wrk(up, PATH, one, scratch, 32, 10.0).per_second * 10
            if not first and done >= 50_000:
                first = up.memory_mb()
        return up.memory_mb() / first - 1


if __name__ == "__main__":
    sys.exit(main())
