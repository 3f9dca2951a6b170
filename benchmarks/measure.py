"""Runs commands and says what each cost."""

import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.files import REPOSITORY
from pipeline.report import summary
from pipeline.report.summary import Summary

PACKAGES = ("tfx", "tensorflow", "tf-keras", "apache-beam", "tensorflow-model-analysis")
_TAIL = 20  # lines of a failed command's output that are shown


class MeasurementError(Exception):
    """What was measured says nothing: a command failed, or the code changed in between."""


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
      cpu_seconds: User and system, of its process and of all that this waited for.
      seconds: Wall-clock.
      peak_mb: Highest resident memory of its largest process, MB of 2**20 bytes; never less than
        what the process that starts it holds.
    """

    cpu_seconds: float
    seconds: float
    peak_mb: float


def run(
    command: Sequence[str], cwd: Path = REPOSITORY, environment: Mapping[str, str] | None = None
) -> Cost:
    """Runs a command to its end.

    The kernel's account of one child (wait4) is what getrusage(RUSAGE_CHILDREN) adds up, and unlike
    that it has each command's own peak memory.

    Args:
      command: Program and arguments.
      cwd: Where it runs.
      environment: Variables set besides those of this process.

    Raises:
      MeasurementError: It failed; the message ends with the last lines of its output.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            tail = "".join(output.readlines()[-_TAIL:])
            shown = " ".join(command)
            raise MeasurementError(f"exit code {process.returncode}: {shown}\n{tail}")
    return Cost(used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024)


def run_pipeline(config: str, root: Path, overrides: Sequence[str] = ()) -> tuple[Cost, Summary]:
    """Runs the DAG once; what it cost and its summary.

    Args:
      config: A name of configs/.
      root: Folder of runs.
      overrides: `key.path=value`, each.
    """
    changes = [argument for override in overrides for argument in ("--set", override)]
    arguments = ["run", "--config", config, "--root", str(root), *changes]
    cost = run([sys.executable, "-m", "pipeline", *arguments])
    newest = max((root / config / "reports").glob(f"*/{summary.FILE}"))
    return cost, summary.read(newest)


def check_same_code(summaries: Iterable[Summary]) -> None:
    """Checks that runs used the same code; edits meanwhile undo the cache and mix the numbers.

    Raises:
      MeasurementError: They did not.
    """
    if len({summary.code_sha256 for summary in summaries}) > 1:
        raise MeasurementError("the code was edited while it was measured; measure a clone of it")


def machine() -> dict[str, str | int]:
    """CPU model, its cores that this process may use, memory in GB (2**30 bytes)."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": models[0] if models else platform.processor() or "unknown",
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the cost hangs on."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **packages}
