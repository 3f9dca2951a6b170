"""The frontier of bytes, latency and AUC: students of several sizes, distilled from one teacher.

    make benchmark BENCHMARK=frontier          # census in gold mode: one run, 30 students
    make benchmark BENCHMARK=frontier ARGS="--seeds 31 --root DIR"   # of a run that is there

The DAG runs once, with seed 31. Its transformed rows and its teacher then make a student of each
size and seed with the configuration's own settings of Distiller, as float32, full int8 and C99.
AUC and accuracy are of the test rows; latency is the median of one row on one core, the variants in
the interpreter, C99 a mean of 50 rows in machine code. Bytes of C99 are code and constants, with
all preprocessing. `front` marks sizes that no smaller one beats in the int8 file's mean AUC.

Writes frontier.md and frontier.json to benchmarks/results/.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import tf_keras
from sklearn.metrics import roc_auc_score

from benchmarks import report
from benchmarks.latency import c99, subjects
from benchmarks.latency.__main__ import OVERRIDES, bundle_of
from benchmarks.latency.run_files import RunFiles
from benchmarks.latency.timing import on_cores, times_of
from components.training.distiller import DistillerSettings, write_student
from core.names import STUDENT_FILE
from models.export.tflite import FLOAT32, INT8, convert_all, predict
from models.network.network import answers_of
from models.network.rows import Rows, load_rows
from pipeline.config.load import load
from pipeline.settings import mitigation_of, settings_for

SEEDS = (31, 32, 33)
_REPEATS = 1000
_HEADER = (
    "hidden",
    "ids",
    "weights",
    "float32 bytes",
    "int8 bytes",
    "C99 bytes",
    "AUC float32",
    "AUC int8",
    "accuracy int8",
    "int8 us",
    "C99 int8 us",
    "front",
)


@dataclass(frozen=True)
class Size:
    """A student's size: its hidden layers, and the length of the vector of an id."""

    hidden: tuple[int, ...]
    ids: int


SIZES = (
    Size((2,), 1),
    Size((4,), 1),
    Size((4,), 2),
    Size((8,), 1),
    Size((8,), 2),
    Size((8,), 4),
    Size((16,), 4),
    Size((16,), 8),
    Size((32,), 4),
    Size((32,), 8),
)


def main() -> int:
    """Measures, prints and writes; 1 when that failed."""
    parser = report.parser(__doc__, SEEDS)
    parser.add_argument("--root", type=Path, metavar="DIR", help="where a run is kept")
    parser.add_argument("--config", default="census", metavar="NAME")
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        run = RunFiles.under(options.root, options.config, OVERRIDES, scratch, "seed=31")
        found = study(run, SIZES, options.seeds, scratch)
        return tables(found, options.seeds), {"seeds": options.seeds, **found}

    return report.run("benchmarks.frontier", "frontier", options.results, measured)


def study(
    run: RunFiles, sizes: Sequence[Size], seeds: Sequence[int], scratch: Path
) -> dict[str, Any]:
    """`teacher`, its AUC and accuracy, and `students`: for each size its values, one a seed."""
    rows, students = run.test_rows(), []
    teacher = tf_keras.models.load_model(run.teacher, compile=False)
    known = quality(rows.codes, answers_of(teacher, rows))
    for size in sizes:
        of_seeds = []
        for seed in seeds:
            folder = scratch / f"{'-'.join(map(str, size.hidden))}_{size.ids}_{seed}"
            folder.mkdir()
            of_seeds.append(measured_student(run, rows, size, seed, folder))
            print(f"{size}, seed {seed}: AUC {of_seeds[-1]['auc_int8']:.4f}", file=sys.stderr)
        values = {key: [one[key] for one in of_seeds] for key in of_seeds[0]}
        students.append({"hidden": list(size.hidden), "ids": size.ids, **values})
    return {"teacher": known, "students": students}


def measured_student(
    run: RunFiles, rows: Rows, size: Size, seed: int, folder: Path
) -> dict[str, float]:
    """Distils a student, converts it, compiles it, and measures all three.

    Args:
      run: Whose teacher and rows are used.
      rows: Test rows.
      size: Of the student.
      seed: Of its weights and the order of rows.
      folder: An empty folder.
    """
    config = load(run.config, list(run.overrides))
    changes = {"hidden_units": size.hidden, "embedding_dim": size.ids}
    settings = settings_for(
        DistillerSettings,
        config,
        preprocessing=run.preprocessing,
        max_drop=config.evaluation.edge.max_drop_from_teacher,
        seed=seed,
        distiller=config.distiller.model_copy(update=changes),
        **mitigation_of(config),
    )
    files = run.split("train"), run.split("eval")
    write_student(str(folder), str(run.teacher), str(run.graph), *files, settings)
    student = tf_keras.models.load_model(folder / STUDENT_FILE, compile=False)
    train = load_rows([files[0]], run.inputs)
    calibration = train.sample(config.quantizer.calibration_rows, seed)
    contents = convert_all(student, calibration, (FLOAT32, INT8))
    found = {"weights": float(sum(np.size(weights) for weights in student.get_weights()))}
    for name, content in ((FLOAT32, contents[FLOAT32]), (INT8, contents[INT8])):
        told = quality(rows.codes, predict(content, rows.features))
        kind = "int8" if name == INT8 else "float32"
        found |= {f"{key}_{kind}": value for key, value in told.items()}
        found[f"bytes_{kind}"] = float(len(content))
    (folder / INT8).write_bytes(contents[INT8])
    compiled = c99.compile_student(bundle_of(run, folder / INT8, folder / "bundle"), folder)
    one = {name: values[:1] for name, values in rows.features.items()}
    with on_cores({min(os.sched_getaffinity(0))}):
        called = times_of({INT8: subjects.tflite(contents[INT8], one, 1)}, _REPEATS)
        timed = c99.times_of_rows(
            compiled.library, rows.numeric[:256], rows.categorical[:256], _REPEATS
        )
    return found | {
        "bytes_c99": float(compiled.loaded_bytes),
        "us_int8": called[INT8].median_us,
        "us_c99": timed.median_us,
    }


def quality(codes: np.ndarray, answers: np.ndarray) -> dict[str, float]:
    """AUC and accuracy of answers of two classes."""
    return {
        "auc": float(roc_auc_score(codes, answers)),
        "accuracy": float(np.mean((answers > 0.5) == codes)),
    }


def on_front(students: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Which sizes no other of as few bytes, or fewer, beats in mean AUC, both of the int8 file."""
    costs = [(fmean(one["bytes_int8"]), -fmean(one["auc_int8"])) for one in students]
    return [
        not any(other[0] <= own[0] and other[1] <= own[1] and other != own for other in costs)
        for own in costs
    ]


def tables(found: Mapping[str, Any], seeds: Sequence[int]) -> str:
    """A line for each size, as Markdown."""
    students = found["students"]
    rows = []
    for one, front in zip(students, on_front(students), strict=True):
        sizes = (f"{fmean(one[key]):,.0f}" for key in ("weights", "bytes_float32", "bytes_int8"))
        shares = ("auc_float32", "auc_int8", "accuracy_int8")
        rows.append(
            (
                ", ".join(map(str, one["hidden"])),
                str(one["ids"]),
                *sizes,
                f"{fmean(one['bytes_c99']):,.0f}",
                *(report.with_deviation(one[key], ".4f") for key in shares),
                f"{fmean(one['us_int8']):.2f}",
                f"{fmean(one['us_c99']):.2f}",
                "yes" if front else "",
            )
        )
    teacher = found["teacher"]
    told = f"Teacher: AUC {teacher['auc']:.4f}, accuracy {teacher['accuracy']:.4f}."
    return f"{report.over(seeds)} {told}\n\n{report.table(_HEADER, rows)}"


if __name__ == "__main__":
    sys.exit(main())
