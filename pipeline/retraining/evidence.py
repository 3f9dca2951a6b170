"""What speaks for a new run, and what against: one Evidence a question.

Each says what it found, or that it could not be found, never a guess. What costs a look at data is
in drift.py and judged_labels.py; here are the questions that metadata alone answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# reason: speaks for a run; quiet: does not; blocking: spans are held back for it;
# unknown: could not be computed.
State = Literal["reason", "quiet", "blocking", "unknown"]
Kind = Literal[
    "model", "new span", "answers", "drift", "skew", "monitoring", "age", "quality", "label shift",
    "repeats",
]  # fmt: skip


@dataclass(frozen=True)
class Measurement:
    """A value and its bound.

    name: what was measured, in words.
    key: names the place of the bound.
    feature, span: what it was measured of, where that is one; older records only have `name`.
    """

    name: str
    value: float
    bound: float
    exceeded: bool
    key: str
    feature: str | None = None
    span: int | None = None


@dataclass(frozen=True)
class Evidence:
    """The answer to one question."""

    kind: Kind
    state: State
    message: str
    measurements: list[Measurement] = field(default_factory=list)


def of_models(
    live: Mapping[str, int | None], damaged: Mapping[str, str], other_classes: str | None = None
) -> Evidence:
    """Whether each target has a model that is served, of the classes that are asked for.

    Args:
        live: version that is served, by target; None where there is no whole one.
        damaged: by target, what is damaged of the version that is served.
        other_classes: in words, that what is served tells other classes apart.
    """
    if damaged:
        return Evidence("model", "reason", "; ".join(damaged.values()))
    if other_classes is not None:
        return Evidence("model", "reason", other_classes)
    missing = [target for target, version in live.items() if version is None]
    if missing:
        what = f"no {' and no '.join(missing)} model is served yet"
        return Evidence("model", "reason", what)
    served = ", ".join(f"{target} {version}" for target, version in live.items())
    return Evidence("model", "quiet", f"served: {served}")


def of_new_spans(
    window: Mapping[int, frozenset[str]], trained: Mapping[int, frozenset[str]] | None
) -> Evidence:
    """Whether the window has spans that the served model has not seen.

    Args:
        window: SHA-256 of the files of each span of the window.
        trained: the same of the spans that the served model was trained on; None: unknown, then
            all are taken for new.
    """
    if not window:
        return Evidence("new span", "quiet", "every span is held back")
    if trained is None:
        what = f"nothing says whether the served model was trained on {_spans(sorted(window))}"
        return Evidence("new span", "reason", what)
    new = new_spans(window, trained)
    if new:
        what = f"{_spans(new)} not in the training data of the served model"
        return Evidence("new span", "reason", what)
    what = f"the served model was trained on {_spans(sorted(window))}"
    return Evidence("new span", "quiet", what)


def new_spans(
    window: Mapping[int, frozenset[str]], trained: Mapping[int, frozenset[str]]
) -> list[int]:
    """Spans of the window that a model was not trained on, or on other content of."""
    return sorted(span for span, sums in window.items() if trained.get(span) != sums)


def _spans(numbers: Sequence[int]) -> str:
    return f"{'span' if len(numbers) == 1 else 'spans'} {', '.join(map(str, numbers))}"


def of_age(trained_at: datetime | None, now: datetime, max_age_days: float | None) -> Evidence:
    """Whether the served model is older than it may be."""
    if trained_at is None:
        what = "nothing says when the served model was trained"
        return Evidence("age", "unknown", what)
    days = (now - trained_at).total_seconds() / 86400
    if max_age_days is None:
        what = f"{days:.1f} days; retrain.max_age_days sets no bound"
        return Evidence("age", "quiet", what)
    old = days > max_age_days
    measured = Measurement("days", days, max_age_days, old, "retrain.max_age_days")
    what = f"the served model is {days:.1f} days old, {max_age_days:g} are allowed"
    return Evidence("age", "reason" if old else "quiet", what, [measured])
