"""What `monitor` last found, as evidence."""

from collections.abc import Mapping
from pathlib import Path

from core.errors import InputError
from pipeline.monitoring.records import MonitorReport, newest, say
from pipeline.retraining.evidence import Evidence, Measurement


def of_monitoring(run_folder: Path, live: Mapping[str, int | None]) -> Evidence:
    """Whether requests to a version that is still live were beyond the bounds of `monitor`.

    Args:
        run_folder: <root>/<name>.
        live: version that is served, by target.
    """
    try:
        reports = newest(run_folder)
    except InputError as error:
        return Evidence("monitoring", "unknown", str(error))
    return of_reports([r for r in reports.values() if r.version == live.get(r.target)])


def of_reports(reports: list[MonitorReport]) -> Evidence:
    """The same of reports on versions that are live."""
    if not reports:
        return Evidence(
            "monitoring", "quiet", "`monitor` has not looked at requests to what is live"
        )
    looked = [report for report in reports if report.checks]
    if not looked:
        why = "; ".join(f"{r.target}: {unknown.why}" for r in reports for unknown in r.unknown)
        return Evidence("monitoring", "unknown", why)
    measured = [
        Measurement(f"{c.kind} {c.of}", c.value, c.bound, c.exceeded, c.key)
        for report in looked
        for c in report.checks
    ]
    over = [f"{r.target}: {say(check)}" for r in looked for check in r.exceeded]
    if over:
        return Evidence("monitoring", "reason", "; ".join(over), measured)
    what = ", ".join(f"{r.window.rows} rows of {r.target}" for r in looked)
    return Evidence("monitoring", "quiet", f"{what}: all within the bounds", measured)
