"""What stands at the top of a page: which run, how it ended, what it cost."""

from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from pipeline.report.page import html
from pipeline.report.page.part import RunRecord
from pipeline.report.summary import Summary

_KINDS: dict[str, html.Kind] = {
    "COMPLETE": "good",
    "FAILED": "bad",
    "INTERRUPTED": "warn",
    "RUNNING": "plain",
}


@dataclass(frozen=True)
class Head:
    """The texts above and below the parts of a page."""

    title: str
    eyebrow: str
    heading: Markup
    facts: Markup
    footer: str


def head_of(record: RunRecord) -> Head:
    """The head of a run's report."""
    summary = record.summary
    rows = summary.data.rows
    kept = [gate.passed for gate in summary.gates]
    facts = html.facts(
        [
            ("Started", started(summary)),
            ("Took", html.duration(summary.seconds)),
            ("CPU", html.duration(summary.cpu_seconds)),
            ("Memory at most", f"{summary.peak_rss_mb:,.0f} MB"),
            ("Configuration", summary.config),
            ("Seed", str(summary.seed)),
            ("Rows", html.count(sum(rows.values()))),
            ("Gates kept to", f"{sum(kept)} of {len(kept)}" if kept else None),
        ]
    )
    return Head(
        title=f"{record.folder.name}: run {summary.run_id}",
        eyebrow=f"Report of a run of {record.folder.name}",
        heading=Markup("{} {}").format(summary.run_id, state(summary)),
        facts=facts,
        footer=f"Made from the records of run {summary.run_id} in ML Metadata. It holds counts, "
        "shares and other aggregates, no rows of the data.",
    )


def head_against(record: RunRecord, other: RunRecord) -> Head:
    """The head of two runs side by side."""
    one, two = record.summary, other.summary
    facts = html.facts(
        [
            ("This run", state(one)),
            ("The other", state(two)),
            ("Configurations", f"{one.config} and {two.config}"),
        ]
    )
    return Head(
        title=f"{record.folder.name}: run {one.run_id} against {two.run_id}",
        eyebrow=f"Two runs of {record.folder.name}",
        heading=Markup('{} <span class="unit">against</span> {}').format(one.run_id, two.run_id),
        facts=facts,
        footer="Differences are those of this run minus the other. Aggregates alone, no rows.",
    )


def state(summary: Summary) -> Markup:
    """How a run ended, as a badge."""
    return html.badge(summary.state.lower(), _KINDS[summary.state])


def started(summary: Summary) -> str:
    """When a run started: 2 January 2026, 03:04:05 UTC."""
    time = datetime.strptime(summary.run_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return f"{time.day} {time:%B %Y, %H:%M:%S} UTC"
