"""The bounds: those that do not hold first, those that hold folded."""

from collections.abc import Iterable

from markupsafe import Markup

from models.metrics.gates import OVERALL, Gate
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_COLUMNS = ("metric", "slice", "verdict", "value", "bound", "95% interval", "rows", "key")
_NUMERIC = ("value", "rows", "bound")
_KINDS: dict[str, html.Kind] = {"passed": "good", "undecided": "warn"}


def gates(record: RunRecord) -> Part | None:
    """The part; None where the run came to no gate."""
    found = record.summary.gates
    if not found:
        return None
    failed = [gate for gate in found if not gate.passed]
    undecided = [gate for gate in found if gate.passed and gate.undecided]
    passed = [gate for gate in found if gate.passed and not gate.undecided]
    pieces: list[html.Text | None] = [
        html.paragraph(_said(len(failed), len(undecided), len(passed)), "lead")
    ]
    if failed:
        pieces.append(_tables(failed, "Gates that do not hold"))
        pieces.append(_to_change(failed))
    if undecided:
        pieces.append(_tables(undecided, "Gates that too few rows leave undecided"))
    if passed:
        body = _tables(passed, "Gates that hold")
        pieces.append(html.fold(f"The {len(passed)} gates that hold", body))
    return Part("gates", "Gates", html.join(pieces))


def _said(failed: int, undecided: int, passed: int) -> str:
    if not failed and not undecided:
        return f"All {passed} gates hold."
    told = [f"{failed} {'does' if failed == 1 else 'do'} not hold"] if failed else []
    told += [f"{undecided} cannot be decided"] if undecided else []
    return f"Of {failed + undecided + passed} gates {' and '.join(told)}."


def _tables(found: Iterable[Gate], caption: str) -> Markup:
    """A table for each target."""
    by_target: dict[str, list[Gate]] = {}
    for gate in found:
        by_target.setdefault(gate.target, []).append(gate)
    return html.join(
        html.table(f"{caption}: {target}", _COLUMNS, map(_cells, rows), _NUMERIC)
        for target, rows in by_target.items()
    )


def _cells(gate: Gate) -> list[html.Text]:
    return [
        gate.metric,
        "all rows" if gate.slice == OVERALL else gate.slice,
        badge_of(gate),
        html.number(gate.value),
        gate.bound,
        html.interval(gate.interval),
        html.count(gate.rows),
        html.code(gate.key),
    ]


def badge_of(gate: Gate) -> Markup:
    """The verdict."""
    return html.badge(gate.verdict, _KINDS.get(gate.verdict, "bad"))


def _to_change(failed: Iterable[Gate]) -> Markup:
    """Reasons in words, with the key of each bound."""
    reasons = {(gate.target, gate.reason, gate.key): None for gate in failed}
    return html.listing(
        Markup("{}: {}; the bound is {}").format(target, reason, html.code(key))
        for target, reason, key in reasons
    )
