"""The walk-through in docs/, executed on a real run."""

import ast
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from core.files import REPOSITORY
from tests.support.e2e.runs import summary

NOTEBOOK = REPOSITORY / "docs" / "tour.ipynb"
ROOMS = {"core", "data", "models", "components", "pipeline"}


@pytest.fixture(scope="module")
def committed() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def printed(committed: nbformat.NotebookNode, kept: Path) -> list[str]:
    """What each cell of code shows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOUR_ROOT", str(kept))
        patch.setenv("TOUR_CONFIG", "smoke")
        folder = {"metadata": {"path": str(NOTEBOOK.parent)}}
        done = NotebookClient(committed.copy(), timeout=300, resources=folder).execute()
    return [
        "".join(o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs)
        for cell in done.cells
        if cell.cell_type == "code"
    ]


def test_it_is_committed_without_outputs(committed: nbformat.NotebookNode) -> None:
    cells = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)
    assert 18 <= len(committed.cells) <= 24


def test_it_uses_the_code_of_the_pipeline_and_nothing_else(
    committed: nbformat.NotebookNode,
) -> None:
    code = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "code")
    tree = ast.parse(code)
    modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    others = {module.split(".")[0] for module in modules} - {*sys.stdlib_module_names} - ROOMS
    assert others <= {"numpy", "rich"}


def test_every_step_shows_what_it_left(printed: list[str], kept: Path, cold: str) -> None:
    everything = "\n".join(printed)
    assert all(printed[1:]), "each cell but the first shows something"
    told = summary(kept, cold)
    assert cold in printed[1]
    assert all(node in printed[2] for node in told["nodes"])
    assert all(digest in everything for digest in told["data"]["files"].values())
    auc = told["models"]["student_int8"]["metrics"]["auc"]
    assert f"{auc:.4f}" in everything
    assert "student_int8" in everything
    assert everything.count("holds: True") == 3
    assert "server version " in everything
