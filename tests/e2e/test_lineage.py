"""Lineage of real models: from the served version to the raw files, and back."""

import hashlib
import json
import sys
from pathlib import Path
from subprocess import run as run_process

import pytest

from tests.e2e.conftest import REPOSITORY, pipeline, versions

# Nodes behind a server model; the gates on data hold runs up, and no data goes through LabelGate.
SERVER_NODES = {
    "Staging", "CsvExampleGen", "StatisticsGen", "ImportSchemaGen", "ExampleValidator",
    "AnomalyGate", "AnswerImporter", "SnorkelLabeler", "FeatureSelector", "Transform", "Tuner",
    "Trainer", "Evaluator.server", "FairnessGate.server", "PushGate.server", "Pusher.server",
}  # fmt: skip


def lineage(root: Path, *arguments: str) -> str:
    finished = pipeline("lineage", *arguments, "--config", "smoke", "--root", str(root))
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


def test_from_a_version_to_the_raw_files(root: Path, cold: str) -> None:
    [found] = json.loads(lineage(root, cold, "--json"))[:1]
    assert found["target"] == "server"
    assert str(found["version"]) in versions(root / "smoke", "serving")
    assert {step["node"] for step in found["steps"]} == SERVER_NODES
    summary = json.loads((root / "smoke" / "reports" / cold / "summary.json").read_text())
    for key in ("config_sha256", "code_sha256"):
        assert found["run"][key] == summary[key]
    assert sorted(file["part"] for file in found["raw_files"]) == [
        "span-1", "span-2", "span-3", "test",
    ]  # fmt: skip
    for file in found["raw_files"]:
        assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]
    [contract] = [step for step in found["steps"] if step["node"] == "ImportSchemaGen"]
    digest = hashlib.sha256((REPOSITORY / "schema/census/schema.pbtxt").read_bytes()).hexdigest()
    assert digest in contract["facts"]["schema_file"]
    coded = {step["node"] for step in found["steps"] if "code_sha256" in step["facts"]}
    assert coded == SERVER_NODES - {
        "Staging", "ImportSchemaGen", "ExampleValidator", "Pusher.server",
    }  # fmt: skip


def test_the_tree_names_version_and_files_once(root: Path, cold: str) -> None:
    text = lineage(root, "server")
    live = max(versions(root / "smoke", "serving"))
    assert text.startswith(f"server version {live}, live, of run ")
    assert text.count("span-2 data.csv sha256 ") == 1
    assert "SnorkelLabeler mode weak, functions data.census.labeling_functions" in text


def test_from_a_span_to_what_was_made_of_it(root: Path, cold: str) -> None:
    found = json.loads(lineage(root, "--span", "2", "--json"))
    assert cold in found["runs"]
    live = {(m["target"], str(m["version"])) for m in found["models"] if m["status"] == "live"}
    assert live == {
        ("server", max(versions(root / "smoke", "serving"))),
        ("edge", max(versions(root / "smoke", "edge"))),
    }


@pytest.mark.parametrize("ending", [".svg", ".png", ".html"])
def test_the_picture_shows_every_step(root: Path, cold: str, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"lineage{ending}"
    lineage(root, "server", "--picture", str(file))
    content = file.read_bytes()
    if ending == ".png":
        assert content.startswith(b"\x89PNG")
        assert len(content) > 20_000
    else:
        for name in [*SERVER_NODES, "span-3/data.csv", "server model"]:
            assert name.encode() in content
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["phone"], "'phone' is neither a target (server, edge) nor the id of a run"),
        (["server", "17"], "server has no version 17"),
        (["20200101T000000Z"], "there is no run 20200101T000000Z"),
        (["--span", "99"], "has read span-99; there are: ['span-1', 'span-2', 'span-3', 'test']"),
        ([], "give a target (server, edge) or the id of a run; or --span N"),
        (["server", "--picture", "lineage.gif"], "give a file that ends in .svg, .png, .html"),
    ],
)
def test_what_is_not_there_is_named(
    root: Path, cold: str, arguments: list[str], message: str
) -> None:
    finished = pipeline("lineage", *arguments, "--config", "smoke", "--root", str(root))
    assert finished.returncode == 2
    assert message in finished.stdout


def test_it_takes_two_seconds_of_cpu_and_no_tensorflow(root: Path, cold: str) -> None:
    code = (
        "import sys, time; from pipeline.cli.main import main; "
        f"main(['lineage', 'edge', '--config', 'smoke', '--root', {str(root)!r}]); "
        "assert 'tensorflow' not in sys.modules; print(time.process_time())"
    )
    finished = run_process(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert float(finished.stdout.split()[-1]) < 2
