"""Lineage of real models: from the served version to the raw files, and back."""

import hashlib
import json
import sys
from pathlib import Path
from subprocess import run as run_process

import pytest

from core.files import REPOSITORY
from pipeline.cli.main import main
from tests.support.e2e.runs import summary, versions

# Nodes behind a server model; LabelGate, through which no data goes, by the model's card alone.
SERVER_NODES = {
    "Staging", "CsvExampleGen", "StatisticsGen", "ImportSchemaGen", "ExampleValidator",
    "AnomalyGate", "AnswerImporter", "SnorkelLabeler", "FeatureSelector", "Transform", "Tuner",
    "Trainer", "Reference", "Distiller", "Quantizer", "Selector.server", "VariantEvaluator",
    "Evaluator.server", "FairnessGate.server", "PushGate.server", "Pusher.server", "LabelGate",
    "ModelCard.server",
}  # fmt: skip


class Lineage:
    """Calls of the verb on the shared root, in this process: it only reads."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._where = ("--config", "smoke", "--root", str(root))
        self._capsys = capsys

    def call(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and what was printed on both streams."""
        self._capsys.readouterr()
        code = main(["lineage", *arguments, *self._where])
        return code, "".join(self._capsys.readouterr())

    def __call__(self, *arguments: str) -> str:
        code, printed = self.call(*arguments)
        assert code == 0, printed
        return printed


@pytest.fixture
def lineage(
    root: Path, cold: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Lineage:
    monkeypatch.setenv("COLUMNS", "200")
    return Lineage(root, capsys)


def test_from_a_version_to_the_raw_files(root: Path, cold: str, lineage: Lineage) -> None:
    [found] = json.loads(lineage(cold, "--json"))[:1]
    assert found["target"] == "server"
    assert str(found["version"]) in versions(root / "smoke", "serving")
    assert {step["node"] for step in found["steps"]} == SERVER_NODES
    written = summary(root, cold)
    for key in ("config_sha256", "code_sha256"):
        assert found["run"][key] == written[key]
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


def test_the_tree_names_version_and_files_once(root: Path, lineage: Lineage) -> None:
    text = lineage("server")
    live = max(versions(root / "smoke", "serving"))
    assert text.startswith(f"server version {live}, live, of run ")
    assert text.count("span-2 data.csv sha256 ") == 1
    assert "SnorkelLabeler mode weak, functions data.census.labeling_functions" in text


def test_from_a_span_to_what_was_made_of_it(root: Path, cold: str, lineage: Lineage) -> None:
    found = json.loads(lineage("--span", "2", "--json"))
    assert cold in found["runs"]
    live = {(m["target"], str(m["version"])) for m in found["models"] if m["status"] == "live"}
    assert live == {
        ("server", max(versions(root / "smoke", "serving"))),
        ("edge", max(versions(root / "smoke", "edge"))),
    }


@pytest.mark.parametrize("ending", [".svg", ".png", ".html"])
def test_the_picture_shows_every_step(lineage: Lineage, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"lineage{ending}"
    lineage("server", "--picture", str(file))
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
def test_what_is_not_there_is_named(lineage: Lineage, arguments: list[str], message: str) -> None:
    code, printed = lineage.call(*arguments)
    assert code == 2
    assert message in printed


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
