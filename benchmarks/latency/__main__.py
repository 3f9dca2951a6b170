"""Latency of every form of the models: TFLite variants, C99, browser, SavedModel, TensorFlow.

    make benchmark BENCHMARK=latency                       # runs census in gold mode, then measures
    make benchmark BENCHMARK=latency ARGS="--root DIR --config census"   # of a run that is there

One process measures all but the browser, in turns, after 50 calls to warm up each. A call takes
inputs that are ready and ends with the answer in NumPy; the server model takes serialized rows and
its time has the preprocessing in it. `one` keeps all threads on one core; TFLite has one thread
there and as many as there are cores otherwise. C99 and the browser take one row at a time on one
thread; a time of theirs is the mean of 50 or 20 rows, since a clock is no faster than they are.
CPU is that of all threads. Bytes of C99 are code and constants, preprocessing included.

Writes latency.md and latency.json to benchmarks/results/.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.latency import browser, c99, subjects
from benchmarks.latency.run_files import RunFiles
from benchmarks.latency.timing import Times, on_cores, times_of
from core.names import EDGE_MODEL_FILE, PREPROCESSING_FILE
from models.network.rows import Rows

BATCHES = {1: 2000, 256: 300}
"""Rows of a call, and how many calls."""

OVERRIDES = ("labeling.mode=gold",)
IN_TURNS = "student, tf.function", "server network, tf.function", "server, SavedModel"
_SAMPLES = 2000
_HEADER = ("form", "bytes", "rows a call", "cores", "median us", "p99 us", "CPU us", "us a row")


def main() -> int:
    """Measures, prints and writes; 1 when that failed."""
    parser = report.parser(__doc__)
    parser.add_argument("--root", type=Path, metavar="DIR", help="where runs are kept")
    parser.add_argument("--config", default="census", metavar="NAME")
    parser.add_argument("--no-browser", action="store_true", help="without Chromium")
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        run = RunFiles.under(options.root, options.config, OVERRIDES, scratch)
        lines = measure_all(run, scratch, not options.no_browser)
        return report.table(_HEADER, map(cells, lines)), {"latency": lines}

    return report.run("benchmarks.latency", "latency", options.results, measured)


def measure_all(run: RunFiles, scratch: Path, in_browser: bool = True) -> list[dict[str, Any]]:
    """A line for each form, batch and choice of cores.

    Args:
      run: What is measured.
      scratch: A folder.
      in_browser: Whether Chromium takes part.
    """
    cores, rows, lines = os.sched_getaffinity(0), run.test_rows(), []
    sizes = {path.stem: path.stat().st_size for path in run.variants}
    sizes["server, SavedModel"] = sum(
        p.stat().st_size for p in run.server.rglob("*") if p.is_file()
    )
    for used, which in (({min(cores)}, "one"), (cores, "all")):
        with on_cores(used):
            for batch, repeats in BATCHES.items():
                timed = times_of(calls_of(run, rows, batch, len(used)), repeats)
                for name, times in timed.items():
                    lines.append(line(name, sizes.get(name), batch, which, times))
    numeric, ids = rows.numeric[:256], rows.categorical[:256]
    for path in run.variants:
        bundle = bundle_of(run, path, scratch / path.stem)
        compiled = c99.compile_student(bundle, bundle)
        with on_cores({min(cores)}):
            times = c99.times_of_rows(compiled.library, numeric, ids, _SAMPLES)
        lines.append(line(f"{path.stem}, C99", compiled.loaded_bytes, 1, "one", times))
        if in_browser:
            times = browser.times_of_rows(bundle, numeric, ids, _SAMPLES)
            lines.append(line(f"{path.stem}, browser", sizes[path.stem], 1, "all", times))
    return lines


def calls_of(run: RunFiles, rows: Rows, batch: int, threads: int) -> Mapping[str, subjects.Call]:
    """What is called, by name."""
    features = {name: values[:batch] for name, values in rows.features.items()}
    found = {
        path.stem: subjects.tflite(path.read_bytes(), features, threads) for path in run.variants
    }
    student, network, server = IN_TURNS
    return {
        **found,
        student: subjects.network(run.student, features),
        network: subjects.network(run.server_network, features),
        server: subjects.saved_model(run.server, run.requests(batch)),
    }


def bundle_of(run: RunFiles, variant: Path, folder: Path) -> Path:
    """A bundle with another variant than the one that was pushed."""
    folder.mkdir()
    shutil.copyfile(run.bundle / PREPROCESSING_FILE, folder / PREPROCESSING_FILE)
    shutil.copyfile(variant, folder / EDGE_MODEL_FILE)
    return folder


def line(name: str, size: int | None, batch: int, cores: str, times: Times) -> dict[str, Any]:
    """What is kept of a measurement."""
    return {
        "form": name,
        "bytes": size,
        "rows": batch,
        "cores": cores,
        "median_us": times.median_us,
        "p99_us": times.p99_us,
        "cpu_us": times.cpu_us if times.cpu_seconds else None,
        "us_a_row": times.median_us / batch,
    }


def cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    """A row of the table."""
    size, cpu = found["bytes"], found["cpu_us"]
    return (
        found["form"],
        "" if size is None else f"{size:,}",
        str(found["rows"]),
        found["cores"],
        f"{found['median_us']:.2f}",
        f"{found['p99_us']:.2f}",
        "" if cpu is None else f"{cpu:.2f}",
        f"{found['us_a_row']:.3f}",
    )


if __name__ == "__main__":
    sys.exit(main())
