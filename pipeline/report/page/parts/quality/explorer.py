"""One slider for the decision threshold: quality, rates of groups and gates of both targets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.answers import THRESHOLD
from models.metrics.gates import OVERALL, Gate
from pipeline.report.page import html
from pipeline.report.page.groups import SliceGroup, SliceGroups, groups_of_run, labels_of, rules_of
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.page.parts.origin.configuration import command_again
from pipeline.report.page.parts.quality.explorer_pictures import (
    TITLES,
    Explored,
    at_start,
    charts_of,
    legend,
    pictures,
    point,
)
from pipeline.report.page.score_counts import QUALITY, RATES, Counts, counts_of
from pipeline.report.page.threshold_gates import ThresholdGates, threshold_gates

_SCRIPT = Path(__file__).parents[2] / "templates" / "explorer.js"


def explorer(record: RunRecord) -> Part | None:
    """The part; None where no scores were counted."""
    models = record.summary.deployed
    title = "Threshold explorer"
    if any("macro_f1" in model.metrics for model in models.values()):
        said = "With more than two classes the most probable one is decided for: no threshold."
        return Part("explorer", title, html.paragraph(said))
    counted = {target: found for target, m in models.items() if OVERALL in (found := counts_of(m))}
    if not counted:
        return None
    columns = groups_of_run((models[target] for target in counted), record)
    explored = {target: _explored(record, target, counted[target], columns) for target in counted}
    bins = len(next(iter(counted.values()))[OVERALL].negative)
    single = _single(columns)
    charts = charts_of(explored, single)
    pieces = [
        _slider(bins),
        _quality(explored),
        _gates(explored, record),
        _lines(record),
        legend(explored),
        pictures(explored, charts, len(single)),
        *_tables(explored, columns),
    ]
    return Part(
        "explorer", title, html.join(pieces), charts, _data(explored, record, bins, columns),
        _SCRIPT.read_text(encoding="utf-8"),
    )  # fmt: skip


def _single(columns: Sequence[SliceGroups]) -> list[SliceGroup]:
    """The groups of columns alone."""
    return [group for groups in columns if len(groups.columns) == 1 for group in groups.shown]


def _explored(
    record: RunRecord, target: str, counts: Mapping[str, Counts], columns: Sequence[SliceGroups]
) -> Explored:
    names = [g.name for groups in columns for g in groups.shown if g.name in counts]
    places = {name: place for place, name in enumerate([OVERALL, *names])}
    gates = [gate for gate in record.summary.gates if gate.target == target]
    if rules_of(record) is None:  # what few rows are is not known
        return Explored(counts, places, ThresholdGates([], gates, []))
    return Explored(counts, places, threshold_gates(gates, places, columns))


def _slider(bins: int) -> Markup:
    return Markup(
        '<div class="slider"><label for="explorer-threshold">Decision threshold</label>'
        '<input type="range" id="explorer-threshold" min="0" max="1" step="{step}" value="{start}" '
        'aria-describedby="explorer-help"><output id="explorer-shown" '
        'for="explorer-threshold">{start:.3f}</output>'
        '<button type="button" id="explorer-back">Back to {start}</button></div>'
        '<p id="explorer-help" class="hint">A row is decided positive when its probability is above'
        " the threshold. Arrow keys move it by {step}. All is counted on the test rows.</p>"
        '<p id="explorer-said" class="lead" role="status" aria-live="polite"></p>'
    ).format(step=1 / bins, start=THRESHOLD)


def _live(target: str, place: int, metric: str, value: float | None) -> Markup:
    """A number that the slider moves."""
    return Markup('<span data-live="{}" data-group="{}" data-metric="{}">{}</span>').format(
        target, place, metric, html.number(value)
    )


def _quality(found: Mapping[str, Explored]) -> Markup:
    rows = [
        [
            TITLES[metric],
            *(_live(t, 0, metric, at_start(e.counts[OVERALL])[metric]) for t, e in found.items()),
            *(_change(target, metric) for target in found),
        ]
        for metric in (*QUALITY, "fpr", "selection_rate")
    ]
    columns = ["all rows", *found, *(f"{target}, from {THRESHOLD:g}" for target in found)]
    return html.table("Quality at this threshold", columns, rows, columns[1:])


def _change(target: str, metric: str) -> Markup:
    return Markup('<span data-change="{}" data-metric="{}">{}</span>').format(
        target, metric, html.NONE
    )


def _gates(found: Mapping[str, Explored], record: RunRecord) -> Markup:
    if rules_of(record) is None:
        said = "The configuration of this run is not kept, so gates are not decided anew."
        return html.paragraph(said, "hint")
    pieces = []
    for target, explored in found.items():
        gates = explored.gates
        if gates.moving:
            pieces.append(_gate_table(target, gates.moving))
        pieces.append(_others(target, gates))
    return html.join(pieces)


def _gate_table(target: str, moving: Iterable[Mapping[str, Any]]) -> Markup:
    columns = ("gate", "value", "bound", "at this threshold", "in the run", "where")
    rows = [
        [
            row["called"],
            _slot(target, n, "value", html.number(row["value"])),
            row["bound"],
            _slot(target, n, "verdict", html.badge(_verdict(row["verdicts"]))),
            _verdict(row["verdicts"]),
            _slot(target, n, "where", ""),
        ]
        for n, row in enumerate(moving)
    ]
    return html.table(
        f"Gates that depend on the threshold: {target}", columns, rows, ("value", "bound")
    )


def _slot(target: str, place: int, what: str, content: html.Text) -> Markup:
    return Markup('<span data-gate="{}" data-place="{}" data-what="{}">{}</span>').format(
        target, place, what, content
    )


def _verdict(verdicts: Sequence[str]) -> str:
    """The worst of them."""
    worst = ("failed", "undecided, failed", "undecided", "passed")
    return min(verdicts, key=lambda verdict: worst.index(verdict))


def _others(target: str, gates: ThresholdGates) -> Markup:
    told = [_of_verdicts(gates.fixed, "without a threshold")]
    compared = "compared row by row, which counts cannot, as the run judged them"
    told.append(_of_verdicts(gates.unclear, compared))
    said = " ".join(sentence for sentence in told if sentence)
    return html.paragraph(f"{target}: {said}", "hint") if said else Markup("")


def _of_verdicts(gates: Sequence[Gate], why: str) -> str:
    if not gates:
        return ""
    failed = list(dict.fromkeys(gate.metric for gate in gates if not gate.passed))
    hold = f"of which {len([g for g in gates if not g.passed])} fail ({', '.join(failed)})"
    return f"{len(gates)} more {why}; {hold if failed else 'all hold'}."


def _lines(record: RunRecord) -> Markup:
    offered = hasattr(record.config, "fairness")
    more = html.code("--set fairness.mitigation=thresholds --set fairness.column=COLUMN")
    by_group = Markup(" {} puts a threshold for each group inside both models.").format(more)
    return Markup(
        '<h3>Bounds that would let this pass</h3><p id="explorer-lines-said">Nothing fails that '
        'another bound would let pass.</p><pre class="command" tabindex="0" data-base="{}" hidden>'
        '<code id="explorer-lines"></code></pre><p class="hint">A run decides at {}, whatever is '
        "seen here, and answers with the probability, so whoever asks can decide at another "
        "threshold.{}</p>"
    ).format(command_again(record), f"{THRESHOLD:g}", by_group if offered else "")


def _tables(found: Mapping[str, Explored], columns: Sequence[SliceGroups]) -> Iterator[Markup]:
    """A table for each column, and for several together, whose numbers the slider moves."""
    headings = [f"{TITLES[rate]}, {target}" for rate in RATES for target in found]
    for number, groups in enumerate(columns):
        rows: list[list[html.Text]] = []
        for group in groups.shown:
            cells = [
                _live(target, explored.places[group.name], rate,
                      at_start(explored.counts[group.name])[rate])
                if group.name in explored.counts else Markup(html.NONE)
                for rate in RATES
                for target, explored in found.items()
            ]  # fmt: skip
            rows.append([group.label, html.count(group.rows), *cells])
        gaps = [
            Markup('<span data-gap="{}" data-columns="{}" data-metric="{}"></span>').format(
                target, number, rate
            )
            for rate in RATES
            for target in found
        ]
        rows.append([html.badge("gap"), "", *gaps])
        table = html.table(
            f"Rates by {groups.title}", ["group", "rows", *headings], rows, ["rows", *headings]
        )
        yield html.fold(f"By {groups.title}, as a table", table)


def _data(
    found: Mapping[str, Explored], record: RunRecord, bins: int, columns: Sequence[SliceGroups]
) -> dict[str, Any]:
    """What the script reckons with: counts by bin, gates and rules."""
    rules = rules_of(record)
    single = _single(columns)
    called = labels_of(single)
    return {
        "bins": bins,
        "start": THRESHOLD,
        "fewRows": rules.few_rows if rules else 0,
        "undecidedPasses": rules.when_too_few == "warn" if rules else True,
        "rates": list(RATES),
        "targets": {
            target: {
                "groups": [
                    {
                        "label": "all rows" if name == OVERALL else name,
                        "negative": explored.counts[name].negative.tolist(),
                        "positive": explored.counts[name].positive.tolist(),
                    }
                    for name in explored.places
                ],
                "columns": [
                    [explored.places[g.name] for g in groups.shown
                     if g.gated and g.name in explored.places]
                    for groups in columns
                ],
                "gates": explored.gates.moving,
                "otherFailed": sum(
                    not g.passed for g in (*explored.gates.fixed, *explored.gates.unclear)
                ),
                "drawn": [
                    {**point(called[g.name], g, target), "place": explored.places[g.name]}
                    for g in single
                    if g.name in explored.places
                ],
            }
            for target, explored in found.items()
        },
    }  # fmt: skip
