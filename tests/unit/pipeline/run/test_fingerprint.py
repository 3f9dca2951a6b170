"""The code hash: what it covers, and that an edit changes it."""

from pathlib import Path

import pytest

from core.errors import InputError
from core.files import REPOSITORY
from pipeline.run import fingerprint
from pipeline.run.fingerprint import RUN_MODULES, code_sha256, reached


def modules_of(*roots: str) -> set[str]:
    return {module for module, _ in reached(*roots)}


def test_it_follows_imports_through_the_rooms() -> None:
    found = modules_of("pipeline.ingestion.staging")
    assert {"pipeline.ingestion.staging", "pipeline.ingestion.tables", "core.errors"} <= found
    assert "models.columns.date_formats" in found
    assert all(name.split(".")[0] in ("pipeline", "models", "core") for name in found)


def test_imports_inside_functions_count() -> None:
    assert "pipeline.dag" in modules_of("pipeline.run.run")


def test_a_run_covers_modules_that_are_only_named() -> None:
    found = modules_of(*RUN_MODULES)
    files = (REPOSITORY / "components").rglob("[a-z]*.py")
    names = {".".join(file.relative_to(REPOSITORY).with_suffix("").parts) for file in files}
    assert len(names) > 20
    assert names <= found


def test_an_edit_of_an_imported_module_changes_the_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top.py").write_text("from rooms import low\n")
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "low.py").write_text("from . import lower\n")
    (tmp_path / "rooms" / "lower.py").write_text("X = 1\n")
    (tmp_path / "other.py").write_text("X = 1\n")
    monkeypatch.setattr(fingerprint, "REPOSITORY", tmp_path)
    before = code_sha256("top")
    (tmp_path / "other.py").write_text("X = 2\n")
    assert code_sha256("top") == before
    (tmp_path / "rooms" / "lower.py").write_text("X = 2\n")
    assert code_sha256("top") != before


def test_an_unknown_module_is_an_input_error() -> None:
    with pytest.raises(InputError, match=r"models\.nothing: there is no such module"):
        code_sha256("models.nothing")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the module `rules.votes`."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "votes.py").write_text("X = 1\n")
    monkeypatch.setattr(fingerprint, "REPOSITORY", tmp_path)
    return tmp_path


@pytest.mark.parametrize("file", ["environment/lock.txt", "environment/torch.txt", "rules/a.csv"])
def test_lock_files_and_tables_beside_a_module_count(repository: Path, file: str) -> None:
    before = code_sha256("rules.votes")
    (repository / file).parent.mkdir(exist_ok=True)
    (repository / file).write_text("1\n")
    first = code_sha256("rules.votes")
    (repository / file).write_text("2\n")
    assert len({before, first, code_sha256("rules.votes")}) == 3


def test_what_an_import_leaves_behind_does_not_count(repository: Path) -> None:
    before = code_sha256("rules.votes")
    (repository / "rules" / "__pycache__").mkdir()
    (repository / "rules" / "__pycache__" / "votes.cpython-311.pyc").write_bytes(b"1")
    (repository / "rules" / ".votes.py.swp").write_bytes(b"1")
    assert code_sha256("rules.votes") == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"X = 1\ndef f(:\n", r"rules/votes\.py:2: not Python: invalid syntax"),
        (b"X = 1\n# caf\xe9\n", r"rules/votes\.py.*: not Python"),
        (b"X = '\0'\n", r"rules/votes\.py.*: not Python"),
    ],
)
def test_a_module_that_is_not_python_is_named(
    repository: Path, content: bytes, message: str
) -> None:
    (repository / "rules" / "votes.py").write_bytes(content)
    with pytest.raises(InputError, match=message):
        code_sha256("rules.votes")


@pytest.mark.parametrize(
    "content",
    [
        "X = 1  # the number of votes\n",
        '"""What a vote is."""\n\nX = 1\n\n"""One of them."""\n',
        "X = (\n    1\n)\n",
    ],
    ids=["a comment", "docstrings", "formatting"],
)
def test_what_changes_no_code_does_not_count(repository: Path, content: str) -> None:
    before = code_sha256("rules.votes")
    (repository / "rules" / "votes.py").write_text(content)
    assert code_sha256("rules.votes") == before


@pytest.mark.parametrize("file", ["README.md", "notes.rst"])
def test_prose_beside_a_module_does_not_count(repository: Path, file: str) -> None:
    before = code_sha256("rules.votes")
    (repository / "rules" / file).write_text("All rights reversed.\n")
    assert code_sha256("rules.votes") == before


SHARED = """
import math
from rules import votes
LIMIT = 3
OTHER = 4
LIMITS = {}
LIMITS["all"] = 5

def used(value: float) -> float:
    return min(value, LIMIT) + votes.X

def unused(value: float) -> float:
    return used(value) + OTHER
"""


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("LIMIT = 3", "LIMIT = 4", True),
        ("min(value, LIMIT)", "max(value, LIMIT)", True),
        ('LIMITS["all"] = 5', 'LIMITS["all"] = 6', True),
        ("OTHER = 4", "OTHER = 5", False),
        ("used(value) + OTHER", "used(value) - OTHER", False),
        ("import math\n", "import math\nimport json\n", False),
    ],
)
@pytest.mark.parametrize(
    "user",
    [
        "from rules.shared import used\n\nY = used(1)\n",
        "from rules import shared\n\nY = shared.used(1)\n",
    ],
)
def test_of_a_shared_module_counts_what_is_reached(
    repository: Path, user: str, old: str, new: str, counts: bool
) -> None:
    (repository / "rules" / "shared.py").write_text(SHARED)
    (repository / "user.py").write_text(user)
    before = code_sha256("user")
    assert old in SHARED
    (repository / "rules" / "shared.py").write_text(SHARED.replace(old, new))
    assert (code_sha256("user") != before) is counts
    (repository / "rules" / "votes.py").write_text("X = 17\n")
    assert code_sha256("user") != before


def test_a_module_that_is_handed_on_counts_as_a_whole(repository: Path) -> None:
    (repository / "user.py").write_text("from rules import votes\n\nprint(vars(votes))\n")
    before = code_sha256("user")
    (repository / "rules" / "votes.py").write_text("X = 1\nY = 2\n")
    assert code_sha256("user") != before
