"""The root that the tests share, and its runs, each made when a test first names it.

What is live decides what the next run does. So the runs of which a test says that exactly these
nodes ran are made in one order, whichever test comes first: each names the one before it.
"""

import shutil
from pathlib import Path

import pytest

from tests.support.e2e.runs import Ran, RolledBack, pipeline, run_smoke, served

TEMPERATURE = ("--set", "distiller.temperature=3.0")
GOLD = ("--set", "labeling.mode=gold")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that all tests of the session share; its first run is cold."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def first(root: Path) -> Ran:
    """The first run."""
    ran = run_smoke(root)
    assert ran.finished.returncode == 0, ran.finished.stdout
    shutil.copytree(root, root.with_name("kept"))
    return ran


@pytest.fixture(scope="session")
def kept(root: Path, first: Ran) -> Path:
    """A copy of the root as it was after the first run, not to be changed."""
    return root.with_name("kept")


@pytest.fixture(scope="session")
def cold(first: Ran) -> str:
    """Id of the first run."""
    return first.run_id


@pytest.fixture(scope="session")
def cached(root: Path, first: Ran) -> Ran:
    """The first run again."""
    ran = run_smoke(root)
    assert ran.finished.returncode == 0, ran.finished.stdout
    return ran


@pytest.fixture(scope="session")
def changed(root: Path, cached: Ran) -> Ran:
    """A run with another student."""
    ran = run_smoke(root, *TEMPERATURE)
    assert ran.finished.returncode == 0, ran.finished.stdout
    return ran


@pytest.fixture(scope="session")
def rolled_back(root: Path, changed: Ran) -> RolledBack:
    """The changed run again while its edge model is rolled back; it is restored after it."""

    def roll_back(*arguments: str) -> list[str]:
        where = ("--config", "smoke", "--root", str(root))
        finished = pipeline("rollback", "edge", *arguments, *where)
        assert finished.returncode == 0, finished.stdout
        return served(root)["edge"]

    edge = roll_back("--reason", "drains the battery")
    again = run_smoke(root, *TEMPERATURE)
    assert again.finished.returncode == 0, again.finished.stdout
    return RolledBack(edge, again, roll_back(changed.served["edge"][-1]))


@pytest.fixture(scope="session")
def blocked(root: Path, rolled_back: RolledBack) -> Ran:
    """A run whose edge model fails a gate."""
    return run_smoke(root, "--set", "evaluation.edge.min.auc=0.999", "--require-blessing")


@pytest.fixture(scope="session")
def gold(root: Path, blocked: Ran) -> Ran:
    """A run on all labels."""
    ran = run_smoke(root, *GOLD)
    assert ran.finished.returncode == 0, ran.finished.stdout
    return ran
