"""Versions beside the live one, the shadow and the canary, as cards."""

from collections.abc import Iterable

from markupsafe import Markup

from core.intervals import Quantity
from pipeline.monitoring.records import CanaryReport, MonitorReport, SideBySide
from pipeline.report.page import html

_VERDICTS: dict[str, html.Kind] = {"go on": "good", "go back": "bad", "unknown": "warn"}


def sides(report: MonitorReport) -> Markup | None:
    """Cards of the shadow and of the canary, with what is said of them."""
    cards = [_shadow(report.shadow)] if report.shadow else []
    cards += [_canary(report.canary)] if report.canary else []
    return Markup('<div class="cards">{}</div>').format(html.join(cards)) if cards else None


def _shadow(shadow: SideBySide) -> Markup:
    name = f"Shadow: {shadow.target}"
    name += f" version {shadow.version}" if shadow.version is not None else ""
    told = [
        f"{shadow.rows:,} rows; answers {shadow.difference:.4f} apart on the mean, "
        f"{shadow.largest:.4f} at most",
    ]
    if shadow.other_decisions is not None:
        told.append(f"decides {_share(shadow.other_decisions)} of the rows otherwise")
    if shadow.accuracy_gain is not None:
        told.append(_gained(shadow.accuracy_gain, shadow.labelled))
    if shadow.failed:
        told.append(f"{shadow.failed:,} rows not answered: {shadow.error}")
    return _card(name, shadow.verdict, shadow.why, told)


def _canary(canary: CanaryReport) -> Markup:
    told = [
        f"{canary.rows:,} rows of {canary.requests:,} requests beside {canary.live_rows:,} of "
        f"{canary.live_requests:,}"
    ]
    told += [f"answers {n} {_signed(more)} more often" for n, more in canary.decisions.items()]
    if (slower := canary.latency_ms.get("difference")) is not None:
        live = canary.latency_ms["live"].value
        told.append(f"median latency {_signed(slower)} ms from {live:.2f} ms")
    if canary.accuracy_gain is not None:
        told.append(_gained(canary.accuracy_gain, canary.labelled))
    if canary.failed:
        told.append(f"{canary.failed:,} rows not answered: {canary.error}")
    return _card(f"Canary: version {canary.version}", canary.verdict, canary.why, told)


def _card(name: str, verdict: str, why: str, told: Iterable[str]) -> Markup:
    kind = _VERDICTS.get(verdict, "plain")
    return Markup('<div class="card {}"><h4>{} {}</h4><p>{}</p>{}</div>').format(
        kind, name, html.badge(verdict, kind), why, html.listing(told)
    )


def _gained(gain: Quantity, rows: int) -> str:
    return f"accuracy {_signed(gain)} on {rows:,} rows with a label"


def _share(quantity: Quantity) -> str:
    return f"{quantity.value:.1%} ({quantity.low:.1%} to {quantity.high:.1%})"


def _signed(quantity: Quantity) -> str:
    told = f"{quantity.value:+.3f} ({quantity.low:+.3f} to {quantity.high:+.3f})"
    return told.replace("-", html.MINUS)
