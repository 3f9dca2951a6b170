"""Lines and rows that both cards are made of."""

from collections.abc import Iterable

from core.sections.columns import TrueLabel
from models.cards.document import Called, Claim, Grid, Line, Listing
from models.cards.forms import count, interval
from models.cards.sources import Sources

ROOT: tuple[str | int, ...] = ()


def with_interval(
    sources: Sources, name: str, value: tuple[str | int, ...], ends: tuple[str | int, ...]
) -> Line:
    """A value and, where it has one, its 95% interval."""
    found: Line = (sources.claim(name, *value),)
    if sources.get(name, *ends) is not None:
        found = (*found, " ", sources.claim(name, *ends, form=interval))
    return found


def called_as(names: Iterable[str]) -> Line:
    """Names of data, with commas between them."""
    found: list[str | Claim | Called] = []
    for name in names:
        found += [", ", Called(name)] if found else [Called(name)]
    return tuple(found)


def classes_of(columns: TrueLabel) -> Line:
    """What is told apart."""
    if columns.is_binary:
        negative, positive = columns.both
        return ("Detected is ", Called(positive), ", told from ", Called(negative), ".")
    return ("Told apart are ", *called_as(columns.names), ".")


def label_lines(sources: Sources) -> Listing:
    """How labels came, and what is known of them."""
    say = sources.claim
    if "labels" not in sources:
        return Listing([("No report on labels.",)])
    if sources.get("labels", "mode") == "gold":
        lines: list[Line] = [("Training rows keep their true labels; no function labels any.",)]
    else:
        lines = [
            (
                "Labels of training rows are made of the votes of labelling functions and of true "
                "labels of few rows.",
            )
        ]
    told: list[tuple[str, str]] = [
        ("rows", "Rows of training and evaluation: "),
        ("gold_rows", "Rows whose true label the pipeline saw: "),
        ("gold_rows_random", "Of them drawn at random, which alone measure: "),
        ("gold_rows_answered", "Of them answered by people: "),
        ("coverage", "Share of rows on which a function votes: "),
        ("overlap", "Share on which several do: "),
        ("conflict", "Share on which functions disagree: "),
        ("class_balance", "Share of the classes by the true labels: "),
    ]
    lines += [
        (text, say("labels", key)) for key, text in told if sources.get("labels", key) is not None
    ]
    if sources.get("labels", "accuracy_on_gold") is not None:
        found = with_interval(sources, "labels", ("accuracy_on_gold",), ("accuracy_interval",))
        lines.append(("Accuracy of the labels on true ones, with its 95% interval: ", *found))
    if sources.get("labels", "method"):
        reason = sources.get("labels", "method_reason")
        why: Line = ("; why: ", say("labels", "method_reason")) if reason else ()
        lines.append(("From votes to labels: ", say("labels", "method"), *why))
    return Listing(lines)


def function_grid(sources: Sources) -> Grid | None:
    """The labelling functions; None without any."""
    say, rows = sources.claim, []
    for name in sources.keys("labels", "functions"):
        at = ("functions", name)
        accuracy = with_interval(
            sources, "labels", (*at, "accuracy_on_gold"), (*at, "accuracy_interval")
        )
        rows.append(
            (
                (Called(name),),
                (say("labels", *at, "coverage"),),
                (say("labels", *at, "gold_votes"),),
                accuracy,
                (say("labels", *at, "weight"),),
            )
        )
    head = [("function",), ("coverage",), ("votes on true labels",), ("accuracy on them",)]
    return Grid("Labelling functions", [*head, ("weight",)], rows) if rows else None


def answer_lines(sources: Sources) -> Listing:
    """Answers of people, by import."""
    if "answers" not in sources:
        return Listing([])
    lines: list[Line] = [
        ("Answers of people that were taken: ", sources.claim("answers", "answers", form=count)),
        ("Imports they came with: ", sources.claim("answers", "imports", form=count)),
    ]
    for place in sources.places("answers", "imports"):
        at = ("imports", place)
        lines.append(
            (
                "Import ",
                sources.claim("answers", *at, "id"),
                " of the file with SHA-256 ",
                sources.claim("answers", *at, "file_sha256"),
            )
        )
    return Listing(lines)
