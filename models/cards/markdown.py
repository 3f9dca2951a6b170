"""A card in Markdown: a footnote below each line or row says what its numbers rest on."""

import re
from collections.abc import Iterable, Sequence

from models.cards.document import (
    HISTORY_BEGIN,
    HISTORY_END,
    WORDS_BEGIN,
    WORDS_END,
    Block,
    Called,
    Card,
    Claim,
    Grid,
    History,
    Line,
    Listing,
    PeoplesWords,
    Pointer,
    SourceRow,
    Written,
    mark_of,
)
from models.cards.forms import shown

SHORT = 12
"""Characters of a digest in a footnote; the table of sources has all."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~&$@])")
_ADDRESS = re.compile(r"(?i)(https?|ftp|mailto)(:)|(www)(\.)")
_BELOW = 3  # level of a heading below one of the card's
_BEGINS_BLOCK = re.compile(r"^(\d*)([#+\-=.)])")  # a heading, a list, at the start of a line
_HEADING = re.compile(r"^(#{1,6})(?=\s)")


def escape(text: str) -> str:
    """A text as it reads, on one line: nothing in it is markup, a link or HTML."""
    marked = _SPECIAL.sub(r"\\\1", shown(text))
    return _ADDRESS.sub(r"\1\3\\\2\4", marked)


class _Page:
    """Lines as they are written, and footnotes for the end."""

    def __init__(self, sources: Sequence[SourceRow]) -> None:
        self.lines: list[Written] = []
        self.notes: list[str] = []
        self._digests = {(s.label, s.file): s.sha256 for s in sources}

    def add(self, text: str = "", region: str = "") -> None:
        self.lines.append(Written(text, region=region))

    def write(
        self, before: str, cells: Sequence[Line], after: str, region: str = "", noted: bool = True
    ) -> None:
        """Cells with ` | ` between them, and a footnote for the claims in them."""
        text, claims = before, []
        for place, cell in enumerate(cells):
            text += " | " if place else ""
            for part in cell:
                start = len(text)
                if isinstance(part, str):
                    text += part
                elif text == before and isinstance(part, Called):
                    text += _BEGINS_BLOCK.sub(r"\1\\\2", escape(part.text))
                else:
                    text += escape(part.text)
                if isinstance(part, Claim):
                    claims.append((start, len(text), part))
        if noted:
            note = self._note(claim for _, _, claim in claims)
            after = after.replace("{note}", note)
        self.lines.append(Written(text + after, tuple(claims), region))

    def _note(self, claims: Iterable[Claim]) -> str:
        by_place: dict[tuple[str, str, tuple[str | int, ...]], list[str]] = {}
        for claim in claims:
            pointer = claim.pointer
            last = escape(str(pointer.path[-1])) if pointer.path else ""
            names = by_place.setdefault((pointer.label, pointer.file, pointer.path[:-1]), [])
            names.append(last)
        if not by_place:
            return ""
        told = []
        for (label, file, path), names in by_place.items():
            digest = self._digests[label, file][:SHORT]
            above = escape(Pointer(label, file, path).text)
            told.append(f"\\[{label}@sha256:{digest}\\] {escape(file)}#{above}/{', '.join(names)}")
        self.notes.append("; ".join(told))
        return f"[^{len(self.notes)}]"


def to_markdown(card: Card) -> list[Written]:
    """The lines of a card's Markdown file."""
    page = _Page(card.sources)
    page.add(mark_of(card))
    page.write("# ", [card.title], "", noted=False)
    page.add()
    page.add(
        "A number is followed by a footnote: artifact in ML Metadata, beginning of the file's "
        "SHA-256, file, and where in it the number stands."
    )
    for section in card.sections:
        page.add()
        page.add(f"## {section.title}")
        for block in section.blocks:
            page.add()
            _write(page, block)
    page.add()
    page.add("## Sources")
    page.add()
    page.add("| source | artifact | made by | file | SHA-256 |")
    page.add("|---|---|---|---|---|")
    for row in card.sources:
        what = f"{row.artifact_id} {escape(row.type_name)}" if row.artifact_id else "parameters"
        cells = (row.label, what, escape(row.node), escape(row.file), row.sha256)
        page.add(f"| {' | '.join(cells)} |")
    page.add()
    for number, note in enumerate(page.notes, start=1):
        page.add(f"[^{number}]: {note}")
    return page.lines


def _write(page: _Page, block: Block, region: str = "") -> None:
    if isinstance(block, PeoplesWords):
        page.add(WORDS_BEGIN)
        for line in words(block.text):
            page.add(line, "words")
        page.add(WORDS_END)
    elif isinstance(block, History):
        page.add(HISTORY_BEGIN)
        page.lines += history_lines(block)
        page.add(HISTORY_END)
    elif isinstance(block, Listing):
        for item in block.lines:
            page.write("- ", [item], " {note}" if _has_claims([item]) else "", region)
    else:
        _write_grid(page, block, region)


def _write_grid(page: _Page, grid: Grid, region: str, noted: bool = True) -> None:
    if grid.caption:
        page.add(grid.caption, region)
        page.add("", region)
    noted = noted and any(_has_claims(row) for row in grid.rows)
    last = " | rests on |" if noted else " |"
    page.write("| ", grid.head, last, region, noted=False)
    page.add("|---" * (len(grid.head) + noted) + "|", region)
    for row in grid.rows:
        page.write("| ", row, " | {note} |" if noted else " |", region, noted=noted)


def history_lines(history: History) -> list[Written]:
    """The lines between the marks of the history."""
    page = _Page(())
    for line in history.before.lines:
        page.write("- ", [line], "", "history", noted=False)
    if isinstance(history.block, Grid):
        page.add("", "history")
        _write_grid(page, history.block, "history", noted=False)
    else:
        for line in history.block.lines:
            page.write("- ", [line], "", "history", noted=False)
    return page.lines


def words(text: str) -> list[str]:
    """What people wrote, without HTML and footnotes; their headings are below those of the card."""
    lines = [line.rstrip() for line in text.replace("<", "&lt;").splitlines()]
    levels = [len(head[1]) for line in lines if (head := _HEADING.match(line))]
    deeper = _BELOW - min(levels, default=_BELOW)
    found = [_HEADING.sub(lambda m: "#" * min(6, len(m[1]) + deeper), line) for line in lines]
    return [line for line in found if not line.startswith("[^")]


def _has_claims(cells: Iterable[Line]) -> bool:
    return any(isinstance(part, Claim) for cell in cells for part in cell)
