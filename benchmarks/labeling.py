"""Speed and memory of labelling at 48,842, 1,000,000 and 5,000,000 rows.

    make benchmark BENCHMARK=labeling                              # all three sizes
    make benchmark BENCHMARK=labeling ARGS="--rows 100000"         # another size

Census training rows are drawn with replacement and written, a batch at a time, as TFRecord files of
tf.Examples of up to a million rows each; one row in a hundred has its true label. Each size is then
read and voted on by the labeler's first pass, and labelled from end to end through Beam, each in a
process of its own. The files are removed.

Writes labeling.md and labeling.json to benchmarks/results/.
"""

import argparse
import json
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from core.names import ROW_ID
from data.census import spans
from data.packaged_spans import to_csv
from pipeline.config.load import load
from pipeline.run.environment import prepare

SIZES = (48_842, 1_000_000, 5_000_000)
ROWS_PER_FILE = 1_000_000
BATCH_ROWS = 2048
LABELED = 100  # one row in so many has its true label
WORKS = {"vote": "read and vote", "label": "whole labeler"}
GROWTH_MB = 300  # of peak memory from the smallest to the largest size, at most
COLUMNS = ("rows", "work", "rows/s/core", "CPU s", "peak MB", "MB above imports")


@dataclass(frozen=True)
class Figures:
    """What one piece of work cost.

    Attributes:
      rows: Rows of the data.
      work: A key of WORKS.
      cpu_seconds: Of the work, without imports.
      peak_mb: Highest resident memory of the process, MB of 2**20 bytes.
      imports_mb: What it was before the work.
    """

    rows: int
    work: str
    cpu_seconds: float
    peak_mb: float
    imports_mb: float

    @property
    def rows_per_second(self) -> float:
        """Rows a second of CPU time."""
        return self.rows / self.cpu_seconds


def main() -> int:
    """Measures, prints and writes; 1 when a process failed."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=SIZES)
    parser.add_argument("--work", choices=WORKS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options.work, options.rows[0], options.folder)

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        found = [each for rows in options.rows for each in measure_size(rows, scratch / str(rows))]
        checks = checks_of(found)
        results = [{**asdict(each), "rows_per_second": each.rows_per_second} for each in found]
        return tables(found, checks), {"results": results, "targets": checks}

    return report.run("benchmarks.labeling", "labeling", options.results, measured)


def measure_size(rows: int, folder: Path) -> Iterator[Figures]:
    """Writes the data of one size and measures each piece of work on it."""
    folder.mkdir()
    write_data(folder / "in", rows)
    for name in WORKS:
        arguments = ["--work", name, "--rows", str(rows), "--folder", str(folder)]
        measure.run([sys.executable, "-m", "benchmarks.labeling", *arguments])
        found = Figures(**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
        print(
            f"{rows} rows, {WORKS[name]}: {found.rows_per_second:.0f} rows/s/core, "
            f"{found.peak_mb:.0f} MB",
            file=sys.stderr,
        )
        yield found
    shutil.rmtree(folder)  # before the next size, which may be larger


def write_data(folder: Path, rows: int) -> None:
    """Writes rows drawn from the census's training rows, a batch in memory at a time."""
    from components.beam import record_batches  # loads TensorFlow
    from components.data.csv_example_gen import read_csv  # loads TensorFlow

    columns = load("census", []).columns
    source = spans.read_source(spans.TRAIN_FILE)
    file = folder.with_name("source.csv")
    file.write_text(to_csv(source), encoding="utf-8")
    types = {name: "INT" if name in columns.numeric else "BYTES" for name in source[0]}
    table = pa.Table.from_batches(read_csv(str(file), types))
    drawing = np.random.default_rng(1)
    folder.mkdir()

    def batches(first: int, last: int) -> Iterator[pa.RecordBatch]:
        for start in range(first, last, BATCH_ROWS):
            numbers = np.arange(start, min(start + BATCH_ROWS, last))
            drawn = pa.array(drawing.integers(table.num_rows, size=len(numbers)))
            [batch] = table.take(drawn).combine_chunks().to_batches()
            label = record_batches.keep(batch, columns.label, numbers % LABELED == 0)
            ids = pa.array([[f"row-{n}".encode()] for n in numbers], pa.large_list(pa.binary()))
            yield record_batches.replaced(batch, {columns.label: label, ROW_ID: ids})

    for first in range(0, rows, ROWS_PER_FILE):
        path = folder / f"data-{first // ROWS_PER_FILE:05d}.gz"
        record_batches.write(str(path), batches(first, min(first + ROWS_PER_FILE, rows)))


def work(name: str, rows: int, folder: Path) -> int:
    """Does one piece of work in this process and writes its figures into the folder."""
    prepare()
    from components.beam.voting_pass import (  # loads TensorFlow
        LabelerSettings,
        Shard,
        make_voter,
        vote,
    )
    from components.labels.snorkel_labeler import label_shards  # loads TensorFlow
    from pipeline.settings import settings_for  # loads TensorFlow

    config = load("census", [])
    columns = config.columns
    settings = settings_for(
        LabelerSettings,
        config,
        features=(*columns.numeric, *columns.categorical),
        groups=("sex", "race"),
    )
    out = folder / "out"
    out.mkdir(exist_ok=True)
    shards = [Shard(str(path), str(out / path.name)) for path in sorted((folder / "in").iterdir())]
    voter = make_voter(settings)  # which imports the functions
    before, started = _peak_mb(), time.process_time()
    if name == "vote":
        for shard in shards:
            vote(shard, settings, voter)
    else:
        with beam.Pipeline(FnApiRunner()) as pipeline:
            label_shards(pipeline, shards, [], settings, str(folder / "label_report.json"))
    figures = Figures(rows, name, time.process_time() - started, _peak_mb(), before)
    (folder / f"{name}.json").write_text(json.dumps(asdict(figures)), encoding="utf-8")
    return 0


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def checks_of(measured: list[Figures]) -> list[Check]:
    """Speed of voting at every size; growth of memory from the smallest to the largest."""
    checks = [
        at_least(f"{m.rows:,} rows: {WORKS[m.work]}, rows/s/core", m.rows_per_second, 19_000)
        for m in measured
        if m.work == "vote"
    ]
    for name, title in WORKS.items():
        sizes = sorted((m for m in measured if m.work == name), key=lambda m: m.rows)
        growth = sizes[-1].peak_mb - sizes[0].peak_mb
        asked = f"{title}: MB from {sizes[0].rows:,} to {sizes[-1].rows:,} rows"
        checks.append(at_most(asked, growth, GROWTH_MB))
    return checks


def tables(measured: list[Figures], checks: list[Check]) -> str:
    """A line for each size and piece of work, and the targets, as Markdown."""
    rows: list[Any] = [
        (
            f"{m.rows:,}",
            WORKS[m.work],
            f"{m.rows_per_second:,.0f}",
            f"{m.cpu_seconds:,.1f}",
            f"{m.peak_mb:,.0f}",
            f"{m.peak_mb - m.imports_mb:,.0f}",
        )
        for m in measured
    ]
    return "\n".join([report.table(COLUMNS, rows), report.checks_table(checks)])


if __name__ == "__main__":
    sys.exit(main())
