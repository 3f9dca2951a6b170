"""The cards of a real run: beside what was pushed, beside its summary, and true."""

import shutil
from pathlib import Path

import pytest

from core.names import CARD_FILES
from core.targets import TARGETS
from core.version_record import read_record, version_folders
from pipeline.cards.verify import verify
from pipeline.cli.main import main
from tests.support.e2e.runs import Ran, RolledBack, summary


def pushed(root: Path, target: str) -> Path:
    """Folder of the live version of the smoke pipeline."""
    versions = version_folders(TARGETS[target].served(root / "smoke", "smoke"))
    return versions[max(versions)]


@pytest.mark.parametrize("target", list(TARGETS))
def test_cards_lie_beside_what_was_pushed_and_hold(kept: Path, target: str) -> None:
    version = pushed(kept, target)
    record = read_record(version)
    assert record is not None
    for name in CARD_FILES:
        verdict = verify(version / name, kept / "smoke")
        assert verdict.holds, verdict
        assert verdict.claims > (700 if name.startswith("model") else 300)
    text = (version / "model_card.md").read_text(encoding="utf-8")
    assert all(said in text for said in (version.name, record.run_id, record.model_sha256))


def test_they_lie_beside_the_summary_and_cost_less_than_a_second(kept: Path, cold: str) -> None:
    folder = kept / "smoke" / "reports" / cold / "cards"
    models = {f"model_card.{target}.{e}" for target in TARGETS for e in ("md", "html")}
    assert {path.name for path in folder.iterdir()} == {"data_card.md", "data_card.html", *models}
    nodes = summary(kept, cold)["nodes"]
    assert all(nodes[f"ModelCard.{target}"]["cpu_seconds"] < 1 for target in TARGETS)


def test_numbers_are_those_of_the_summary(kept: Path, cold: str) -> None:
    written = summary(kept, cold)
    for target, variant in written["targets"].items():
        text = (pushed(kept, target) / "model_card.md").read_text(encoding="utf-8")
        model = written["models"][variant]
        low, high = model["evidence"]["overall"]["intervals"]["auc"]
        assert f"| auc | {model['metrics']['auc']:.4f} \\[{low:.4f}, {high:.4f}\\] |" in text
        assert f" | {model['bytes']:,} | {model['gzip_bytes']:,} | " in text
        assert all(digest in text for digest in written["data"]["files"].values())


def test_the_verb_finds_a_digit_that_was_changed(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--config", "smoke", "--root", str(kept)]
    copy = tmp_path / "card.md"
    assert main(["card", "edge", *flags]) == 0
    copy.write_text(capsys.readouterr().out, encoding="utf-8")
    assert copy.read_bytes() == (pushed(kept, "edge") / "model_card.md").read_bytes()
    assert main(["card", "--verify", str(copy), *flags]) == 0
    text = copy.read_text(encoding="utf-8")
    place = text.index("| auc | 0.") + len("| auc | 0.")
    changed = "1" if text[place] != "1" else "2"
    copy.write_text(text[:place] + changed + text[place + 1 :], encoding="utf-8")
    capsys.readouterr()
    assert main(["card", "--verify", str(copy), *flags]) == 1
    assert "/student_int8/metrics/auc: the card says 0." in capsys.readouterr().out


def test_a_rolled_back_version_has_its_history_in_the_card(
    root: Path, changed: Ran, rolled_back: RolledBack
) -> None:
    version = root / "smoke" / "edge" / "smoke" / changed.served["edge"][-1]
    text = (version / "model_card.md").read_text(encoding="utf-8")
    assert text.index("| rolled back | ") < text.index("| restored | ")
    assert " | drains the battery | " in text
    assert verify(version / "model_card.html", root / "smoke").holds


def test_a_folder_that_was_moved_keeps_true_cards(kept: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "smoke"
    ignored = shutil.ignore_patterns("staged", "requests", "*.gz", "variables")
    shutil.copytree(kept / "smoke", moved, ignore=ignored)
    assert verify(pushed(moved.parent, "server") / "model_card.html", moved).holds
    report = next(moved.glob("artifacts/VariantEvaluator/variant_report/*/variants.json"))
    report.write_text(report.read_text() + " ")
    [missing] = verify(pushed(moved.parent, "server") / "model_card.html", moved).missing
    assert "variants.json: changed since it was made" in missing
