"""The C99 form of a bundle: compiled, its bytes, and its time a row."""

import ctypes
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.latency.timing import Times
from benchmarks.measure import MeasurementError
from models.export.clients.c99 import HEADER, SOURCE, write_c99

_CALLS = 50  # that are timed together: a clock is as slow as a row
_HARNESS = f"""\
#define _POSIX_C_SOURCE 199309L
#include <time.h>

#include "{HEADER}"

static double seconds(clockid_t clock)
{{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}}

/* Microseconds of a row, `samples` of them, each the mean of {_CALLS}; returns the CPU seconds. */
double timed(const float *numeric, const int32_t *categorical, int rows, int samples, double *us)
{{
    float answer[STUDENT_ANSWERS];
    volatile float kept = 0.0f;
    double begun = seconds(CLOCK_PROCESS_CPUTIME_ID);
    int at = 0;
    for (int sample = 0; sample < samples; sample++) {{
        double start = seconds(CLOCK_MONOTONIC);
        for (int call = 0; call < {_CALLS}; call++) {{
            student_answer(numeric + at * STUDENT_NUMERIC,
                           categorical + at * STUDENT_CATEGORICAL, answer);
            kept += answer[0];
            at = (at + 1) % rows;
        }}
        us[sample] = (seconds(CLOCK_MONOTONIC) - start) * 1e6 / {_CALLS};
    }}
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - begun;
}}
"""


@dataclass(frozen=True)
class Compiled:
    """A student as machine code.

    Attributes:
      loaded_bytes: Code and constants that a device holds, optimised for size.
      object_bytes: Of the stripped object file with them.
      library: With the function that times it, optimised for speed.
    """

    loaded_bytes: int
    object_bytes: int
    library: Path


def compile_student(bundle: Path, folder: Path) -> Compiled:
    """Writes the bundle as C99 and compiles it.

    Raises:
      MeasurementError: There is no gcc, or it refuses.
    """
    if shutil.which("gcc") is None:
        raise MeasurementError("no gcc: install one (Debian: apt-get install gcc libc6-dev)")
    write_c99(bundle, folder)
    (folder / "harness.c").write_text(_HARNESS, encoding="utf-8")
    source, unit, library = folder / SOURCE, folder / "student.o", folder / "student.so"
    _run("gcc", "-std=c99", "-Os", "-c", "-o", str(unit), str(source))
    _run("strip", "--strip-unneeded", str(unit))
    optimised = ["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "-o", str(library)]
    _run(*optimised, str(source), str(folder / "harness.c"), "-lm")
    *_, sections = _run("size", str(unit)).splitlines()
    code, data, zeros = map(int, sections.split()[:3])
    return Compiled(code + data + zeros, unit.stat().st_size, library)


def times_of_rows(
    library: Path, numeric: np.ndarray, categorical: np.ndarray, samples: int
) -> Times:
    """Times of a row, timed in C."""
    timed = ctypes.CDLL(str(library)).timed
    timed.restype = ctypes.c_double
    numbers = np.ascontiguousarray(numeric, np.float32)
    ids = np.ascontiguousarray(categorical, np.int32)
    found = np.zeros(samples)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (numbers, ids)]
    kept = ctypes.c_void_p(found.ctypes.data)
    timed(*pointers, len(numbers), max(1, samples // 10), kept)
    cpu_seconds = timed(*pointers, len(numbers), samples, kept)
    return Times(found.tolist(), cpu_seconds / _CALLS)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MeasurementError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout
