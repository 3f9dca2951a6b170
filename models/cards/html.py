"""A card in HTML: one file that needs nothing else, each number with what it rests on.

A number is a `data` element: `value` is the number in full, `data-artifact`, `data-file`,
`data-pointer` and `data-sha256` say where it stands.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from markupsafe import escape as escaped

from models.cards import markdown
from models.cards.document import (
    HISTORY_BEGIN,
    HISTORY_END,
    WORDS_BEGIN,
    WORDS_END,
    Block,
    Card,
    Claim,
    Grid,
    History,
    Line,
    Listing,
    PeoplesWords,
    SourceRow,
    Written,
    mark_of,
)
from models.cards.forms import shown

_BODY = "\0body\0"
Digests = dict[tuple[str, str], SourceRow]


def to_html(card: Card) -> list[Written]:
    """The lines of a card's HTML file."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    title = "".join(part if isinstance(part, str) else shown(part.text) for part in card.title)
    frame = environment.get_template("card.html.j2").render(
        mark=Markup(mark_of(card)), title=title, body=_BODY
    )
    before, _, after = frame.partition(f"{_BODY}\n")
    lines = [Written(line) for line in before.splitlines()]
    lines += _body(card, title)
    return lines + [Written(line) for line in after.splitlines()]


def _body(card: Card, title: str) -> list[Written]:
    sources = {(s.label, s.file): s for s in card.sources}
    lines = [Written(f"<h1>{escaped(title)}</h1>")]
    lines.append(
        Written(
            "<p>Each number says what it rests on (point at it): an artifact in ML Metadata, a "
            'file in it and its SHA-256, listed under <a href="#sources">Sources</a>.</p>'
        )
    )
    for section in card.sections:
        lines.append(Written(f'<section id="{section.id}"><h2>{escaped(section.title)}</h2>'))
        for block in section.blocks:
            lines += _block(block, sources)
        lines.append(Written("</section>"))
    lines.append(Written('<section id="sources"><h2>Sources</h2>'))
    lines += _sources(card.sources)
    lines.append(Written("</section>"))
    return lines


def _block(block: Block, sources: Digests) -> list[Written]:
    if isinstance(block, PeoplesWords):
        inner = [Written(line, region="words") for line in _words(block.text)]
        return [Written(WORDS_BEGIN), *inner, Written(WORDS_END)]
    if isinstance(block, History):
        return [Written(HISTORY_BEGIN), *history_lines(block), Written(HISTORY_END)]
    if isinstance(block, Listing):
        return _listing(block, sources)
    return _grid(block, sources)


def history_lines(history: History) -> list[Written]:
    """The lines between the marks of the history."""
    block = history.block
    found = _grid(block, {}) if isinstance(block, Grid) else _listing(block, {})
    found = [*_listing(history.before, {}), *found]
    return [Written(line.text, line.claims, "history") for line in found]


def _listing(listing: Listing, sources: Digests) -> list[Written]:
    if not listing.lines:
        return []
    items = [_joined([line], ("<li>", "</li>"), sources) for line in listing.lines]
    return [Written("<ul>"), *items, Written("</ul>")]


def _grid(grid: Grid, sources: Digests) -> list[Written]:
    label = escaped(grid.caption or "table")
    lines = [Written(f'<div class="grid" tabindex="0" role="region" aria-label="{label}"><table>')]
    if grid.caption:
        lines.append(Written(f"<caption>{escaped(grid.caption)}</caption>"))
    head = _joined(grid.head, ('<th scope="col">', "</th>"), sources)
    lines.append(Written(f"<thead><tr>{head.text}</tr></thead><tbody>"))
    for row in grid.rows:
        first = _joined(row[:1], ('<tr><th scope="row">', "</th>"), sources)
        rest = _joined(row[1:], ("<td>", "</td>"), sources)
        shift = len(first.text)
        moved = [(start + shift, end + shift, claim) for start, end, claim in rest.claims]
        lines.append(Written(f"{first.text}{rest.text}</tr>", (*first.claims, *moved)))
    lines.append(Written("</tbody></table></div>"))
    return lines


def _joined(cells: Sequence[Line], around: tuple[str, str], sources: Digests) -> Written:
    text, claims = "", []
    for cell in cells:
        text += around[0]
        for part in cell:
            start = len(text)
            if isinstance(part, Claim):
                text += _claim(part, sources)
                claims.append((start, len(text), part))
            else:
                text += str(escaped(part if isinstance(part, str) else shown(part.text)))
        text += around[1]
    return Written(text, tuple(claims))


def _claim(claim: Claim, sources: Digests) -> str:
    pointer = claim.pointer
    source = sources.get((pointer.label, pointer.file))
    where = shown(pointer.text)
    told = {"value": shown(claim.raw), "title": f"{pointer.label} {pointer.file}#{where}"}
    if source is not None and source.artifact_id:
        told["data-artifact"] = str(source.artifact_id)
    told |= {"data-file": pointer.file, "data-pointer": where}
    if source is not None:
        told["data-sha256"] = source.sha256
    written = " ".join(f'{name}="{escaped(value)}"' for name, value in told.items())
    return f"<data {written}>{escaped(shown(claim.text))}</data>"


def _sources(rows: Iterable[SourceRow]) -> list[Written]:
    head = ("source", "artifact", "made by", "file", "SHA-256")
    lines = [Written('<div class="grid" tabindex="0" role="region" aria-label="sources"><table>')]
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    lines.append(Written(f"<thead><tr>{cells}</tr></thead><tbody>"))
    for row in rows:
        what = f"{row.artifact_id} {row.type_name}" if row.artifact_id else "parameters"
        rest = "".join(f"<td>{escaped(cell)}</td>" for cell in (what, row.node, row.file))
        digest = f"<td><code>{row.sha256}</code></td>"
        lines.append(Written(f'<tr><th scope="row">{escaped(row.label)}</th>{rest}{digest}</tr>'))
    lines.append(Written("</tbody></table></div>"))
    return lines


def _words(text: str) -> list[str]:
    """What people wrote: headings, lists and paragraphs; everything else of Markdown as text."""
    found, opened = ['<div class="words">'], ""
    for line in [*markdown.words(text), ""]:
        if opened == "ul" and line[:1].isspace() and line.strip():  # an item's next line
            found[-1] = f"{found[-1].removesuffix('</li>')} {_text(line.strip())}</li>"
            continue
        level = len(line) - len(line.lstrip("#"))
        item = line.startswith(("- ", "* "))
        wanted = "ul" if item else "p" if line.strip() and not level else ""
        if opened and opened != wanted:
            found.append(f"</{opened}>")
        if wanted and opened != wanted:
            found.append(f"<{wanted}>")
        opened = wanted
        if item:
            found.append(f"<li>{_text(line[2:])}</li>")
        elif wanted:
            found.append(_text(line))
        elif level:
            found.append(f"<h{min(level, 6)}>{_text(line.lstrip('#').strip())}</h{min(level, 6)}>")
    return [*found, "</div>"]


def _text(text: str) -> str:
    return str(escaped(shown(text.replace("&lt;", "<"))))
