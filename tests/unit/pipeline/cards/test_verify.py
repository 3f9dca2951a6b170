"""`card --verify`: what is held against ML Metadata, and what is said where it differs."""

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import InputError
from core.files import REPOSITORY
from core.names import CARD_FILES
from core.version_record import (
    Event,
    VersionRecord,
    read_record,
    withdrawn_folder,
    write_record,
)
from models.cards.files import put_cards, rewrite_history
from pipeline.cards.beside import put_beside
from pipeline.cards.verify import verify
from pipeline.cli.main import main
from pipeline.metadata.executions import Artifact, Execution
from pipeline.run.fingerprint import code_sha256
from tests.support.records.card_run import NODE, CardRun

VERSION = VersionRecord("20260102T030405Z", "2026-01-02T03:04:05Z", "ab12")
MODULE = "components.cards.model_card"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """<root>/tiny, as a run left it, with a version that was pushed."""
    run = CardRun(tmp_path_factory.mktemp("runs") / "tiny")
    cards = run.record(code_sha256(MODULE))
    version = run.folder / "serving" / "tiny" / "17"
    version.mkdir(parents=True)
    write_record(version, VERSION)
    put_cards(cards, version, 17)
    return run.folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed; it is a folder that was moved."""
    shutil.copytree(made, tmp_path / "tiny")
    return tmp_path / "tiny"


def beside(folder: Path) -> Path:
    return folder / "serving" / "tiny" / "17"


@pytest.mark.parametrize("name", CARD_FILES)
def test_a_card_is_verified_wherever_it_lies(made: Path, tmp_path: Path, name: str) -> None:
    [artifact] = (made / "artifacts" / NODE / "cards").glob(f"*/{name}")
    elsewhere = tmp_path / name
    shutil.copyfile(beside(made) / name, elsewhere)
    for file in (artifact, beside(made) / name, elsewhere):
        verdict = verify(file, made)
        assert (verdict.altered, verdict.missing, verdict.notes) == ([], [], [])
        assert verdict.holds
        assert verdict.claims > 40
        assert verdict.sources > 7


def change(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("model_card.md", "accuracy | 0.7988", "accuracy | 0.9988", "card says 0.9988, the source"),
        ("model_card.html", ">0.7988<", ">0.9988<", "the card says 0.9988, the source says 0.7988"),
        ("data_card.md", "| 1,059 |", "| 1,069 |", "the card says 1,069, the source says 1,059"),
        ("model_card.md", "Version 17", "Version 18", "version.json"),
        (
            "model_card.md",
            "2026-01-02T03",
            "2026-01-02T04",
            "version.json#/pushed_at: the card says",
        ),
        ("model_card.md", "m11@sha256:", "m12@sha256:", "reads '"),
        ("model_card.md", "| m11 | 11 ", "| m11 | 12 ", "reads '"),
        ("model_card.html", "For the 12 people", "For all people", "was changed, in HTML"),
    ],
)
def test_what_was_altered_is_named(
    folder: Path, name: str, old: str, new: str, message: str
) -> None:
    verdict = verify(change(beside(folder) / name, old, new), folder)
    assert not verdict.holds
    assert any(message in problem for problem in verdict.altered), verdict.altered
    assert verdict.missing == []


@pytest.mark.parametrize(
    ("old", "new", "altered", "missing"),
    [
        (
            "ModelCard.server execution 1 ",
            "ModelCard.server execution 2 ",
            "",
            "knows no execution 2",
        ),
        ("ModelCard.server execution 1 ", "ModelCard.edge execution 1 ", "", "of ModelCard.edge"),
        ("pipeline tiny", "pipeline huge", "it is of pipeline huge, not tiny", ""),
        ("<!-- model_card:", "<!-- card:", "name no execution of ModelCard", ""),
    ],
)
def test_a_card_of_nothing_that_is_known_does_not_hold(
    folder: Path, old: str, new: str, altered: str, missing: str
) -> None:
    verdict = verify(change(beside(folder) / "model_card.md", old, new), folder)
    assert not verdict.holds
    assert altered in " ".join(verdict.altered)
    assert missing in " ".join(verdict.missing)


def test_peoples_words_may_be_changed_and_that_is_said(folder: Path) -> None:
    verdict = verify(change(beside(folder) / "model_card.md", "12 people", "13 people"), folder)
    assert verdict.holds
    assert verdict.notes == ["what people wrote of use and limits was changed since it was made"]


def test_a_source_that_changed_is_told_from_a_card_that_was(folder: Path) -> None:
    report = folder / "artifacts" / "variant_report" / "1" / "variants.json"
    report.write_text(report.read_text().replace("0.79876", "0.99876"))
    verdict = verify(beside(folder) / "model_card.md", folder)
    assert verdict.altered == []
    [missing] = verdict.missing
    said = "m11 (VariantReport of VariantEvaluator), variants.json: changed since it was made"
    assert missing.startswith(said)
    shutil.rmtree(report.parent)
    assert "variants.json: gone from" in " ".join(
        verify(beside(folder) / "model_card.md", folder).missing
    )
    change(beside(folder) / "model_card.md", "accuracy | 0.7988", "accuracy | 0.9988")
    verdict = verify(beside(folder) / "model_card.md", folder)
    assert verdict.missing
    assert any("0.9988" in problem for problem in verdict.altered)


def test_a_rolled_back_version_keeps_a_true_history(folder: Path, tmp_path: Path) -> None:
    event = Event("rolled back", "2026-01-03T00:00:00Z", "ann@host", "drains <b>it</b>", 16)
    write_record(beside(folder), dataclasses.replace(VERSION, events=(event,)))
    old = tmp_path / "old.md"
    shutil.copyfile(beside(folder) / "model_card.md", old)
    rewrite_history(beside(folder))
    served = beside(folder).parent
    withdrawn = withdrawn_folder(served) / "17"
    withdrawn.parent.mkdir()
    beside(folder).rename(withdrawn)
    verdict = verify(withdrawn / "model_card.md", folder)
    assert verdict.holds, verdict
    assert "drains \\<b\\>it\\</b\\>" in (withdrawn / "model_card.md").read_text()
    stale = verify(old, folder)
    assert not stale.holds
    change(withdrawn / "model_card.html", ">ann@host<", ">bob@host<")
    [problem] = verify(withdrawn / "model_card.html", folder).altered
    assert problem.endswith("events/0/by: the card says bob@host, the source says ann@host")
    shutil.rmtree(withdrawn)
    assert "is gone" in " ".join(verify(old, folder).missing)


def test_a_card_of_other_code_is_held_against_the_file_made_then(tmp_path: Path) -> None:
    run = CardRun(tmp_path / "tiny")
    cards = run.record("other code")
    assert verify(cards / "model_card.md", run.folder).notes == [], "it would be made alike"
    then = (cards / "model_card.md").read_text().replace("## Gates", "## Bounds")
    (tmp_path / "then").mkdir()
    shutil.rmtree(run.folder)
    other = CardRun(tmp_path / "tiny")
    cards = other.record("other code", changed=("## Gates", "## Bounds"))
    verdict = verify(cards / "model_card.md", other.folder)
    assert verdict.holds
    assert verdict.notes == [
        "other code made it: held against the file that was made, not made anew"
    ]
    assert (cards / "model_card.md").read_text() == then
    moved = tmp_path / "then" / "model_card.md"
    moved.write_text(then.replace("0.7988", "0.9988", 1))
    [problem] = verify(moved, other.folder).altered
    assert "0.9988" in problem


def test_what_is_no_card_at_all_is_an_input_error(made: Path, tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        verify(tmp_path / "x.md", made)
    with pytest.raises(InputError, match=r"y\.md: cannot be read"):
        verify(tmp_path / "y.md", made)
    with pytest.raises(InputError, match="no runs there yet"):
        verify(beside(made) / "model_card.md", tmp_path)


def test_the_verb_exits_with_1_and_finds_the_store_by_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(beside(folder) / name) for name in CARD_FILES]
    assert main(["card", "--verify", *files]) == 0
    assert capsys.readouterr().out.count(": verified: ") == 4
    change(beside(folder) / "data_card.md", "667", "668")
    assert main(["card", "--verify", *files]) == 1
    printed = capsys.readouterr().out
    assert "data_card.md: altered: line " in printed
    assert "the card says 668, the source says 667" in printed
    assert main(["card", "server", "--verify", *files]) == 2
    assert "not both" in capsys.readouterr().err


def test_cards_are_copied_beside_the_summary(made: Path, tmp_path: Path) -> None:
    [cards] = (made / "artifacts" / NODE / "cards").iterdir()
    artifact = Artifact(1, "Cards", str(cards), {})
    for _ in range(2):
        put_beside([Execution(1, NODE, "COMPLETE", 1.0, {"cards": [artifact]})], tmp_path)
    assert {path.name for path in (tmp_path / "cards").iterdir()} == {
        "data_card.md", "data_card.html", "model_card.server.md", "model_card.server.html",
    }  # fmt: skip
    assert verify(tmp_path / "cards" / "model_card.server.html", made).holds


def test_it_takes_a_second_of_cpu_and_no_tensorflow(made: Path) -> None:
    code = (
        "import sys, time; from pipeline.cli.main import main; "
        f"main(['card', '--verify', {str(beside(made) / 'model_card.md')!r}]); "
        "assert 'tensorflow' not in sys.modules; print(time.process_time())"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert float(finished.stdout.split()[-1]) < 1.5


def test_the_record_of_a_version_is_not_rewritten(folder: Path) -> None:
    before = json.dumps(dataclasses.asdict(read_record(beside(folder)) or VERSION))
    rewrite_history(beside(folder))
    assert json.dumps(dataclasses.asdict(read_record(beside(folder)) or VERSION)) == before
