"""What stands in the cards: numbers that name their sources, texts of data as texts."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from core.names import CARD_FILES
from core.version_record import Event, VersionRecord
from models.cards.data_card import data_card
from models.cards.document import (
    WORDS_BEGIN,
    WORDS_END,
    Card,
    Claim,
    Grid,
    History,
    Line,
    Listing,
    as_text,
)
from models.cards.files import card_files, card_lines, put_cards, rewrite_history, with_history
from models.cards.markdown import escape
from models.cards.model_card import model_card
from models.cards.sources import MissingSourcesError
from tests.support.records.card_run import HARM, TURNED, WORDS, CardRun
from tests.support.servers.accessibility import grave_faults
from tests.support.servers.browser import chromium

RECORD = VersionRecord(
    "20260102T030405Z",
    "2026-01-02T03:04:05Z",
    "ab12",
    (Event("rolled back", "2026-01-03T00:00:00Z", f"{HARM}@host", TURNED, 16),),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> CardRun:
    return CardRun(tmp_path_factory.mktemp("runs") / "tiny")


@pytest.fixture(scope="module")
def files(run: CardRun) -> dict[str, str]:
    return dict(card_files(run.sources(), run.told(), WORDS, (17, RECORD)))


def cells_of(card: Card) -> Iterator[Line]:
    for section in card.sections:
        for block in section.blocks:
            if isinstance(block, History):
                continue
            if isinstance(block, Listing):
                yield from block.lines
            elif isinstance(block, Grid):
                yield from block.head
                yield (block.caption,)
                yield from (cell for row in block.rows for cell in row)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", ["model", "data"])
def test_every_number_is_a_claim_and_every_claim_is_what_its_pointer_finds(
    tmp_path: Path, classes: int, kind: str
) -> None:
    run = CardRun(tmp_path / "tiny", classes)
    sources = run.sources()
    if kind == "model":
        card = model_card(sources, run.told(), WORDS)
    else:
        card = data_card(sources, run.told())
    by_place = {(s.label, s.file): s for s in sources.found.values()}
    listed = {(row.label, row.file): row.sha256 for row in card.sources}
    claims = 0
    for part in (part for cell in cells_of(card) for part in cell):
        if isinstance(part, str):
            assert not re.search(r"\d", part.replace("95%", "").replace("SHA-256", "")), part
        elif isinstance(part, Claim):
            claims += 1
            place = part.pointer.label, part.pointer.file
            value = by_place[place].content
            for step in part.pointer.path:
                value = value[int(step)] if isinstance(value, list) else value.get(step)
            whole = [str(len(value))] if isinstance(value, dict | list) else []
            assert part.raw in [json.dumps(value, ensure_ascii=False), *whole]
            assert listed[place] == by_place[place].sha256
    assert claims > {"model": 70, "data": 40}[kind]
    assert set(listed) <= set(by_place)


def test_a_markdown_footnote_names_artifact_digest_file_and_pointer(
    run: CardRun, files: dict[str, str]
) -> None:
    lines = files["model_card.md"].splitlines()
    [row] = [line for line in lines if line.startswith("| accuracy | 0.7988 ")]
    assert "\\[0.6100, 0.9000\\]" in row
    [number] = re.findall(r"\[\^(\d+)\]", row)
    [note] = [line for line in lines if line.startswith(f"[^{number}]: ")]
    source = run.sources().found["variants"]
    place = f"\\[{source.label}@sha256:{source.sha256[:12]}\\] variants.json#"
    assert f"{place}/teacher\\_pruned/metrics/accuracy; " in note
    assert f"{place}/teacher\\_pruned/evidence/overall/intervals/accuracy" in note
    assert any(line.startswith(f"| {source.label} |") and source.sha256 in line for line in lines)


class Page(HTMLParser):
    """Elements of a page, the text in them, and the attributes of its numbers."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.links: set[str | None] = set()
        self.numbers: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links |= {value for name, value in attrs if name in ("href", "src")}
        if tag == "data":
            self.numbers.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_number_in_html_carries_its_source(run: CardRun, files: dict[str, str]) -> None:
    source = run.sources().found["variants"]
    [auc] = [
        number
        for number in Page(files["model_card.html"]).numbers
        if number["data-pointer"] == "/teacher_pruned/metrics/auc"
    ]
    assert auc["value"] == "0.79876"
    assert auc["data-artifact"] == str(source.artifact_id)
    assert (auc["data-file"], auc["data-sha256"]) == ("variants.json", source.sha256)


@pytest.mark.parametrize("name", CARD_FILES)
def test_a_text_of_data_is_text(files: dict[str, str], name: str) -> None:
    text = files[name]
    if name.endswith(".md"):
        text = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        text = re.sub(r"<!--.*?-->", "", text)
    page = Page(text)
    assert HARM in page.text
    assert "\\u202eright to left\\nnew line" in page.text
    ours = {"a", "code"} if name.endswith(".html") else set()  # in the table of sources
    assert page.tags & {"script", "em", "strong", "img", "a", "code"} <= ours
    assert page.links <= {"#sources"}
    assert page.text.count(HARM) > 3


def test_addresses_are_no_links() -> None:
    assert escape("http://a.b www.c.d me@e.f") == "http\\://a.b www\\.c.d me\\@e.f"


@pytest.mark.parametrize("name", ["# a", "- a", "12. a", "+ a", "> a", "= a", "3) a", ".a", "a.b"])
def test_a_name_at_the_start_of_a_line_begins_nothing(tmp_path: Path, name: str) -> None:
    run = CardRun(tmp_path / "tiny")
    given = run.inputs["model_run"]
    (given.folder / "training.json").write_text(json.dumps({"hyperparameters": {name: 7}}))
    run.inputs["model_run"] = type(given)(given.id, given.type_name, given.folder, {})
    text = card_files(run.sources(), run.told(), WORDS)["model_card.md"]
    [line] = [line for line in text.splitlines() if re.match(r"- .*: 7 \[\^", line)]
    html = MarkdownIt("commonmark").render(line)
    assert Page(html).tags == {"ul", "li"}
    assert f"{name}: 7" in Page(html).text


def test_what_is_not_measurable_is_said_so(files: dict[str, str]) -> None:
    [row] = [r for r in files["model_card.md"].splitlines() if r.startswith("| sex=b | 17 ")]
    assert row.count("not measurable") == 3
    assert "Nothing was measured by age." in files["model_card.md"]


def test_the_references_stand_beside_the_model(files: dict[str, str]) -> None:
    text = files["model_card.md"]
    assert "| boosted\\_trees | 0.8123 \\[0.6100, 0.9000\\] | 0.8123 " in text
    assert "| boosted\\_trees | accuracy | 0.0123 (-0.1000 to 0.2000) |" in text


def test_failed_gates_come_first(files: dict[str, str]) -> None:
    text = files["model_card.md"]
    assert text.index("| f1 | sex=") < text.index("| auc | sex=")
    [failed] = [row for row in text.splitlines() if row.startswith("| server | f1 |")]
    assert "0.8421 \\[0.6100, 0.9000\\] | \\>= 0.85 | failed: " in failed


def test_what_is_not_stated_names_its_key(files: dict[str, str]) -> None:
    assert (
        "Licence: not stated; the configuration's key for it is cards.licence"
        in files["data_card.md"]
    )


def test_peoples_words_stand_below_the_cards_headings(files: dict[str, str]) -> None:
    inside = files["model_card.md"].partition(WORDS_BEGIN)[2].partition(WORDS_END)[0]
    assert inside.strip().splitlines()[0] == "### For whom"
    inside = files["model_card.html"].partition(WORDS_BEGIN)[2].partition(WORDS_END)[0]
    assert "<h3>For whom</h3>" in inside
    assert "<li>not for others, ever</li>" in inside


def test_what_other_nodes_may_report_is_shown(tmp_path: Path) -> None:
    run = CardRun(tmp_path / "tiny")
    report = json.loads((run.inputs["variant_report"].folder / "variants.json").read_text())
    found = {"value": 0.0712, "low": 0.01, "high": 0.13, "highest": "sex=a", "lowest": "sex=b"}
    report["teacher_pruned"] |= {
        "gap_intervals": {"sex": {"tpr": found, "fpr": None}},
        "worst": {"auc": {"slice": "sex=b", "value": 0.7, "low": 0.6, "high": 0.8, "rows": 34}},
    }
    training = {"mitigation": {"method": "reweighing", "weights": {HARM: 1.25}, "tried": [1, 2]}}
    replaced = {
        "variant_report": ("variants.json", report),
        "model_run": ("training.json", training),
    }
    for key, (name, content) in replaced.items():
        given = run.inputs[key]
        (given.folder / name).write_text(json.dumps(content))
        run.inputs[key] = type(given)(given.id, given.type_name, given.folder, {})
    text = card_files(run.sources(), run.told(), WORDS)["model_card.md"]
    assert "| sex | tpr | 0.0712 (0.0100 to 0.1300) | sex=a and sex=b |" in text
    assert "| auc | sex=b | 0.7000 (0.6000 to 0.8000) | 34 |" in text
    assert "- method: reweighing" in text
    assert f"- weights: {escape(HARM)}: 1.2500" in text
    assert "- tried: \\[1, 2\\]" in text


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text("{}"), "variants.json: changed since it was made"),
        (lambda path: path.unlink(), "variants.json: gone from"),
    ],
)
def test_a_source_that_is_gone_or_changed_is_named(
    tmp_path: Path, damage: Any, message: str
) -> None:
    run = CardRun(tmp_path / "tiny")
    damage(run.inputs["variant_report"].folder / "variants.json")
    with pytest.raises(MissingSourcesError, match=message) as raised:
        run.sources()
    assert "m21 (VariantReport of VariantEvaluator)" in str(raised.value)


def test_labels_of_people_and_gold_labels_are_told_apart(tmp_path: Path) -> None:
    run = CardRun(tmp_path / "tiny")
    given = run.inputs["label_report"]
    (given.folder / "label_report.json").write_text(json.dumps({"mode": "gold", "rows": 5}))
    run.inputs["label_report"] = type(given)(given.id, given.type_name, given.folder, {})
    text = card_files(run.sources(), run.told(), WORDS)["data_card.md"]
    assert "Training rows keep their true labels; no function labels any." in text
    assert "Import a1 of the file with SHA-256 0f" in text


@pytest.mark.parametrize("name", ["model_card.md", "model_card.html"])
def test_the_history_alone_changes_after_the_push(run: CardRun, name: str) -> None:
    before, after = (
        as_text(card_lines(name, run.sources(), run.told(), WORDS, record))
        for record in (None, (17, RECORD))
    )
    assert before != after
    assert with_history(name, before, (17, RECORD)) == after
    assert with_history(name, after, None) == before
    assert "rolled back" in after
    assert "\\u202eright to left" in after


def test_cards_beside_a_version_are_brought_up_to_its_record(run: CardRun, tmp_path: Path) -> None:
    from core.version_record import write_record

    made, version = tmp_path / "made", tmp_path / "17"
    made.mkdir()
    version.mkdir()
    for name, text in card_files(run.sources(), run.told(), WORDS).items():
        (made / name).write_text(text, encoding="utf-8")
    write_record(version, VersionRecord("run", "2026-01-02T03:04:05Z", "ab12"))
    put_cards(made, version, 17)
    assert "It was never rolled back." in (version / "model_card.md").read_text()
    write_record(version, RECORD)
    rewrite_history(version)
    assert "rolled back" in (version / "model_card.html").read_text()
    (version / "model_card.md").write_bytes(b"\xff")
    rewrite_history(version)
    assert (version / "model_card.md").read_bytes() == b"\xff"


def test_in_a_browser_it_stands_alone_and_can_be_read_by_everyone(
    files: dict[str, str], tmp_path: Path
) -> None:
    with chromium(tmp_path / "chromium") as browser:
        for name in ("model_card.html", "data_card.html"):
            path = tmp_path / name
            path.write_text(files[name], encoding="utf-8")
            browser.requests.clear()
            for scheme in ("light", "dark"):
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                browser.call("Emulation.setEmulatedMedia", media="screen", features=features)
                browser.open(path.as_uri())
                assert grave_faults(browser) == []
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                width=390, height=900, deviceScaleFactor=1, mobile=True,
            )  # fmt: skip
            assert browser.evaluate("document.documentElement.scrollWidth") <= 390
            assert {*browser.requests} == {path.as_uri()}
            assert browser.evaluate("document.body.innerText").count("alert(1)") > 3
            assert browser.evaluate("document.scripts.length") == 0
        assert browser.problems == []
