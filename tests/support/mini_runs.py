"""Runs of the pipeline of mini_dag.py on the tiny data."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.files import REPOSITORY
from pipeline.cli.main import main
from tests.support.mini_run import build


@dataclass
class Runs:
    """Runs of the small pipeline under `root`."""

    config: str
    root: Path
    monkeypatch: pytest.MonkeyPatch

    @property
    def folder(self) -> Path:
        return self.root / "tiny"

    def arguments(self, verb: str, *more: str) -> list[str]:
        return [verb, "--config", self.config, "--root", str(self.root), *more]

    def run(self, work: str = "finish", *more: str) -> int:
        self.monkeypatch.setenv("MINI_WORK", work)
        return main(self.arguments("run", *more), build)

    def summary(self) -> dict[str, Any]:
        last = max(self.folder.glob("reports/*/summary.json"))
        return dict(json.loads(last.read_text()))

    def states(self) -> dict[str, str]:
        return {name: node["state"] for name, node in self.summary()["nodes"].items()}

    def start(self, work: str) -> "subprocess.Popen[str]":
        """Starts a run in a process of its own and waits until Work works."""
        arguments = self.arguments("run")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.mini_run", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "MINI_WORK": work, "MINI_ROOT": str(self.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 240
        while not (self.root / "working").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "Work did not start"
            time.sleep(0.05)
        return process


def printed(text: str) -> str:
    """The text on one line, whatever the width of the output."""
    return " ".join(text.split())
