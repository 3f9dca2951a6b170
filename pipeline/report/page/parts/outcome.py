"""What was pushed and what not, and why, in words."""

from collections.abc import Iterator

from markupsafe import Markup

from models.metrics.gates import Gate, PushChecks
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord
from pipeline.report.summary import Pushed, Summary


def outcome(record: RunRecord) -> Part:
    """The part; there is one of each run."""
    summary = record.summary
    cards = html.join(_card(summary, target, pushed) for target, pushed in summary.pushed.items())
    pieces = [
        html.paragraph(_in_a_sentence(summary), "lead"),
        _failure(summary),
        Markup('<div class="cards">{}</div>').format(cards) if cards else None,
        _notes(summary),
    ]
    return Part("outcome", "What was pushed, and why", html.join(pieces))


def _in_a_sentence(summary: Summary) -> str:
    pushed = [t for t, p in summary.pushed.items() if p.version is not None and not p.already_live]
    same = [t for t, p in summary.pushed.items() if p.already_live]
    refused = [t for t, p in summary.pushed.items() if p.version is None]
    told = []
    if pushed:
        told.append(f"{_listed(pushed)} {'was' if len(pushed) == 1 else 'were'} pushed")
    if same:
        told.append(f"{_listed(same)} {'was' if len(same) == 1 else 'were'} live already")
    if refused:
        told.append(f"{_listed(refused)} {'was' if len(refused) == 1 else 'were'} not pushed")
    ended = {
        "COMPLETE": "The run went through to its end",
        "FAILED": "The run failed",
        "INTERRUPTED": "The run was interrupted",
        "RUNNING": "The run had not ended when this page was made",
    }[summary.state]
    if summary.failure and summary.failure.node:
        ended += f" at {summary.failure.node}"
    return f"{ended}: {', '.join(told)}." if told else f"{ended}."


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _failure(summary: Summary) -> Markup | None:
    failure = summary.failure
    if failure is None:
        return None
    whose = (
        "Data or configuration are at fault: the same run would stop again."
        if failure.input_at_fault
        else "Neither data nor configuration are known to be at fault."
    )
    first, _, rest = failure.cause.partition("\n")
    return Markup('<div class="card bad"><h3>{} failed</h3>{}{}{}{}{}</div>').format(
        failure.node or "The run",
        html.paragraph(first),
        Markup('<pre class="words" tabindex="0">{}</pre>').format(rest) if rest else "",
        html.paragraph(whose, "hint"),
        html.paragraph(Markup("At {}").format(html.code(failure.code))) if failure.code else "",
        html.paragraph(Markup("To go on: {}").format(failure.resume)),
    )


def _card(summary: Summary, target: str, pushed: Pushed) -> Markup:
    gates = [gate for gate in summary.gates if gate.target == target]
    if pushed.version is None:
        kind, word = ("bad", "not pushed") if gates else ("warn", "not pushed")
    else:
        kind, word = "good", "live already" if pushed.already_live else "pushed"
    badge = html.badge(word, "good" if kind == "good" else "bad" if kind == "bad" else "warn")
    said = html.join(_lines(summary, target, pushed, gates))
    return Markup('<div class="card {}"><h3>{} {}</h3>{}</div>').format(kind, target, badge, said)


def _lines(summary: Summary, target: str, pushed: Pushed, gates: list[Gate]) -> Iterator[Markup]:
    variant = summary.targets.get(target)
    if pushed.version is not None:
        text = "Version {} lies in {}."
        if pushed.already_live:
            text = "The same model was live before as version {} in {}."
        version = Markup("<b>{}</b>").format(pushed.version)
        yield html.paragraph(Markup(text).format(version, html.code(pushed.path or html.NONE)))
        yield from map(html.paragraph, _kept(gates))
    elif failed := [gate for gate in gates if not gate.passed]:
        verb = "does" if len(failed) == 1 else "do"
        yield html.paragraph(f"{len(failed)} of its {len(gates)} gates {verb} not hold:")
        yield html.listing(gate.reason for gate in failed)
    else:
        why = pushed.why or "no reason was recorded"
        yield html.paragraph(f"{why[:1].upper()}{why[1:]}.")
    if checks := summary.push_checks.get(target):
        yield html.paragraph(_compared(checks))
    if variant:
        yield html.paragraph(
            Markup("Its model is the variant {}.").format(html.code(variant)), "hint"
        )


def _kept(gates: list[Gate]) -> Iterator[str]:
    """How many gates it kept to, and which one by the least."""
    if not gates:
        return
    undecided = [gate for gate in gates if gate.undecided]
    text = f"It kept to all {len(gates)} bounds"
    if undecided:
        text += f", {len(undecided)} of them undecided because there are too few rows"
    near = [
        (gate.margin / (abs(gate.limit or 0) or 1), place, gate)
        for place, gate in enumerate(gates)
        if gate.margin is not None and gate.margin >= 0 and not gate.undecided
    ]
    if near:
        tightest = min(near)[2]
        place = "" if tightest.slice == "overall" else f" on {tightest.slice}"
        text += (
            f"; the nearest to its bound is {tightest.metric}{place} with "
            f"{html.number(tightest.value, '.4g')} ({tightest.bound})"
        )
    yield f"{text}."


def _compared(checks: PushChecks) -> str:
    if checks.live_version is None:
        told = "No version of another model was live to compare it with"
    elif checks.problem:
        told = f"Version {checks.live_version} was live, but: {checks.problem}"
    else:
        told = (
            f"It was compared with the live version {checks.live_version} on {checks.compared_on}"
        )
    asked = f"; a fresh process answered {checks.sample_rows} rows as the pipeline did"
    return f"{told}{'' if checks.problem else asked}."


def _notes(summary: Summary) -> Markup | None:
    notes = [*summary.notes, *(f"damage: {text}" for text in summary.damaged)]
    return html.join([html.heading("Worth knowing"), html.listing(notes)]) if notes else None
