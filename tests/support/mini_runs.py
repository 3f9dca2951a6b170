"""Runs of the pipeline of mini_dag.py on the tiny data."""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.cli.main import main
from tests.support.fork_server import Forks
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

    def page(self) -> str:
        """The page of the last run."""
        return max(self.folder.glob("reports/*/index.html")).read_text(encoding="utf-8")

    def states(self) -> dict[str, str]:
        return {name: node["state"] for name, node in self.summary()["nodes"].items()}

    def start(self, forks: Forks, work: str) -> int:
        """Starts a run in a process of its own and waits until Work works; the process id."""
        process = forks.start(
            self.arguments("run"), self.log, MINI_WORK=work, MINI_ROOT=str(self.root)
        )
        deadline = time.monotonic() + 240
        while not (self.root / "working").exists():
            assert psutil.Process(process).status() != psutil.STATUS_ZOMBIE, self.log.read_text()
            assert time.monotonic() < deadline, "Work did not start"
            time.sleep(0.05)
        return process

    @property
    def log(self) -> Path:
        """What a started run printed."""
        return self.root.parent / "log"


def printed(text: str) -> str:
    """The text on one line, whatever the width of the output."""
    return " ".join(text.split())
