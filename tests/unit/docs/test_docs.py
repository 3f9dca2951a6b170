"""The documents: links, paths, tests, keys and verbs that exist, a README read in minutes."""

import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from core.files import REPOSITORY
from pipeline.cli.main import VERBS

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
TEST = re.compile(r"([\w/]*test_\w+\.py)(?:::(\w+))?")
OVERRIDE = re.compile(r"--set '?([a-z_]+(?:\.[a-z_0-9]+)*)=")
KEY = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)(?:[=:][^`]*)?`")
CALL = re.compile(r"(?:python -m pipeline|[`\n] *make) ([a-z][a-z-]*)")
# Fields of summary.json and files that look like keys of the configuration.
NO_KEYS = re.compile(
    r"data\.(files|spans|rows|held_back|reported|contract_sha256|csv)|.*\.(jsonl?|lock|sqlite)"
)
# Folders that docs/extending.md proposes for what is not there yet.
PLANNED = {"pipeline/monitoring/"}
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


def test_what_extending_names_is_there() -> None:
    text = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
    folders = {*re.findall(rf"`((?:{ROOMS})/[\w/]+/)`", text)} - PLANNED
    assert [folder for folder in sorted(folders) if not (REPOSITORY / folder).is_dir()] == []
    files = [*REPOSITORY.glob("[!.]*/**/*.py"), REPOSITORY / "configs" / "base.yaml"]
    code = " ".join(path.read_text("utf-8") for path in files if "runs" not in path.parts)
    words = {
        *re.findall(r"`([A-Za-z_]\w+)(?:\(.*?\))?`", text),
        *re.findall(r"\b[A-Z]{4,}\w*\b", text),
    }
    known = {*re.findall(r"\w+", code)}
    assert words - known - {"CHANGELOG", "YAML"} == set()


@pytest.mark.parametrize("page", PAGES)
def test_tests_that_are_named_are_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    tests = {str(path): path.read_text("utf-8") for path in (REPOSITORY / "tests").rglob("*.py")}
    for file, name in TEST.findall(text):
        found = [code for path, code in tests.items() if path.endswith(f"/{file.lstrip('/')}")]
        assert found, file
        assert any(f"def {name}(" in code for code in found) or not name, f"{file}::{name}"
    for ending in re.findall(r"`\.\.\.(_\w+)`", text):
        assert any(f"{ending}(" in code for code in tests.values()), ending


def is_key(name: str) -> bool:
    """Whether the configuration has a key, or a mapping that anything may be put into."""
    value = YAML(typ="safe").load(REPOSITORY / "configs" / "base.yaml")
    for part in name.split("."):
        if value == {}:
            return True
        if not isinstance(value, dict) or part not in value:
            return False
        value = value[part]
    return True


@pytest.mark.parametrize("page", PAGES)
def test_keys_and_verbs_that_are_named_are_there(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    sections = YAML(typ="safe").load(REPOSITORY / "configs" / "base.yaml")
    dotted = {key for key in KEY.findall(text) if key.split(".")[0] in sections}
    keys = {*OVERRIDE.findall(text), *(key for key in dotted if not NO_KEYS.fullmatch(key))}
    assert [key for key in sorted(keys) if not is_key(key)] == []
    make = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert {*CALL.findall(text)} - {*make, *VERBS} == set()


def test_the_results_in_the_readme_are_those_of_the_benchmarks() -> None:
    rows = {"server": "teacher_pruned", "edge": "student_int8"}
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    results = re.findall(r"^\| (weak|gold) \| (server|edge) [^|]*\| (.*) \|$", readme, re.MULTILINE)
    assert len(results) == 4
    for labels, target, values in results:
        page = {"weak": "weak_200", "gold": "quality"}[labels]
        text = (REPOSITORY / "benchmarks" / "results" / f"{page}.md").read_text(encoding="utf-8")
        table = text.partition(f"| {labels} labels ")[2].partition("\n\n")[0]
        [row] = re.findall(rf"^\| {rows[target]} +\|(.*)\|$", table, re.MULTILINE)
        accuracy, auc, f1, gap, size, _, latency = (cell.strip() for cell in row.split("|"))
        means = [cell.split(" ±")[0] for cell in (size, latency)]
        assert values.split(" | ") == [accuracy, auc, f1, gap, *means]


def test_the_licence_is_whole() -> None:
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert text.split()[:4] == ["Apache", "License", "Version", "2.0,"]
    assert re.findall(r"^   (\d)\. ", text, re.MULTILINE) == list("123456789")
    assert "END OF TERMS AND CONDITIONS" in text
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'license = "Apache-2.0"' in project


def test_the_readme_is_short() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    before, picture, after = re.split("```mermaid|```(?=\n\nRaw data)", readme)
    assert "flowchart" in picture
    assert len((before + after).split()) < 1230


def test_the_project_has_one_name() -> None:
    name = "tfx-two-targets"
    assert f'name = "{name}"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert (REPOSITORY / "README.md").read_text(encoding="utf-8").startswith(f"# {name}")
    units = Path(REPOSITORY / "deploy" / "systemd").glob("*.service")
    assert all(f"/opt/{name}" in unit.read_text(encoding="utf-8") for unit in units)
