"""The files of deploy/: valid by their own rules, and calling the pipeline as it is."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from core.files import REPOSITORY
from pipeline.cli.main import make_parser
from pipeline.config.load import load
from pipeline.schedule.cron import parse

DEPLOY = REPOSITORY / "deploy"
INSTALLED = "/opt/tfx-two-targets"
YAML_1_2 = YAML(typ="safe", pure=True)
BIN = Path(sys.executable).parent
CALL = re.compile(r"-m pipeline ((?:retrain|schedule|show)\b[^\n|>\"]*)")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text()


def manifests() -> dict[str, dict[str, Any]]:
    found = YAML_1_2.load_all(text_of("kubernetes/cronjob.yaml"))
    return {manifest["kind"]: manifest for manifest in found}


def container() -> dict[str, Any]:
    pod = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [only] = pod["containers"]
    return dict(only)


def calls() -> list[list[str]]:
    """Every command line of the pipeline in deploy/."""
    names = ("crontab", "systemd/tfx-retrain.service", "systemd/tfx-schedule.service",
             "github-actions/retrain.yml")  # fmt: skip
    found = [shlex.split(call) for name in names for call in CALL.findall(text_of(name))]
    assert len(found) == 5
    default = re.search(r"^CMD (\[.*\])$", text_of("Containerfile"), re.MULTILINE)
    assert default
    return [*found, container()["args"], YAML_1_2.load(default[1])]


@pytest.mark.parametrize("call", calls(), ids=" ".join)
def test_every_call_is_one_of_the_command_line(call: list[str]) -> None:
    options = make_parser().parse_args([part for part in call if not part.startswith("||")])
    assert load(options.config).name == "census"
    assert options.root == "/var/lib/tfx-two-targets/runs"


def test_all_retrain_at_the_time_of_the_configuration() -> None:
    cron = load("census").schedule.cron
    [line] = [line for line in text_of("crontab").splitlines() if not line.startswith("#")]
    workflow = YAML_1_2.load(text_of("github-actions/retrain.yml"))
    times = {
        " ".join(line.split()[:5]),
        workflow["on"]["schedule"][0]["cron"],
        manifests()["CronJob"]["spec"]["schedule"],
        *re.findall(r'schedule="(.*)"', text_of("airflow/retrain_dag.py")),
    }
    assert times == {cron}
    assert parse(cron, "UTC")
    assert "OnCalendar=*-*-* 03:00:00 UTC" in text_of("systemd/tfx-retrain.timer")


def test_a_line_of_the_crontab_runs_in_a_shell(tmp_path: Path) -> None:
    [line] = [line for line in text_of("crontab").splitlines() if not line.startswith("#")]
    command = line.split(maxsplit=5)[5].replace(INSTALLED, str(tmp_path / "app"))
    command = command.replace("/var/lib/tfx-two-targets", str(tmp_path))
    python = tmp_path / "app" / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$(pwd) $*"\nexit 3\n')
    python.chmod(0o755)
    assert subprocess.run(["sh", "-c", command], check=False).returncode == 3
    expected = f"{tmp_path}/app -m pipeline retrain --config=census --root={tmp_path}/runs\n"
    assert (tmp_path / "retrain.log").read_text() == expected
    assert "%" not in line, "cron makes a new line of it"


def test_workflows_fit_their_schema() -> None:
    files = [DEPLOY / "github-actions" / "retrain.yml", *REPOSITORY.glob(".github/workflows/*")]
    schema = ["--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run(
        [str(BIN / "check-jsonschema"), *schema, *map(str, files)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (2, 2), (3, 0)])
def test_the_workflow_takes_a_blocked_model_for_a_result(
    tmp_path: Path, code: int, expected: int
) -> None:
    steps = YAML_1_2.load(text_of("github-actions/retrain.yml"))["jobs"]["retrain"]["steps"]
    [script] = [step["run"] for step in steps if "code=$?" in step.get("run", "")]
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\nexit {code}\n")
    python.chmod(0o755)
    done = subprocess.run(  # as GitHub runs it
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected
    assert ("::warning::" in done.stdout) == (code == 3)


@pytest.mark.parametrize("version", ["1.30.0", "1.37.0"])
def test_the_manifests_fit_kubernetes(version: str) -> None:
    done = subprocess.run(
        [str(BIN / "kubernetes-validate"), "--strict", "--kubernetes-version", version,
         str(DEPLOY / "kubernetes" / "cronjob.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_cron_job_runs_one_pod_and_tries_again_only_what_that_can_mend() -> None:
    claim, job = manifests()["PersistentVolumeClaim"], manifests()["CronJob"]["spec"]
    assert job["concurrencyPolicy"] == "Forbid"
    assert job["startingDeadlineSeconds"] == 3600
    spec = job["jobTemplate"]["spec"]
    rule = spec["podFailurePolicy"]["rules"][0]
    assert (rule["action"], rule["onExitCodes"]["values"]) == ("FailJob", [2, 3])
    assert rule["onExitCodes"]["containerName"] == container()["name"]
    pod = spec["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    mounts = [mount["mountPath"] for mount in container()["volumeMounts"]]
    assert any(container()["args"][-1].startswith(f"--root={mount}") for mount in mounts)
    names = [variable["name"] for variable in container()["env"]]
    assert names == ["METADATA_PASSWORD", "NOTIFY_WEBHOOK"]
    assert all("value" not in variable for variable in container()["env"])


def copied_into_the_image() -> list[tuple[str, str]]:
    return re.findall(r"^COPY (?!--from)(\S+) (\S+)$", text_of("Containerfile"), re.MULTILINE)


def test_the_image_holds_what_the_manifest_runs() -> None:
    text, copied = text_of("Containerfile"), copied_into_the_image()
    assert all((REPOSITORY / source).exists() for source, _ in copied)
    rooms = {"pipeline", "components", "models", "core", "data", "schema", "configs", "environment"}
    assert rooms <= {target for _, target in copied}
    ignored = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert {f"!{source}" for source, _ in copied} <= set(ignored)
    pod = manifests()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{pod['securityContext']['fsGroup']}" in text
    tag = container()["image"]
    assert f"-t {tag} " in text
    assert re.search(r'^ENTRYPOINT \["(.*)/.venv/bin/python", "-m", "pipeline"\]$', text, re.M)


def test_the_pipeline_starts_with_what_the_image_holds(tmp_path: Path) -> None:
    for source, target in copied_into_the_image():
        if (REPOSITORY / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(
                REPOSITORY / source, tmp_path / target, ignore=ignored, dirs_exist_ok=True
            )
    read = "from pipeline.config.load import load; import pipeline.dag; print(load('census').name)"
    done = subprocess.run(
        [sys.executable, "-c", read], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "census\n", done.stderr


def test_the_units_are_valid(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        assert not os.environ.get("CI"), "install systemd, which checks the units"
        pytest.skip("there is no systemd-analyze here")
    units = sorted((DEPLOY / "systemd").iterdir())
    for unit in units:
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, str(REPOSITORY)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in units)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if any(u.name in line for u in units)]
    assert ours == []
    assert done.returncode == 0, done.stderr


def test_a_wrong_unit_would_be_found(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze here")
    unit = tmp_path / "tfx-schedule.service"
    text = text_of("systemd/tfx-schedule.service").replace(INSTALLED, str(REPOSITORY))
    unit.write_text(text.replace("Restart=on-failure", "Restart=sometimes"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    assert "sometimes" in done.stderr


def test_the_readme_tells_of_every_file() -> None:
    page = text_of("README.md")
    files = [path for path in DEPLOY.rglob("*") if path.is_file() and path.name != "README.md"]
    files = [path for path in files if "__pycache__" not in path.parts]
    assert [
        str(p.relative_to(DEPLOY)) for p in files if str(p.relative_to(DEPLOY)) not in page
    ] == []
