"""The data card of a window: where its data comes from, what is in it, how its labels came."""

from collections.abc import Sequence

from core.names import SPLITS
from core.sections.columns import ColumnsSection
from models.cards.document import Block, Called, Card, CardSection, Grid, Line, Listing
from models.cards.facts import answer_lines, called_as, classes_of, function_grid, label_lines
from models.cards.forms import count
from models.cards.model_card import whole
from models.cards.sources import Sources
from models.cards.told import CardSettings

_PARTS = {"train": "training", "eval": "evaluation", "test": "test"}
_NOT_SAID = "not stated; the configuration's key for it is "


def data_card(sources: Sources, told: CardSettings) -> Card:
    """The card; arguments as for `model_card`."""
    grid = function_grid(sources)
    sections = [
        CardSection("origin", "Where the data comes from", [_origin(sources, told)]),
        CardSection("window", "The window", _window(sources)),
        CardSection("columns", "Columns", _columns(sources, told)),
        CardSection("people", "Sensitive columns and groups", _groups(sources, told)),
        CardSection(
            "labels",
            "How labels came",
            [
                Listing([classes_of(told.columns)]),
                *_classes(sources, told.columns),
                label_lines(sources),
                *([grid] if grid else []),
                answer_lines(sources),
            ],
        ),
    ]
    title: Line = ("Data card: window of ", Called(told.name))
    return whole("data_card", sources, told, title, sections)


def _origin(sources: Sources, told: CardSettings) -> Listing:
    lines: list[Line] = []
    for key, text in (("source", "Source: "), ("licence", "Licence: ")):
        if getattr(told.cards, key) is None:
            lines.append((text, _NOT_SAID, Called(f"cards.{key}")))
        else:
            lines.append((text, sources.claim("told", "cards", key)))
    return Listing(lines)


def _window(sources: Sources) -> list[Block]:
    say = sources.claim
    rows: list[Sequence[Line]] = [
        ((_PARTS[split],), (say(f"statistics.{split}", "rows"),))
        for split in SPLITS
        if f"statistics.{split}" in sources
    ]
    files: list[Sequence[Line]] = [
        ((say("files", place, 0),), (say("files", place, 1),)) for place in sources.places("files")
    ]
    blocks: list[Block] = [Grid("Rows by part", [("part",), ("rows",)], rows)]
    if files:
        blocks.append(Grid("Raw files, by span", [("file",), ("SHA-256",)], files))
    return blocks


def _columns(sources: Sources, told: CardSettings) -> list[Block]:
    names = sources.keys("contract", "columns")
    head: list[Line] = [("column",), ("kind",), ("type",), ("allowed values",)]
    head += [("smallest share present",), ("missing in training",), ("missing in test",)]
    head += [("different values",), ("read by the models",)]
    rows = [_column(sources, told, name) for name in names]
    if not rows:
        return [Listing([("The contract has no columns.",)])]
    return [Grid("Columns of the contract", head, rows)]


def _column(sources: Sources, told: CardSettings, name: str) -> Sequence[Line]:
    at = ("columns", name)
    kind = kind_of(told.columns, name)
    if name in told.cards.sensitive:
        kind += ", sensitive"
    presence = sources.get("contract", *at, "presence")
    return (
        (Called(name),),
        (kind,),
        (sources.claim("contract", *at, "type"),),
        _allowed(sources, at),
        (sources.claim("contract", *at, "presence"),) if presence is not None else ("",),
        _counted(sources, "train", name, "missing"),
        _counted(sources, "test", name, "missing"),
        _counted(sources, "train", name, "different"),
        _read_by_models(sources, name),
    )


def kind_of(columns: ColumnsSection, name: str) -> str:
    """What a column is, in a word."""
    if name == columns.label:
        return "label"
    kinds = {
        "number": columns.numeric,
        "category": columns.categorical,
        "text": columns.text,
        "date": tuple(columns.dates),
        "group": tuple(columns.groups),
    }
    return next((kind for kind, names in kinds.items() if name in names), "described only")


def _allowed(sources: Sources, at: tuple[str, str]) -> Line:
    say = sources.claim
    if sources.get("contract", *at, "values") is not None:
        return (say("contract", *at, "values", form=count), " values")
    low, high = (sources.get("contract", *at, end) for end in ("low", "high"))
    if low is None and high is None:
        return ("any",)
    if low is None:
        return ("at most ", say("contract", *at, "high"))
    if high is None:
        return ("at least ", say("contract", *at, "low"))
    return (say("contract", *at, "low"), " to ", say("contract", *at, "high"))


def _counted(sources: Sources, split: str, column: str, key: str) -> Line:
    at = (f"statistics.{split}", "columns", column, key)
    return (sources.claim(*at),) if sources.get(*at) is not None else ("",)


def _read_by_models(sources: Sources, name: str) -> Line:
    for key in ("kept", "dropped"):
        for place in sources.places("features", key):
            if key == "kept" and sources.get("features", key, place) == name:
                return ("yes",)
            if sources.get("features", key, place, "column") == name:
                return ("no: ", sources.claim("features", key, place, "reason"))
    return ("no",)


def _groups(sources: Sources, told: CardSettings) -> list[Block]:
    lines: list[Line] = []
    if told.cards.sensitive:
        lines.append(("Declared sensitive: ", *called_as(told.cards.sensitive)))
    else:
        lines.append(
            ("No column is declared sensitive; the key for it is ", Called("cards.sensitive"))
        )
    sliced = {column for columns in told.evaluation.slices for column in columns}
    shown = list(dict.fromkeys([*sorted(sliced), *told.cards.sensitive]))
    blocks: list[Block] = [Listing(lines)]
    for column in shown:
        if column not in told.columns.text:
            blocks += _counts(sources, column)
    return blocks


def _classes(sources: Sources, columns: ColumnsSection) -> list[Block]:
    rows: list[Sequence[Line]] = [
        ((Called(value),), (sources.claim("statistics.test", *_at(columns.label), value),))
        for value in sources.keys("statistics.test", *_at(columns.label))
    ]
    return [Grid("Classes in the test part", [("class",), ("rows",)], rows)] if rows else []


def _counts(sources: Sources, column: str) -> list[Block]:
    """Rows by value of a column, in training and test; none where it has many values."""
    values = {
        value: None
        for split in ("train", "test")
        for value in sources.keys(f"statistics.{split}", *_at(column))
    }
    rows: list[Sequence[Line]] = []
    for value in values:
        cells: list[Line] = [(Called(f"{column}={value}"),)]
        for split in ("train", "test"):
            at = (f"statistics.{split}", *_at(column), value)
            cells.append((sources.claim(*at),) if sources.get(*at) is not None else ("none",))
        rows.append(cells)
    head: list[Line] = [("group",), ("rows of training",), ("rows of test",)]
    return [Grid("", head, rows)] if rows else []


def _at(column: str) -> tuple[str, str, str]:
    return "columns", column, "counts"
