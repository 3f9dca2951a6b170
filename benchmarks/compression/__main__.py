"""Pruning, clustering and quantization of the student: quality, bytes, gzipped bytes, latency.

    make benchmark BENCHMARK=compression                             # census and taxi, 3 seeds
    make benchmark BENCHMARK=compression ARGS="--tables census --seeds 1"  # 5 minutes

One run of the DAG for each table, gold labels, at most 12,000 rows; then Distiller and Quantizer
again for each way and seed, on its artifacts. AUC on the test part; latency of one row on one
thread, on ready inputs. A last table has dense layers of 512 by 512 alone, with and without
XNNPACK, to see whether zeros make a runtime faster.

Writes compression.md and compression.json to benchmarks/results/.
"""

import dataclasses
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from benchmarks.compression import runtime
from benchmarks.tables import packaged
from benchmarks.tables.described import describe, repository_in
from core.files import write_json
from models.export.tflite import VARIANTS

TABLES = ("census", "taxi")
AWARE = "distiller.quantization_aware=true"
BY_LAYER = "distiller.pruning.by_layer={Embedding: 0.7, hidden_0: 0.5, logit: 0}"
WAYS: dict[str, list[str]] = {
    "none": ["distiller.sparsity=0"],
    "none, QAT": ["distiller.sparsity=0", AWARE],
    "magnitude .5": [],
    "magnitude .5, QAT": [AWARE],
    "magnitude .8": ["distiller.sparsity=0.8"],
    "by layer": [BY_LAYER],
    "by layer, QAT": [BY_LAYER, AWARE],
    "2:4": ["distiller.pruning.structure=2:4"],
    "2:4, QAT": ["distiller.pruning.structure=2:4", AWARE],
    "16 clusters": ["distiller.sparsity=0", "distiller.pruning.clusters=16"],
    "magnitude .5, 16 clusters": ["distiller.pruning.clusters=16"],
}
_OVERRIDES = [
    "data.rows=12000",
    "labeling.mode=gold",
    "tuner.enabled=false",
    "explain.enabled=false",
    "quantizer.variant=student_int8_inputs",
]


def figures(table: str, seeds: Sequence[int], folder: Path, root: Path) -> list[dict[str, Any]]:
    """A row for each way, variant and seed: see benchmarks/compression/nodes.py.

    Args:
      table: Its name.
      seeds: Of the students.
      folder: For a copy of the repository.
      root: Of the run, which is made unless it is there.
    """
    copy, name, run = repository_in(folder), table, [sys.executable, "-m", "pipeline", "run"]
    if table != "census":
        name = describe(table, getattr(packaged, table)(), copy, "--mode", "gold")
    given = [argument for override in _OVERRIDES for argument in ("--set", override)]
    if not root.is_dir():
        measure.run([*run, "--config", name, "--root", str(root), *given], copy)
    write_json(root / "asked.json", {"overrides": _OVERRIDES, "ways": WAYS, "seeds": list(seeds)})
    module = [sys.executable, "-m", "benchmarks.compression.nodes"]
    measure.run([*module, name, str(root)], copy)
    found: list[dict[str, Any]] = json.loads((root / "found.json").read_text("utf-8"))
    return found


def table_of(found: Sequence[dict[str, Any]]) -> str:
    """Ways and variants, means over the seeds."""
    rows = []
    for way in WAYS:
        for variant in VARIANTS:
            of = [row for row in found if (row["way"], row["variant"]) == (way, variant)]
            values = {key: [row[key] for row in of] for key in of[0]}
            rows.append(
                (
                    way,
                    variant,
                    report.with_deviation(values["auc"], ".4f"),
                    *(f"{sum(values[key]) / len(of):,.0f}" for key in ("bytes", "gzip_bytes")),
                    f"{sum(values['latency_us']) / len(of):.1f}",
                    f"{sum(values['sparsity']) / len(of):.2f}",
                    f"{max(values['distinct']):,}",
                    f"{sum(values['difference']) / len(of):.4f}",
                )
            )
    header = (
        "pruning", "variant", "auc", "bytes", "gzipped", "us a row", "zeros", "distinct",
        "from the student",
    )  # fmt: skip
    return report.table(header, rows)


def runtime_table(timed: Sequence[runtime.Timed]) -> str:
    """What zeros are worth to the kernels."""
    header = ("zeros", "numbers", "stored", "kernels, us", "XNNPACK, us", "bytes", "gzipped")
    return report.table(
        header,
        [
            (
                each.zeros,
                each.numbers,
                "sparse" if each.encoded else "dense",
                f"{each.builtin_us:.1f}",
                f"{each.xnnpack_us:.1f}",
                f"{each.bytes:,}",
                f"{each.gzip_bytes:,}",
            )
            for each in timed
        ],
    )


def measured(
    tables: Sequence[str], seeds: Sequence[int], folder: Path, runs: Path | None
) -> tuple[str, dict[str, Any]]:
    """All tables: text, and values."""
    text, values = [], dict[str, Any]()
    for table in tables:
        place = folder / table
        place.mkdir()
        values[table] = figures(table, seeds, place, (runs or folder / "runs") / table)
        text += [f"## {table}", table_of(values[table])]
        shutil.rmtree(place)
    timed = list(runtime.timed())
    values["runtime"] = [dataclasses.asdict(each) for each in timed]
    layers = f"{runtime.LAYERS} dense layers of {runtime.WIDTH} by {runtime.WIDTH}"
    text += [report.over(seeds), f"## {layers}, one row, one thread", runtime_table(timed)]
    return "\n\n".join(text), values


def main() -> int:
    """Entry point."""
    parser = report.parser(__doc__, (1, 2, 3))
    parser.add_argument("--tables", type=report.listed, default=TABLES)
    parser.add_argument("--runs", type=Path, help="where runs are kept, and taken from if there")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.tables if not hasattr(packaged, name)]:
        parser.error(f"--tables: there is no {', '.join(unknown)} in benchmarks/tables/packaged.py")
    return report.run(
        "benchmarks.compression",
        "compression",
        arguments.results,
        lambda folder: measured(arguments.tables, arguments.seeds, folder, arguments.runs),
    )


if __name__ == "__main__":
    sys.exit(main())
