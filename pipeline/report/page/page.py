"""The page of a run: one file that needs nothing beside it and asks no network."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.files import write_atomically
from pipeline.report import summary
from pipeline.report.findings import finite
from pipeline.report.page import html
from pipeline.report.page.contents import COMPARED, PARTS
from pipeline.report.page.head import Head, head_against, head_of
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.runtime import runtime
from pipeline.report.templates import templates_in

TEMPLATES = Path(__file__).parent / "templates"
# Control characters, lone surrogates and what turns the direction of writing: written out.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_LINK = re.compile(r'<a href="#([^"]*)">(.*?)</a>', re.DOTALL)
_ID = re.compile(r'\bid="([^"]*)"')


def render(record: RunRecord) -> str:
    """The report of a run."""
    parts = [part for make in PARTS if (part := _made(make, record)) is not None]
    return assemble(head_of(record), parts, record.folder / "reports")


def write(record: RunRecord) -> Path:
    """Writes the report beside the run's summary; its path."""
    path = summary.page_of(record.folder, record.summary.run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render(record))
    return path


def render_against(record: RunRecord, other: RunRecord) -> str:
    """Two runs side by side."""
    parts = [part for make in COMPARED if (part := _made(make, record, other)) is not None]
    return assemble(head_against(record, other), parts, record.folder / "reports")


def write_against(record: RunRecord, other: RunRecord) -> Path:
    """Writes two runs side by side into the reports of the first; the path."""
    name = f"against-{other.summary.run_id}.html"
    path = summary.page_of(record.folder, record.summary.run_id).with_name(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, render_against(record, other))
    return path


def _made(make: Callable[..., Part | None], *records: RunRecord) -> Part | None:
    """A part; where reports are damaged or of other code, what is wrong with it instead."""
    try:
        return make(*records)
    except Exception as error:  # whatever it is, the other parts are worth a page
        said = f"This part could not be made: {type(error).__name__}: {error}"
        name = make.__name__
        return Part(name, name.capitalize(), html.paragraph(said))


def assemble(head: Head, parts: Sequence[Part], kept: Path) -> str:
    """A page of parts.

    Args:
      head: What stands above them.
      parts: In the order of the page.
      kept: Where the JavaScript that draws charts is kept.
    """
    environment = templates_in(TEMPLATES)
    charts = {key: spec for part in parts for key, spec in part.charts.items()}
    data = {part.id: part.data for part in parts if part.data}
    page = environment.get_template("page.html.j2").render(
        **vars(head),
        parts=parts,
        charts=_json(charts),
        data=_json(data),
        style=_file("page.css"),
        script=_file("page.js"),
        runtime=Markup("@runtime@") if charts else "",
    )
    page = _without_dead_links(_STEERING.sub(_written_out, page))
    return page.replace("@runtime@", runtime(kept), 1) if charts else page


def _file(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _json(values: Mapping[str, Any]) -> Markup:
    """JSON that may stand in an element of a page, whatever its texts are; null for no number."""
    text = json.dumps(finite(values), allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _written_out(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _without_dead_links(page: str) -> str:
    """A link to a part that this run has not becomes its text."""
    known = set(_ID.findall(page))
    return _LINK.sub(lambda link: link[0] if link[1] in known else link[2], page)
