"""Set-up: the lock is whole, what is missing is said in one line, and nothing is done twice.

The script runs for real on a copy of environment/; only Python and the installer, which would
fetch gigabytes, are stood in for by shell scripts that write down how they were called.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / "environment"

# Makes a virtual environment whose pip "installs" a uv that makes .venv, and fails as it is told.
STUB_PYTHON = """#!/bin/sh
case "$*" in
-c*) exit 0 ;;
-m\\ venv*) mkdir -p .installer/bin && cp "$0" .installer/bin/python ;;
-m\\ pip*) cp "$STUB_UV" .installer/bin/uv ;;
esac
"""
STUB_UV = """#!/bin/sh
echo "$* [links=$UV_FIND_LINKS backend=${UV_TORCH_BACKEND-}]" >>calls
case "$*" in *"$FAIL_ON"*) echo "no such thing" >&2; exit 1 ;; esac
case "$1" in venv) mkdir -p .venv/bin && cp .installer/bin/python .venv/bin/python ;; esac
"""


class Machine:
    """A checkout with the real set-up script, and a PATH that holds only what it is given."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.bin = folder / "bin"
        self.bin.mkdir()
        shutil.copytree(ENVIRONMENT, self.checkout / "environment")
        for tool in (
            "cat",
            "cp",
            "dirname",
            "env",
            "flock",
            "mkdir",
            "rm",
            "sha256sum",
            "sh",
            "tr",
        ):
            (self.bin / tool).symlink_to(shutil.which(tool) or pytest.fail(f"no {tool}"))
        self.add("c++", "#!/bin/sh\n")
        self.add("python3.11", STUB_PYTHON)
        (folder / "uv").write_text(STUB_UV)
        (folder / "uv").chmod(0o755)
        self.stub_uv = folder / "uv"

    def add(self, name: str, script: str) -> None:
        (self.bin / name).write_text(script)
        (self.bin / name).chmod(0o755)

    def set_up(self, fail_on: str = "nothing fails", **variables: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of the set-up script."""
        done = subprocess.run(
            ["/bin/sh", "environment/setup.sh"],
            cwd=self.checkout,
            env={
                "PATH": str(self.bin),
                "STUB_UV": str(self.stub_uv),
                "FAIL_ON": fail_on,
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def calls(self) -> list[str]:
        """What the installer was asked, one line a call; forgets them."""
        file = self.checkout / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("tool", "advice"),
    [("python3.11", "no Python 3 with venv: install"), ("c++", "no C++ compiler: install")],
)
def test_missing_prerequisite_is_one_line(machine: Machine, tool: str, advice: str) -> None:
    (machine.bin / tool).unlink()
    code, _, error = machine.set_up()
    assert code == 2
    assert advice in error
    assert error.count("\n") == 1


def test_python_without_venv_is_a_missing_prerequisite(machine: Machine) -> None:
    machine.add("python3.11", "#!/bin/sh\necho 'No module named ensurepip' >&2\nexit 1\n")
    code, _, error = machine.set_up()
    assert code == 2
    assert error.count("\n") == 1


def test_python_3_11_that_cannot_be_fetched_is_one_line(machine: Machine) -> None:
    (machine.bin / "python3.11").rename(machine.bin / "python3")
    code, _, error = machine.set_up(fail_on="venv")
    assert code == 2
    assert "no Python 3.11, and none could be fetched" in error
    assert error.count("\n") == 1


def test_missing_headers_are_one_line(machine: Machine) -> None:
    find_headers = '#!/bin/sh\ncase "$2" in *sysconfig*) exit 1 ;; esac\n'
    machine.add("python3.11", STUB_PYTHON.replace("#!/bin/sh\n", find_headers))
    code, _, error = machine.set_up()
    assert code == 2
    assert "no headers of Python 3.11" in error
    assert error.count("\n") == 1


def test_second_set_up_does_nothing_until_the_lock_changes(machine: Machine) -> None:
    assert machine.set_up()[0] == 0
    assert machine.calls()
    assert machine.set_up() == (0, "", "")
    assert machine.calls() == []
    with (machine.checkout / "environment/lock.txt").open("a") as lock:
        lock.write("six==1.17.0\n")
    assert machine.set_up()[0] == 0
    assert machine.calls()


@pytest.mark.parametrize("step", ["pip sync", "pip install"])
def test_failed_set_up_says_why_and_is_begun_anew(machine: Machine, step: str) -> None:
    assert machine.set_up()[0] == 0
    with (machine.checkout / "environment/lock.txt").open("a") as lock:
        lock.write("six==1.17.0\n")
    code, _, error = machine.set_up(fail_on=step)
    assert code == 2
    assert "no such thing" in error
    machine.calls()
    assert machine.set_up()[0] == 0
    assert len(machine.calls()) == 3


def test_packages_are_checked_against_their_hashes_and_compiled(machine: Machine) -> None:
    machine.set_up()
    sync = next(call for call in machine.calls() if call.startswith("pip sync"))
    assert "--require-hashes" in sync
    assert "--compile-bytecode" in sync


@pytest.mark.parametrize(
    ("variables", "links"),
    [
        ({"PIP_FIND_LINKS": "/a file:///b"}, "/a,file:///b"),
        ({"PIP_FIND_LINKS": "/a", "UV_FIND_LINKS": "/c"}, "/c"),
    ],
)
def test_torch_comes_from_a_folder_of_wheels(
    machine: Machine, variables: dict[str, str], links: str
) -> None:
    assert machine.set_up(**variables)[0] == 0
    torch = machine.calls()[2:]
    assert len(torch) == 1
    assert "--no-index" in torch[0]
    assert f"links={links} backend=]" in torch[0]


def test_torch_without_folder_comes_from_the_cpu_index(machine: Machine) -> None:
    assert machine.set_up()[0] == 0
    torch = machine.calls()[2:]
    assert len(torch) == 1
    assert "backend=cpu]" in torch[0]


def test_torch_falls_back_to_the_locked_default_build(machine: Machine) -> None:
    code, output, _ = machine.set_up(
        fail_on="environment/torch.txt", PIP_FIND_LINKS="/empty-folder"
    )
    assert code == 0
    assert "taking the GPU build" in output
    last = machine.calls()[-1]
    assert "--require-hashes -r environment/torch-default.txt" in last
    assert "backend=]" in last


def test_torch_backend_that_was_asked_for_is_not_replaced(machine: Machine) -> None:
    code, _, error = machine.set_up(fail_on="environment/torch.txt", UV_TORCH_BACKEND="cu130")
    assert code == 2
    assert "UV_TORCH_BACKEND=cu130" in error
    assert all("backend=cu130]" in call for call in machine.calls())


def locked(name: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of every package of one lock file."""
    entries = re.split(r"\n(?=[a-z])", (ENVIRONMENT / name).read_text())
    pins = [re.match(r"(\S+?)(?:\[.*\])?==(\S+)", entry) for entry in entries]
    return {
        pin[1]: (pin[2], entry.count("--hash=sha256:"))
        for pin, entry in zip(pins, entries, strict=True)
        if pin
    }


@pytest.mark.parametrize("name", ["installer.txt", "lock.txt", "torch-default.txt"])
def test_every_locked_package_has_a_hash(name: str) -> None:
    packages = locked(name)
    assert packages
    assert [package for package, (_, hashes) in packages.items() if not hashes] == []


def test_lock_serves_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    direct = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    packages = locked("lock.txt")
    assert "torch" not in packages
    torch = Requirement((ENVIRONMENT / "torch.txt").read_text().strip())
    packages["torch"] = locked("torch-default.txt")["torch"]
    unserved = [
        text
        for text, wanted in [(text, Requirement(text)) for text in [*direct, str(torch)]]
        if packages.get(canonicalize_name(wanted.name), ("0", 0))[0] not in wanted.specifier
    ]
    assert unserved == []


def test_locks_agree_with_each_other() -> None:
    lock, default = locked("lock.txt"), locked("torch-default.txt")
    assert {name: lock[name] for name in default if name in lock} == {
        name: default[name] for name in default if name in lock
    }


def test_help_lists_every_verb() -> None:
    makefile = (ROOT / "Makefile").read_text()
    verbs = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert verbs
    shown = subprocess.run(
        ["make", "help"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [line.split()[0] for line in shown.splitlines()] == verbs[1].split()
