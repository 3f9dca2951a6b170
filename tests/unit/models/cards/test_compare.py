"""A card that was altered is found, at whichever character."""

import re

import pytest

from core.names import CARD_FILES
from core.version_record import VersionRecord
from models.cards.compare import compare
from models.cards.document import WORDS_BEGIN, WORDS_END, Written, as_text
from models.cards.files import card_lines
from tests.support.records.card_run import WORDS, CardRun

RECORD = (17, VersionRecord("20260102T030405Z", "2026-01-02T03:04:05Z", "ab12"))


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Written]]:
    run = CardRun(tmp_path_factory.mktemp("runs") / "tiny")
    return {name: card_lines(name, run.sources(), run.told(), WORDS, RECORD) for name in CARD_FILES}


@pytest.mark.parametrize("name", CARD_FILES)
def test_the_card_itself_is_found_true(cards: dict[str, list[Written]], name: str) -> None:
    found = compare(cards[name], as_text(cards[name]))
    assert (found.problems, found.words_changed) == ([], False)


@pytest.mark.parametrize("name", CARD_FILES)
def test_every_digit_that_is_changed_is_found_on_its_line(
    cards: dict[str, list[Written]], name: str
) -> None:
    text = as_text(cards[name])
    words = range(text.find(WORDS_BEGIN), text.find(WORDS_END))
    places = [found.start() for found in re.finditer(r"\d", text)]
    assert len(places) > 900
    for place in places:
        other = str((int(text[place]) + 1) % 10)
        found = compare(cards[name], text[:place] + other + text[place + 1 :])
        if place in words:
            assert (found.problems, found.words_changed) == ([], True)
            continue
        [problem] = found.problems
        assert problem.startswith(f"line {text.count(chr(10), 0, place) + 1}: ")


def altered(cards: dict[str, list[Written]], name: str, old: str, new: str) -> list[str]:
    text = as_text(cards[name])
    assert old in text
    return list(compare(cards[name], text.replace(old, new, 1)).problems)


def test_a_claim_that_was_altered_is_named_with_both_values(
    cards: dict[str, list[Written]],
) -> None:
    [problem] = altered(cards, "model_card.md", "| accuracy | 0.7988", "| accuracy | 0.9988")
    assert re.fullmatch(
        r"line \d+: m21 variants.json#/teacher_pruned/metrics/accuracy: "
        r"the card says 0.9988, the source says 0.7988",
        problem,
    )


def test_the_same_in_html(cards: dict[str, list[Written]]) -> None:
    [problem] = altered(cards, "model_card.html", ">6,488<", ">488<")
    assert problem.endswith("/teacher/bytes: the card says 488, the source says 6,488")
    [problem] = altered(cards, "model_card.html", 'value="0.79876"', 'value="0.99876"')
    assert problem.endswith("the reference or the full value was altered")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("failed", "passed", "gates.json#/1/passed: the card says passed, the source says failed"),
        ("## Gates", "## No gates", "reads '## No gates', not '## Gates'"),
        ("- Rows of the test part: 667 ", "- Rows of the test part: 6670 ", "the card says 6670"),
        (" | rests on |\n", " | rests on |\n| auc | 0.9999 |\n", "a line that no source makes"),
        ("| rows | 1,234 | ", "| rows | 1,234 | \n", "a line that no source makes"),
        ("Blessed, so that it may be pushed: ", "Blessed: ", "so that it may be pushed"),
        ("\n", "\r\n", "line 1: "),
        ("0.7988 ", "0.7988\u200b ", "the card says"),
    ],
)
def test_every_other_change_is_found(
    cards: dict[str, list[Written]], old: str, new: str, message: str
) -> None:
    problems = altered(cards, "model_card.md", old, new)
    assert any(message in problem for problem in problems), problems


def test_a_line_that_was_taken_out_is_found(cards: dict[str, list[Written]]) -> None:
    lines = as_text(cards["model_card.md"]).splitlines(keepends=True)
    [row] = [n for n, line in enumerate(lines) if line.startswith("| server | f1 |")]
    problems = compare(cards["model_card.md"], "".join(lines[:row] + lines[row + 1 :])).problems
    assert problems == [f"line {row + 1}: a line is missing: {lines[row][:60].rstrip()}"]


def test_a_card_that_was_cut_off_is_found(cards: dict[str, list[Written]]) -> None:
    text = as_text(cards["model_card.md"])
    assert compare(cards["model_card.md"], text[:-1]).problems == [
        "the last line is cut off, or has no end"
    ]
    assert compare(cards["model_card.md"], "").problems


def test_nothing_hides_among_peoples_words(cards: dict[str, list[Written]]) -> None:
    text = as_text(cards["model_card.md"])
    for mark in (WORDS_BEGIN, WORDS_END):
        assert compare(cards["model_card.md"], text.replace(f"{mark}\n", "")).problems
    moved = text.replace(f"{WORDS_END}\n", "").replace("## Labels", f"{WORDS_END}\n## Labels")
    assert compare(cards["model_card.md"], moved).problems
