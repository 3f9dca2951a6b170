"""Runs of mini_dag.py, each in a forked child of one process that has loaded TensorFlow.

Loading takes ten times as long as such a run. One request a line, as JSON: {"run": arguments,
"environment": {...}, "log": file} is answered with the child's process id, {"wait": id} with its
exit code (negative: the signal that ended it).

KILL_AT in a request's environment names where the child kills itself: `started`, `prepared` (its
execution is registered), `executed` (its output is written, not yet registered) or `finished`,
a space, the node.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core.files import REPOSITORY
from pipeline.run import environment


class Forks:
    """The process that forks, as a test sees it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"], cwd=REPOSITORY,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, arguments: list[str], log: Path, **variables: str) -> int:
        """Starts a run; its process id."""
        return self._ask({"run": arguments, "environment": variables, "log": str(log)})

    def wait(self, process: int) -> int:
        return self._ask({"wait": process})

    def run(self, arguments: list[str], log: Path, **variables: str) -> int:
        return self.wait(self.start(arguments, log, **variables))

    def end(self) -> None:
        self._process.communicate()

    def _ask(self, request: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def serve() -> None:
    """Answers requests until there are no more."""
    environment.prepare()
    from pipeline.run import runner
    from tests.support import mini_dag

    assert runner
    assert mini_dag
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        elif (child := os.fork()) == 0:
            os._exit(run(request))
        else:
            print(child, flush=True)


def run(request: dict[str, Any]) -> int:
    """The child's part."""
    from pipeline.cli.main import main
    from tests.support.mini_run import build

    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(request["environment"])
    if "KILL_AT" in os.environ:
        die_at(*os.environ["KILL_AT"].split())
    try:
        return main(request["run"], build)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def die_at(moment: str, node: str) -> None:
    """Has this process kill itself at a moment of a node."""
    from tfx.orchestration.portable.launcher import Launcher

    from pipeline.run.events import Event, NodeStarted
    from pipeline.run.runner import NodeRunner

    tell = NodeRunner._tell

    def told(self: NodeRunner, event: Event) -> None:
        tell(self, event)
        now = "started" if isinstance(event, NodeStarted) else "finished"
        if (now, getattr(event, "node", None)) == (moment, node):
            os.kill(os.getpid(), signal.SIGKILL)

    patch.object(NodeRunner, "_tell", told).start()
    method = {"prepared": "_run_executor", "executed": "_publish_successful_execution"}.get(moment)
    if method is None:
        return
    stock = getattr(Launcher, method)

    def stopped(self: Any, *arguments: Any, **named: Any) -> Any:
        if self._pipeline_node.node_info.id == node:
            os.kill(os.getpid(), signal.SIGKILL)
        return stock(self, *arguments, **named)

    patch.object(Launcher, method, stopped).start()


if __name__ == "__main__":
    serve()
