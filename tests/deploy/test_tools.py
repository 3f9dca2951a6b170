"""Files of deploy/ as the tools that use them read them, from an environment outside the lock.

uv makes it anew when tests/deploy/requirements.txt has changed, under the folder for caches.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
UV = REPOSITORY / ".installer" / "bin" / "uv"

READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowException

bag = DagBag(sys.argv[1])
[dag] = bag.dags.values()
[task] = dag.tasks
ends = {}
told = {"errors": bag.import_errors, "dag": dag.dag_id, "task": task.task_id,
        "command": task.bash_command, "cwd": task.cwd, "retries": task.retries,
        "schedule": str(dag.schedule), "active": dag.max_active_runs, "catchup": dag.catchup}
for code in (0, 1, 2, 3, 137):
    task.bash_command, task.cwd = f"exit {code}", None
    try:
        task.execute({})
        ends[code] = "success"
    except AirflowException as error:
        ends[code] = type(error).__name__
print(json.dumps({**told, "ends": ends}))
"""


def uv(*arguments: str) -> None:
    """Runs uv, with the certificates that pip is told of."""
    environment = dict(os.environ)
    if "PIP_CERT" in os.environ:
        environment.setdefault("SSL_CERT_FILE", os.environ["PIP_CERT"])
    subprocess.run([str(UV), *arguments], check=True, env=environment)


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of programs of the environment."""
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = caches / "tfx-two-targets" / f"deploy-{wanted}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    complete = folder / ".complete"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            make = ["venv", "--quiet", "--no-config", "--clear", "--python", sys.executable]
            uv(*make, str(folder))
            python = ["--python", str(folder / "bin" / "python")]
            sync = ["pip", "sync", "--quiet", "--no-config", "--require-hashes"]
            uv(*sync, *python, str(REQUIREMENTS))
            complete.touch()
    return folder / "bin"


@pytest.fixture(scope="session")
def read(tools: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow makes of deploy/airflow."""
    home = tmp_path_factory.mktemp("airflow")
    done = subprocess.run(
        [tools / "python", "-c", READ, REPOSITORY / "deploy" / "airflow"],
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_airflow_reads_the_dag(read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    assert (read["dag"], read["task"]) == ("tfx_two_targets_retrain", "retrain")
    assert (read["schedule"], read["active"], read["catchup"]) == ("0 3 * * *", 1, False)
    assert read["retries"] == 2


def test_airflow_calls_the_pipeline(read: dict[str, Any]) -> None:
    from pipeline.cli.main import make_parser

    program, *arguments = read["command"].removeprefix("exec ").split()
    assert program == f"{read['cwd']}/.venv/bin/python"
    assert arguments[:2] == ["-m", "pipeline"]
    assert make_parser().parse_args(arguments[2:]).config == "census"


def test_airflow_skips_what_a_gate_blocks_and_retries_what_a_retry_can_mend(
    read: dict[str, Any],
) -> None:
    assert read["ends"] == {
        "0": "success",
        "1": "AirflowException",
        "2": "AirflowFailException",
        "3": "AirflowSkipException",
        "137": "AirflowException",
    }


def test_hadolint_finds_nothing_in_the_containerfile(tools: Path) -> None:
    done = subprocess.run(
        [tools / "hadolint", REPOSITORY / "deploy" / "Containerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
