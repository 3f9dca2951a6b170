"""What `lf` prints on a terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from models.labels.analysis import Common
from models.labels.by_group.shifts import Correction, GroupShift
from pipeline.labels.report import (
    Changes,
    DisagreementReport,
    ExampleRow,
    Function,
    FunctionsReport,
    LfReport,
)
from pipeline.report.display import print_label_findings
from pipeline.report.gate_table import print_gates
from pipeline.report.markup import escape

PAIRS = 5  # of those in the report
SIGNS = {"negative": "-", "positive": "+"}  # of two classes
SHOWN = 3  # classes that are listed where there are more than two


def print_report(out: Console, report: LfReport) -> None:
    """Functions, findings, disagreements, uncovered rows, changes."""
    labels = report.labels
    out.print(_function_table(report))
    out.print(
        f"{labels.rows} rows, {labels.gold_rows} of them gold ({escape(balance_line(report))}): "
        f"coverage {labels.coverage:.1%}, overlap {labels.overlap:.1%}, conflict "
        f"{labels.conflict:.1%}; labels right on {labels.accuracy_on_gold:.1%} of the gold rows "
        "(cross-validated)",
        soft_wrap=True,
    )
    _print_methods(out, labels)
    if labels.by_group is not None:
        _print_shifts(out, labels.by_group)
    print_label_findings(out, labels.findings)
    print_gates(out, report.gates)
    if report.disagreements:
        out.print("\n[bold]functions that disagree most[/], of the rows on which both vote:")
    for pair in report.disagreements[:PAIRS]:
        _print_disagreement(out, pair)
    _print_uncovered(out, report)
    _print_changes(out, report.changes)


def balance_line(report: LfReport) -> str:
    """`24.0% positive`, or `other 58.0%, carry 30.0%, ride 12.0%`: of many classes the first."""
    balance = report.labels.class_balance
    if isinstance(balance, float):
        return f"{balance:.1%} positive"
    ranked = sorted(balance.items(), key=lambda each: -each[1])
    told = [f"{name} {share:.1%}" for name, share in ranked[:SHOWN]]
    if more := len(ranked) - SHOWN:
        told.append(f"{more} more, down to {ranked[-1][1]:.1%}")
    return ", ".join(told)


def _print_methods(out: Console, labels: FunctionsReport) -> None:
    """Each way from votes to labels with its score on gold rows, and which one is taken."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("method")
    for column in ("log loss (95%)", "accuracy (95%)", "auc (95%)", "f1"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, score in labels.methods.items():
        cells = (
            with_interval(score.log_loss, score.log_loss_interval),
            with_interval(score.accuracy, score.accuracy_interval),
            with_interval(score.auc, score.auc_interval),
            number(score.f1),
        )
        table.add_row(escape(name), *cells)
    out.print(table)
    out.print(f"taken: {labels.method}: {escape(labels.method_reason)}", soft_wrap=True)
    for trial in labels.trials:
        if trial.chosen:
            used = ", ".join(f"{key} {value:g}" for key, value in vars(trial.training).items())
            out.print(f"label model: {used}, of {len(labels.trials)} tried", soft_wrap=True)


def _print_shifts(out: Console, done: Correction) -> None:
    """What was done to labels by group."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column(escape(done.column), overflow="fold")
    for column in shift_columns(done):
        table.add_column(column, justify="right", no_wrap=True)
    for name, group in done.groups.items():
        table.add_row(escape(name), *shift_cells(group))
    out.print(table)
    out.print(escape(shift_line(done)), soft_wrap=True)


def shift_columns(done: Correction) -> tuple[str, ...]:
    """Heads of `shift_cells`."""
    return ("rows", "gold", "positive", "balance", f"{done.rate} before", "after", "shift", "of")


def shift_cells(group: GroupShift) -> tuple[str, ...]:
    """Rows, gold rows and positives, class balance, rate before and after, the shift, of what."""
    counts = (str(group.rows), str(group.gold_rows), str(group.gold_positives))
    shares = (group.class_balance, group.rate_before, group.rate_after)
    shifts = (f"{group.shift:+.2f}", f"{group.full_shift:+.2f}")
    return (*counts, *(number(share) for share in shares), *shifts)


def shift_line(done: Correction) -> str:
    """What the table of shifts shows."""
    return (
        "labels by group (fairness.labels): log-odds moved by 'shift' of the 'of' that would make "
        f"the {done.rate} of labels alike by {done.column}, as far as gold rows vouch for it; "
        "balance and rates are estimates"
    )


def with_interval(value: float, interval: tuple[float, float] | None) -> str:
    """`0.86 0.81-0.90`."""
    return number(value) if interval is None else f"{value:.2f} {interval[0]:.2f}-{interval[1]:.2f}"


def _function_table(report: LfReport) -> Table:
    """Figures are never folded, so on a narrow terminal the names are."""
    table = Table(box=SIMPLE_HEAD, padding=0)
    table.add_column("function", overflow="fold")
    for column in ("votes", "coverage", "overlap", "conflict", "gold", "accuracy (95%)", "weight"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, row in report.labels.functions.items():
        votes = escape(votes_cell(row, report))
        shares = [f"{share:.1%}" for share in (row.coverage, row.overlap, row.conflict)]
        table.add_row(escape(name), votes, *shares, *accuracy_cells(row), number(row.weight))
    return table


def votes_cell(row: Function, report: LfReport) -> str:
    """`-/+`, or `ride/carry`: the classes that a function votes for; of many the first."""
    if not row.polarity:
        return "none"
    if len(report.classes) <= 2:
        return "/".join(SIGNS[word] for word in row.polarity)
    more = len(row.polarity) - SHOWN
    return "/".join([*row.polarity[:SHOWN], *([f"{more} more"] if more > 0 else [])])


def accuracy_cells(row: Function) -> tuple[str, str]:
    """`24/28` and `0.86 0.69-0.94`: right and all votes on gold rows, their share, its interval."""
    if row.accuracy_on_gold is None or row.accuracy_interval is None:
        return "none", "-"
    right = round(row.accuracy_on_gold * row.gold_votes)
    low, high = row.accuracy_interval
    return f"{right}/{row.gold_votes}", f"{row.accuracy_on_gold:.2f} {low:.2f}-{high:.2f}"


def number(value: float | None) -> str:
    """Two digits, or `-`."""
    return "-" if value is None else f"{value:.2f}"


def _print_disagreement(out: Console, pair: DisagreementReport) -> None:
    names = f"{pair.first} against {pair.second}"
    out.print(
        f"  {escape(names)}: {pair.rows} of {pair.both} rows; {escape(gold_line(pair))}",
        soft_wrap=True,
    )
    for example in pair.examples:
        out.print(f"    {escape(example_line(example))}", soft_wrap=True)


def gold_line(pair: DisagreementReport) -> str:
    """Which function of a pair is right on the gold rows on which they disagree."""
    if not pair.gold_rows:
        return "none of them gold"
    right = f"{pair.first} is right on {pair.first_right}, {pair.second} on {pair.second_right}"
    return f"{right} of the {pair.gold_rows} gold rows"


def example_line(example: ExampleRow) -> str:
    """`span-1:17 (positive): age=45, occupation=Sales`."""
    cells = [f"{column}={shown(value)}" for column, value in example.columns.items()]
    label = f" ({example.label})" if example.label else ""
    return f"{example.row_id}{label}: {', '.join(cells)}"


def shown(value: float | str | None) -> str:
    """A value for people."""
    return "missing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def common_line(common: Common) -> str:
    """`age 26 to 33: 40.0% (20.0% of all rows)`."""
    return (
        f"{common.column} {common.value}: {common.share:.1%} ({common.share_of_all:.1%} of all "
        "rows)"
    )


def _print_uncovered(out: Console, report: LfReport) -> None:
    uncovered = report.uncovered
    share = uncovered.rows / report.labels.rows
    out.print(f"\n[bold]rows without a vote[/]: {uncovered.rows} ({share:.1%})")
    if uncovered.in_common:
        out.print("  what sets them apart:")
    for common in uncovered.in_common:
        out.print(f"    {escape(common_line(common))}", soft_wrap=True)
    for example in uncovered.examples:
        out.print(f"  {escape(example_line(example))}", soft_wrap=True)


def _print_changes(out: Console, changes: Changes | None) -> None:
    if changes is None:
        out.print("\nno earlier call to compare with")
        return
    out.print(f"\n[bold]since the last call[/], {changes.since:%Y-%m-%d %H:%M:%S} UTC:")
    for line in change_lines(changes):
        out.print(f"  {escape(line)}", soft_wrap=True)


def change_lines(changes: Changes) -> list[str]:
    """What changed, a line each."""
    lines = [f"new: {name}" for name in changes.new]
    lines += [f"removed: {name}" for name in changes.removed]
    lines += [f"another value: {name}" for name in changes.settings]
    for name, change in changes.functions.items():
        votes = f"votes otherwise on {change.changed_votes} rows" if change.changed_votes else ""
        lines.append(f"{name}: {', '.join(filter(None, [votes, *_moves(change.model_dump())]))}")
    if total := _moves(changes.total.model_dump()):
        lines.append(f"all functions: {', '.join(total)}")
    return lines or ["nothing changed"]


def _moves(change: dict[str, float | None]) -> list[str]:
    words = {"accuracy_on_gold": "accuracy on gold"}
    return [
        f"{words.get(key, key)} {value:+.4f}"
        for key, value in change.items()
        if key != "changed_votes" and value
    ]
