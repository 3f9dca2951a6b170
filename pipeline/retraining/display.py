"""What `retrain` prints: the spans, each piece of evidence, the decision."""

from rich.console import Console

from pipeline.report.display import print_span_findings
from pipeline.report.markup import escape
from pipeline.retraining.records import Decision

_STATES = {"reason": "bold yellow", "blocking": "bold red", "quiet": "green", "unknown": "cyan"}
_WORDS = {"reason": "reason", "blocking": "blocks", "quiet": "quiet", "unknown": "not known"}
_ACTIONS = {"run": "green", "nothing": "green", "blocked": "bold red"}


def print_decision(out: Console, decision: Decision) -> None:
    """Spans, evidence with every bound that is broken, the decision and its reasons."""
    out.print(f"window: spans {', '.join(map(str, decision.spans))}")
    print_span_findings(out, decision.held_back, decision.reported)
    for evidence in decision.evidence:
        state = f"[{_STATES[evidence.state]}]{_WORDS[evidence.state]:<9}[/]"
        out.print(f"{evidence.kind:<12} {state} {escape(evidence.message)}", soft_wrap=True)
        for measured in evidence.measurements:
            if measured.exceeded:
                found = f"{measured.name}: {measured.value:.3f} > {measured.bound:g}"
                out.print(
                    f"{'':<22} {escape(found)}; to change: {escape(measured.key)}", soft_wrap=True
                )
    out.print(f"decision: [{_ACTIONS[decision.action]}]{decision.action}[/]")
    for reason in decision.reasons:
        out.print(f"  {escape(reason)}", soft_wrap=True)
