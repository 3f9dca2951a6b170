"""Latency and frontier: how calls are timed, on which cores, and which sizes are on the front."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import report
from benchmarks.frontier.__main__ import on_front, quality, tables
from benchmarks.latency import c99, subjects
from benchmarks.latency.__main__ import _HEADER, cells, line
from benchmarks.latency.run_files import RunFiles
from benchmarks.latency.timing import Times, on_cores, times_of
from benchmarks.measure import MeasurementError
from tests.support.edge.bundles import PLAIN, columns_of, edge_bundles, expected, odd_rows


def test_calls_are_warmed_up_and_take_turns() -> None:
    called: list[str] = []
    found = times_of({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 10)
    assert "".join(called) == ("a" * 52 + "b" * 52) * 5
    assert [len(times.wall_us) for times in found.values()] == [10, 10]
    assert all(times.median_us >= 0 and times.cpu_us >= 0 for times in found.values())


def test_statistics_of_times() -> None:
    times = Times([float(us) for us in range(1, 102)], cpu_seconds=0.00101)
    assert (times.median_us, times.p99_us) == (51.0, 100.0)
    assert times.cpu_us == pytest.approx(10.0)


def test_all_threads_stay_on_the_cores_for_a_while() -> None:
    before = os.sched_getaffinity(0)
    with on_cores({min(before)}):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def test_a_row_of_the_table() -> None:
    told = line("student_int8", 6488, 256, "one", Times([512.0, 512.0], cpu_seconds=0.001))
    row = cells(told)
    assert row == ("student_int8", "6,488", "256", "one", "512.00", "512.00", "500.00", "2.000")
    browser = cells(line("student, browser", None, 1, "all", Times([7.0])))
    assert browser == ("student, browser", "", "1", "all", "7.00", "7.00", "", "7.000")
    assert report.table(_HEADER, [row]).startswith("| form ")


def test_a_root_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="run the pipeline there first"):
        _ = RunFiles(tmp_path, "census").teacher


def test_the_compiled_student_and_the_interpreter_are_timed(tmp_path: Path) -> None:
    bundle, rows = edge_bundles(PLAIN)["student_int8"], odd_rows()
    assert columns_of(rows).keys() >= {"age", "work"}
    inputs = expected(bundle, rows).inputs
    compiled = c99.compile_student(bundle, tmp_path)
    assert 500 < compiled.loaded_bytes < compiled.object_bytes
    times = c99.times_of_rows(compiled.library, inputs["numeric"], inputs["categorical"], 20)
    assert len(times.wall_us) == 20
    assert times.cpu_us > 0
    call = subjects.tflite((bundle / "tflite").read_bytes(), inputs, threads=1)
    assert times_of({"tflite": call}, 5)["tflite"].median_us > 0


def test_without_a_compiler_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MeasurementError, match="no gcc"):
        c99.compile_student(tmp_path, tmp_path)


def student(size: int, auc: float, hidden: int) -> dict[str, Any]:
    shares = {f"{key}_{kind}": [auc] for key in ("auc", "accuracy") for kind in ("float32", "int8")}
    sizes = {f"bytes_{kind}": [float(size)] for kind in ("float32", "int8", "c99")}
    return {"hidden": [hidden], "ids": 1, "weights": [9.0], "us_int8": [1.0], "us_c99": [0.1],
            **shares, **sizes}  # fmt: skip


def test_a_size_that_a_smaller_one_beats_is_not_on_the_front() -> None:
    students = [student(10, 0.8, 2), student(20, 0.79, 4), student(30, 0.9, 8)]
    assert on_front(students) == [True, False, True]
    page = tables({"teacher": {"auc": 0.91, "accuracy": 0.8}, "students": students}, (31,))
    assert "seeds 31. Teacher: AUC 0.9100, accuracy 0.8000." in page
    assert [row.split("|")[-2].strip() for row in page.splitlines()[-3:]] == ["yes", "", "yes"]


def test_quality_of_answers() -> None:
    found = quality(np.array([0, 1, 0, 1]), np.array([0.1, 0.9, 0.6, 0.7]))
    assert found == {"auc": 1.0, "accuracy": 0.75}
