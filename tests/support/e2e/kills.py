"""Ends smoke runs at random moments, resumes them, and compares with an undisturbed one.

    python -m tests.support.e2e.kills --times 40 --root /tmp/kills

Each time a signal out of SIGKILL, SIGTERM and SIGINT comes at a moment drawn evenly from the time
that an undisturbed run takes. What has to hold: the documented exit code and state, nothing left in
the folder of temporary files after the next run, the same metrics and models once it is resumed.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from core.files import REPOSITORY
from pipeline.report.history import read_run

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def start(root: Path, scratch: Path, log: Path) -> "subprocess.Popen[str]":
    """A run under a root, with its own folder of temporary files."""
    with open(log, "w", encoding="utf-8") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "--config", "smoke", "--root", str(root)],
            cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(scratch)},
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def outcome(folder: Path) -> dict[str, Any]:
    """What has to be the same: quality of each model, content of what is served."""
    summary = read_run(folder, None)
    models = {name: model.model_dump() for name, model in summary.models.items()}
    keys = ("metrics", "slices", "gaps")
    served = sorted(folder.glob("*/smoke/*/version.json"))
    return {
        "models": {name: {key: model[key] for key in keys} for name, model in models.items()},
        "served": [json.loads(path.read_text())["model_sha256"] for path in served],
    }


def problems(number: int, moment: float, root: Path, expected: dict[str, Any]) -> list[str]:
    """What did not hold when a signal came `moment` seconds after the start; empty: all did."""
    shutil.rmtree(root, ignore_errors=True)
    scratch, log, folder = root / "tmp", root / "log", root / "smoke"
    scratch.mkdir(parents=True)
    process = start(root, scratch, log)
    time.sleep(moment)
    process.send_signal(number)
    code = process.wait(timeout=120)
    said, found = log.read_text(), []
    if code not in (0, -number, 128 + number) or "Traceback" in said:
        found.append(f"exit code {code}: {said[-500:]}")
    if list(folder.glob("reports/*/summary.json")):
        state = read_run(folder, None).state
        if state != ("COMPLETE" if code == 0 else "INTERRUPTED"):
            found.append(f"state {state} after exit code {code}")
    again = start(root, scratch, log)
    if again.wait(timeout=600):
        return [*found, f"not resumed: {log.read_text()[-1000:]}"]
    if outcome(folder) != expected:
        found.append("the resumed run has other metrics or models")
    if left := list(scratch.iterdir()):
        found.append(f"left in the folder of temporary files: {left[:3]}")
    return found


def main() -> int:
    """Prints a line for each kill; 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--root", type=Path, required=True)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    undisturbed = options.root / "undisturbed"
    shutil.rmtree(undisturbed, ignore_errors=True)
    (undisturbed / "tmp").mkdir(parents=True)
    began = time.monotonic()
    code = start(undisturbed, undisturbed / "tmp", undisturbed / "log").wait()
    took = time.monotonic() - began
    assert code == 0, (undisturbed / "log").read_text()
    expected = outcome(undisturbed / "smoke")
    bad = 0
    for place in range(options.times):
        number, moment = SIGNALS[place % len(SIGNALS)], draw.uniform(0.0, took)
        found = problems(number, moment, options.root / "killed", expected)
        bad += bool(found)
        print(
            f"{place + 1} {number.name} at {moment:.1f} s: {'; '.join(found) or 'held'}", flush=True
        )
    print(f"{options.times - bad} of {options.times} held; an undisturbed run takes {took:.0f} s")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
