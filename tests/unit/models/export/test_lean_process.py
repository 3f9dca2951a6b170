"""A process that serves knows no Keras, and is otherwise the module that it was asked to run."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("import keras", "ModuleNotFoundError: import of keras halted"),
        ("import tf_keras", "ModuleNotFoundError: import of tf_keras halted"),
        ("import numpy", None),
        ("import sys; assert sys.argv[1:] == ['-n1', '-r1', sys.argv[-1]]", None),
    ],
)
def test_what_a_module_finds(statement: str, said: str | None) -> None:
    command = [sys.executable, "-m", "models.export.lean_process", "timeit", "-n1", "-r1"]
    process = subprocess.run([*command, statement], capture_output=True, text=True)
    assert (process.returncode == 0) == (said is None), process.stderr
    assert said is None or said in process.stderr
