"""The documents: links and paths that exist, a README that is read in minutes."""

import re
import subprocess
from pathlib import Path

import pytest

from core.files import REPOSITORY

LISTED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
    cwd=REPOSITORY,
    capture_output=True,
    text=True,
    check=False,
).stdout.split()
PAGES = LISTED or [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob("[!.]*/**/*.md")]
ROOMS = (
    "core|models|components|pipeline|data|tests|benchmarks|configs|schema|environment|deploy|docs"
)
NAMED = re.compile(rf"`((?:{ROOMS})/[\w./-]+\.(?:py|yaml|pbtxt|md|sh|txt|csv))`")
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#]*)(?:#([^)]*))?\)")
# What a page tells people to write themselves.
EXAMPLES = (
    "configs/shop.yaml",
    "configs/taxi.yaml",
    "data/shop/",
    "data/taxi/",
    "schema/shop/",
    "schema/taxi/",
)


def test_there_are_pages() -> None:
    assert {"README.md", "docs/extending.md", "docs/operations.md"} <= {*PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    broken = []
    for target, anchor in LINK.findall(text):
        path = (REPOSITORY / page).parent / target if target else REPOSITORY / page
        if not path.exists():
            broken.append(target)
        elif anchor and path.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles}
            broken += [f"{target}#{anchor}"] if anchor not in slugs else []
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    named = {n for n in NAMED.findall(text) if "NAME" not in n and not n.startswith(EXAMPLES)}
    assert [name for name in sorted(named) if not (REPOSITORY / name).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((REPOSITORY / "README.md").read_text(encoding="utf-8").split()) < 1300


def test_the_project_has_one_name() -> None:
    name = "tfx-two-targets"
    assert f'name = "{name}"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert (REPOSITORY / "README.md").read_text(encoding="utf-8").startswith(f"# {name}")
    units = Path(REPOSITORY / "deploy" / "systemd").glob("*.service")
    assert all(f"/opt/{name}" in unit.read_text(encoding="utf-8") for unit in units)
