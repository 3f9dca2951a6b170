"""What `init` prints: a row for each column, what was decided, what comes next."""

from collections.abc import Container, Sequence

from rich.console import Console
from rich.table import Table

from core.raw_table import Label
from pipeline.init.describe import Described
from pipeline.init.example import Example
from pipeline.init.files import class_word, function_name
from pipeline.init.kinds.seen import LABEL, LEFT_OUT, Seen
from pipeline.init.looking import GOLD
from pipeline.init.proposal import Proposal
from pipeline.report.markup import escape

_STYLES = {LEFT_OUT: "yellow", LABEL: "bold"}


MOST_COLUMNS = 40  # printed, a line each; of more columns those that something is to be said of
SHOWN_NAMES = 8


def print_described(out: Console, described: Described, every_column: bool) -> None:
    """Prints the columns, the files and the next commands.

    Args:
        out: where to.
        described: what was made.
        every_column: a line for each column, however many there are.
    """
    proposed = described.proposal
    shown = list(proposed.seen)
    if not every_column and len(shown) > MOST_COLUMNS:
        shown = _telling(shown)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("column", "kind", "why", "what to do"):
        table.add_column(heading, overflow="fold")
    for seen in shown:
        name = proposed.names.get(seen.header, seen.header)
        renamed = f"called {name}; " if name != seen.header else ""
        table.add_row(
            escape(seen.header or "(no name)"),
            seen.kind,
            escape(renamed + seen.why),
            escape(seen.advice),
            style=_STYLES.get(seen.kind),
        )
    out.print(table)
    if len(shown) < len(proposed.seen):
        _print_others(out, proposed, {seen.header for seen in shown})
    _print_mode(out, described)
    for note in proposed.notes:
        out.print(f"[yellow]note[/]: {escape(note)}", soft_wrap=True)
    if left_out := (*proposed.left_out, *proposed.dropped):
        out.print(f"[yellow]left out[/]: {escape('; '.join(left_out))}", soft_wrap=True)
    out.print("written:")
    for path in described.written:
        out.print(f"  {escape(path)}", soft_wrap=True)
    out.print(f"next: {proposed.first_run}; then docs/your-data.md, 'After init'", soft_wrap=True)


def _print_mode(out: Console, described: Described) -> None:
    """The rows, where labels come from, and the labelling functions."""
    proposed = described.proposal
    training, test = proposed.rows["span-1"], proposed.rows["test"]
    if proposed.mode == GOLD:
        said = (
            f"\n{training} rows for training and {test} in the test part\n"
            f"all labels are used (labeling.mode: gold); to try weak labels, {_weakly(described)}"
        )
    else:
        said = (
            f"\n{training} rows for training, of which {proposed.gold_rows} are the gold budget, "
            f"and {test} in the test part"
        )
    out.print(said, soft_wrap=True)
    for example in described.examples:
        line = _function_line(example, proposed.label)
        out.print(f"labelling function {escape(line)}", soft_wrap=True)
    if described.examples and not described.examples[0].above_chance:
        out.print(
            "[yellow]note[/]: no condition on one column is better than chance on the gold rows: "
            "replace this function before a run (docs/weak-supervision.md)",
            soft_wrap=True,
        )


def _telling(seen: Sequence[Seen]) -> list[Seen]:
    """The label, and the first of the columns that are left out or that there is advice for."""
    label = [each for each in seen if each.kind == LABEL]
    advised = [each for each in seen if each.advice or each.kind == LEFT_OUT]
    return [*advised[: MOST_COLUMNS - len(label)], *label]


def _print_others(out: Console, proposed: Proposal, shown: Container[str]) -> None:
    """The columns without a line of their own: how many of each kind, some names."""
    others: dict[str, list[str]] = {}
    for seen in proposed.seen:
        if seen.header not in shown:
            others.setdefault(seen.kind, []).append(seen.header)
    for kind, headers in others.items():
        more = f", and {len(headers) - SHOWN_NAMES} more" if len(headers) > SHOWN_NAMES else ""
        named = escape(f"{', '.join(headers[:SHOWN_NAMES])}{more}")
        out.print(f"{len(headers)} columns besides are {kind}: {named}", soft_wrap=True)
    path = f"data/{proposed.request.name}/README.md"
    out.print(f"every column: {path}, or init --all-columns", soft_wrap=True)


def _weakly(described: Described) -> str:
    if not described.examples:
        return "write labelling functions first (docs/weak-supervision.md)"
    return (
        f"{described.proposal.gold_rows} of them and what labelling functions say of the other "
        "rows: --set labeling.mode=weak"
    )


def _function_line(chosen: Example, label: Label) -> str:
    """What the gold rows say of a labelling function, beside what chance would have."""
    low, high = chosen.interval
    verdict = "better than chance" if chosen.above_chance else "no better than chance"
    return (
        f"{function_name(chosen)}: right on {chosen.right} of {chosen.gold} gold rows "
        f"({chosen.right / chosen.gold:.0%}, 95% interval {low:.0%} to {high:.0%}; of all gold "
        f"rows {chosen.chance:.0%} are {class_word(chosen, label)}: {verdict}), votes on "
        f"{chosen.coverage:.0%} of all rows"
    )
