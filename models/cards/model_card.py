"""The model card of a target: what its model is for, what it rests on, how good and fair it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.version_record import VersionRecord
from models.cards.document import (
    Block,
    Called,
    Card,
    CardSection,
    Claim,
    Grid,
    Line,
    Listing,
    PeoplesWords,
)
from models.cards.facts import (
    ROOT,
    answer_lines,
    called_as,
    classes_of,
    function_grid,
    label_lines,
    with_interval,
)
from models.cards.forms import count, microseconds
from models.cards.gate_facts import check_lines, gate_blocks
from models.cards.history import history_of
from models.cards.quality_facts import (
    class_grid,
    gap_blocks,
    quality_grid,
    reference_blocks,
    slice_blocks,
)
from models.cards.sources import Sources, listed
from models.cards.told import CardSettings

_LEAVES = 60  # values of a report of which cards know no more than that it is there
_WHAT = {
    "server": "a SavedModel that takes raw records and is served by TensorFlow Serving",
    "edge": "a TensorFlow Lite file for a device, with all that it needs beside it",
}


def model_card(
    sources: Sources,
    told: CardSettings,
    words: str,
    record: tuple[int, VersionRecord] | None = None,
) -> Card:
    """The card.

    Args:
      sources: What it rests on.
      told: What the node was told.
      words: What people wrote of use and limits, in Markdown.
      record: Number and record of the version that the model was pushed as, once it is.
    """
    sections = [
        CardSection("use", "Use and limits", [PeoplesWords(words)]),
        CardSection("model", "The model", _model(sources, told)),
        CardSection("data", "Data", _data(sources)),
        CardSection("labels", "Labels", _labels(sources)),
        CardSection("quality", "Quality on the test part", _quality(sources, told)),
        CardSection("slices", "By group", slice_blocks(sources, told)),
        CardSection("gaps", "Gaps between groups", gap_blocks(sources, told)),
        CardSection("mitigation", "Mitigation of gaps", _mitigation(sources)),
        CardSection("variants", "Compression and its cost", _variants(sources, told)),
        CardSection("gates", "Gates", [*gate_blocks(sources), *check_lines(sources)]),
        CardSection("history", "History of the version", [history_of(record)]),
    ]
    title: Line = ("Model card: ", sources.target, " model of ", Called(told.name))
    return whole("model_card", sources, told, title, sections)


def whole(
    kind: str, sources: Sources, told: CardSettings, title: Line, sections: list[CardSection]
) -> Card:
    """A card with its sources, those alone that a claim in it rests on."""
    used = {pointer for section in sections for pointer in _pointers(section)}
    rows = [source for source in listed(sources) if (source.label, source.file) in used]
    node = f"ModelCard.{sources.target}"
    return Card(kind, node, sources.execution, told.name, title, sections, rows)


def _pointers(section: CardSection) -> Iterator[tuple[str, str]]:
    for block in section.blocks:
        if isinstance(block, Listing):
            cells = list(block.lines)
        elif isinstance(block, Grid):
            cells = [cell for row in block.rows for cell in row]
        else:
            cells = []
        for cell in cells:
            for part in cell:
                if isinstance(part, Claim):
                    yield part.pointer.label, part.pointer.file


def _model(sources: Sources, told: CardSettings) -> list[Block]:
    say = sources.claim
    lines: list[Line] = [
        ("It is ", _WHAT.get(sources.target, "a model"), ": ", say("choice", "variant"), "."),
        ("Why this one: ", say("choice", "reason")),
        classes_of(told.columns),
    ]
    if "blessing" in sources:
        lines.append(("Blessed, so that it may be pushed: ", say("blessing", form=_yes)))
    if "evaluation" in sources:
        files = say("evaluation", form=count)
        lines.append(("Measured by TensorFlow Model Analysis, too; files of its answer: ", files))
    for name in sources.keys("model", *ROOT):
        lines.append(("File ", Called(name), ", SHA-256 ", say("model", name)))
    start = sources.get("training", "start")
    if isinstance(start, Mapping):
        lines.append(
            ("Training started ", say("training", "start", "start"), ": ",
             say("training", "start", "reason"))
        )  # fmt: skip
    for name in sources.keys("training", "hyperparameters"):
        lines.append((Called(name), ": ", say("training", "hyperparameters", name)))
    kept = sources.get("features", "kept")
    if isinstance(kept, list):
        lines.append(("It reads these columns: ", *called_as(map(str, kept))))
    return [Listing(lines)]


def _yes(value: Any) -> str:
    return "yes" if value else "no"


def _data(sources: Sources) -> list[Block]:
    say = sources.claim
    lines: list[Line] = []
    for name, part in (("train", "training"), ("eval", "evaluation"), ("test", "test")):
        if f"statistics.{name}" in sources:
            lines.append((f"Rows of the {part} part: ", say(f"statistics.{name}", "rows")))
    for place in sources.places("files"):
        lines.append(("Raw file ", say("files", place, 0), ", SHA-256 ", say("files", place, 1)))
    lines.append(("More is in the data card beside this one.",))
    return [Listing(lines)]


def _labels(sources: Sources) -> list[Block]:
    grid = function_grid(sources)
    return [label_lines(sources), *([grid] if grid else []), answer_lines(sources)]


def _quality(sources: Sources, told: CardSettings) -> list[Block]:
    grid = quality_grid(sources, sources.variant)
    by_class = class_grid(sources, told)
    return [grid, *([by_class] if by_class else []), *reference_blocks(sources, sources.variant)]


def _mitigation(sources: Sources) -> list[Block]:
    found = sources.get("training", "mitigation")
    if not isinstance(found, Mapping) or not found:
        return [Listing([("The training report speaks of none.",)])]
    lines = []
    for path, _ in zip(_leaves(found), range(_LEAVES), strict=False):
        name = ": ".join(map(str, path))
        lines.append((Called(name), ": ", sources.claim("training", "mitigation", *path)))
    return [Listing(lines)]


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(each, (*path, key))
    elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        for place, each in enumerate(value):
            yield from _leaves(each, (*path, place))
    else:
        yield path


def _variants(sources: Sources, told: CardSettings) -> list[Block]:
    say, rows = sources.claim, []
    head: list[Line] = [("variant",), ("accuracy",), ("bytes",), ("compressed",)]
    head += [("microseconds a row",), ("share of zeros",), ("largest difference",)]
    for name in sources.keys("variants"):
        marked = ", this model" if name == sources.variant else ""
        at = ("quantization", name, "difference")
        has = sources.get(*at) is not None
        rows.append(
            (
                (Called(name), marked),
                with_interval(
                    sources, "variants", (name, "metrics", "accuracy"),
                    (name, "evidence", "overall", "intervals", "accuracy"),
                ),
                (say("variants", name, "bytes"),),
                (say("variants", name, "gzip_bytes"),),
                (say("variants", name, "latency_us", "batch_1", form=microseconds),),
                (say("variants", name, "sparsity"),),
                (say(*at),) if has else ("",),
            )
        )  # fmt: skip
    return [Grid("All variants on the test part", head, rows), *_against_teacher(sources, told)]


def _against_teacher(sources: Sources, told: CardSettings) -> list[Block]:
    say, rows = sources.claim, []
    for place in sources.places("variants", sources.variant, "against_teacher"):
        at = (sources.variant, "against_teacher", place)
        if sources.get("variants", *at, "slice") != "overall":
            continue
        rows.append(
            (
                (say("variants", *at, "metric"),),
                (say("variants", *at, "value"),),
                (say("variants", *at, "low"), " to ", say("variants", *at, "high")),
            )
        )
    head: list[Line] = [("metric",), ("this model minus the teacher",), ("interval",)]
    return [Grid("Against the teacher, on the same rows", head, rows)] if rows else []
