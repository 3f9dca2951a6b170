"""What the gates of a target found, failed ones first."""

from collections.abc import Sequence

from models.cards.document import Block, Grid, Line, Listing
from models.cards.forms import interval
from models.cards.sources import Sources

_GATES = ("label_gates", "fairness", "push")
_CHECKS = (
    ("sample_rows", "Rows that a fresh process answered: "),
    ("latency_ms", "Median milliseconds of a single request there: "),
    ("live_version", "Version that was live then: "),
    ("compared_on", "Compared with it on: "),
    ("problem", "What went wrong: "),
    ("left_out", "Left out of the comparison: "),
)


def gate_blocks(sources: Sources) -> list[Block]:
    """One row for each bound on labels and model."""
    rows: list[tuple[bool, Sequence[Line]]] = []
    for name in _GATES:
        for place in sources.places(name):
            passed = bool(sources.get(name, place, "passed"))
            rows.append((passed, _row(sources, name, place)))
    if not rows:
        return [Listing([("Nothing was bounded.",)])]
    head: list[Line] = [("of",), ("metric",), ("slice",), ("value",), ("bound",), ("verdict",)]
    ordered = sorted(rows, key=lambda row: row[0])
    return [Grid("", [*head, ("key",)], [row for _, row in ordered])]


def _row(sources: Sources, name: str, place: int) -> Sequence[Line]:
    def say(key: str) -> Line:
        return (sources.claim(name, place, key),)

    def has(key: str) -> bool:
        return sources.get(name, place, key) is not None

    value = say("value")
    if has("interval"):
        value = (*value, " ", sources.claim(name, place, "interval", form=interval))
    if has("rows"):
        value = (*value, " on ", *say("rows"), " rows")
    undecided = bool(sources.get(name, place, "undecided"))
    verdict: Line = (
        sources.claim(name, place, "passed", form=lambda v: "passed" if v else "failed"),
    )
    if undecided:
        verdict = (*verdict, ", undecided")
    if has("why"):
        verdict = (*verdict, ": ", *say("why"))
    return say("target"), say("metric"), say("slice"), value, say("bound"), verdict, say("key")


def check_lines(sources: Sources) -> list[Block]:
    """What a fresh process answered before the push."""
    lines: list[Line] = [
        (text, sources.claim("checks", key))
        for key, text in _CHECKS
        if sources.get("checks", key) is not None
    ]
    return [Listing(lines)] if lines else []
