"""One holder at a time, named, and gone when its process is."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core import lock
from core.files import REPOSITORY

HOLD = "import sys, time; from pathlib import Path; from core import lock\n"
HOLD += "with lock.hold(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"


def test_a_second_holder_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / lock.FILE
    with lock.hold(path):
        assert lock.is_held(path)
        with pytest.raises(lock.LockHeldError) as error, lock.hold(path):
            pass
    assert f"process {os.getpid()} on {socket.gethostname()}, since 20" in str(error.value)
    assert not lock.is_held(path)
    with lock.hold(path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / lock.FILE
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    assert lock.is_held(path)
    process.kill()
    process.communicate()
    assert not lock.is_held(path)
    with lock.hold(path):
        pass


def test_a_lock_that_never_was_is_not_held(tmp_path: Path) -> None:
    assert not lock.is_held(tmp_path / lock.FILE)
