"""Model cards and data card, which lie beside the page."""

from markupsafe import Markup

from core.targets import TARGETS
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.summary import path_of

FOLDER = "cards"


def cards(record: RunRecord) -> Part | None:
    """Links to the cards that there are; None without any."""
    folder = path_of(record.folder, record.summary.run_id).with_name(FOLDER)
    files = {f"Model card, {target}": f"model_card.{target}.html" for target in TARGETS}
    files["Data card"] = "data_card.html"
    there = {said: name for said, name in files.items() if (folder / name).is_file()}
    if not there:
        return None
    links = html.listing(
        Markup('<a href="{}">{}</a>').format(f"{FOLDER}/{name}", said)
        for said, name in there.items()
    )
    said = (
        "What the models are for, what they rest on and how they did, each number with its source; "
        "`python -m pipeline card --verify FILE` holds a card against its sources."
    )
    return Part("cards", "Cards", html.join([html.paragraph(said, "lead"), links]))
