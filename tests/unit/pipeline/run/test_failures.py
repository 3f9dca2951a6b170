"""From exceptions to causes."""

import errno
from pathlib import Path

import pytest

from core.errors import InputError
from data.census.spans import split_rows
from pipeline.metadata.seal import StoreDamagedError
from pipeline.run.failures import Failure, explain

BEAM_TEXT = """Traceback (most recent call last):
  File "/x/site-packages/apache_beam/runners/common.py", line 1501, in process
    return self.do_fn_invoker.invoke_process(windowed_value)
  File "{file}", line 12, in apply
    check(row)
{name}: column 'age': 3
is not allowed [while running 'Judge']

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/x/site-packages/apache_beam/runners/worker.py", line 5, in run
    raise new_exn
{name}: column 'age': 3
is not allowed [while running 'Judge']
"""
LABELING = str(Path(__file__).resolve().parents[4] / "models" / "labels" / "functions.py")


def explained(error: BaseException, tmp_path: Path) -> Failure:
    return explain(error, tmp_path, "make run-local")


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_the_innermost_exception_and_the_last_line_of_ours(tmp_path: Path) -> None:
    with pytest.raises(IndexError) as caught:
        split_rows([], 3)
    failure = explained(raised(RuntimeError("a node failed"), caught.value), tmp_path)
    assert failure.cause == "IndexError: list index out of range"
    assert failure.code is not None
    assert failure.code.startswith("data/census/spans.py:")
    assert failure.exit_code == 1
    assert "run the same command again" in failure.resume
    assert "make run-local" in failure.resume


@pytest.mark.parametrize("name", ["core.errors.InputError", "StoreDamagedError"])
def test_an_input_error_that_beam_made_text_of(tmp_path: Path, name: str) -> None:
    assert issubclass(StoreDamagedError, InputError)
    text = BEAM_TEXT.format(file=LABELING, name=name)
    failure = explained(RuntimeError(text), tmp_path)
    assert (failure.cause, failure.exit_code) == ("column 'age': 3\nis not allowed", 2)


def test_another_error_that_beam_made_text_of(tmp_path: Path) -> None:
    failure = explained(RuntimeError(BEAM_TEXT.format(file=LABELING, name="ValueError")), tmp_path)
    assert failure.cause == "ValueError: column 'age': 3\nis not allowed"
    assert failure.code == "models/labels/functions.py:12 in apply"
    assert failure.exit_code == 1


def test_an_input_error_anywhere_in_the_chain(tmp_path: Path) -> None:
    error = raised(ValueError("outer"), InputError("age: row 3 [while running 'A/B']"))
    assert explained(error, tmp_path).cause == "age: row 3"
    assert explained(error, tmp_path).exit_code == 2


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("Error when executing query: database or disk is full query: COMMIT;"),
        RuntimeError("/x/variables.data; No space left on device [Op:SaveV2]"),
    ],
)
def test_a_full_disk_however_it_is_said(tmp_path: Path, error: Exception) -> None:
    failure = explained(raised(RuntimeError("a node failed"), error), tmp_path)
    assert failure.cause.startswith(f"the disk of {tmp_path} is full (")
    assert "MB free" in failure.cause
    assert failure.resume.startswith("free space or choose another --root")
    assert failure.exit_code == 2


def test_the_disk_of_a_root_that_does_not_exist_yet(tmp_path: Path) -> None:
    root = tmp_path / "not" / "yet"
    assert str(root) in explained(OSError(errno.ENOSPC, "No space"), root).cause


def test_a_folder_without_permission(tmp_path: Path) -> None:
    failure = explained(PermissionError(errno.EACCES, "Permission denied", "/x"), tmp_path)
    assert (failure.cause, failure.exit_code) == ("[Errno 13] Permission denied: '/x'", 2)


def test_an_exception_without_message(tmp_path: Path) -> None:
    assert explained(AssertionError(), tmp_path).cause == "AssertionError"
