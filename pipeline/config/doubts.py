"""Bounds that no model or labels could keep to, or that decide nothing: said before a run starts.

They are no errors: a bound may be meant to refuse everything. Each is one line that begins with its
key.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import chain

from core.config import Config
from core.intervals import wilson_interval
from core.sections.evaluation import Bounds
from core.sections.labeling import LabelGates
from core.targets import TARGETS
from models.metrics.registry import Metrics, metric_of, metrics_of


def doubts(config: Config) -> list[str]:
    """The lines, in the order of the configuration."""
    measured = metrics_of(config.columns.names)
    found = [_labels(config)] if config.labeling.mode == "weak" else []
    found += [_slices(config), _search(config)]
    found += [_of_target(name, config.evaluation.bounds_of(name), measured) for name in TARGETS]
    return [f"{key}: {why}" for key, why in chain.from_iterable(found)]


Doubts = Iterator[tuple[str, str]]
"""Keys, and what is doubtful about them."""


def _search(config: Config) -> Doubts:
    """Hyperband whose trials end before any may go on."""
    section, brackets = config.tuner, 1
    if not section.enabled or section.search != "hyperband":
        return
    while 3**brackets <= section.epochs:
        brackets += 1
    if brackets == 1:
        yield (
            "tuner.search",
            (f"hyperband is random search with tuner.epochs={section.epochs}: have 3, better 9"),
        )
        return
    ends = math.ceil(1 + math.log(section.epochs, 3))
    first = math.ceil(ends / brackets * 3 ** (brackets - 1))  # as KerasTuner counts
    if section.trials <= first:
        yield (
            "tuner.search",
            (
                f"hyperband lets none of tuner.trials={section.trials} go on: with "
                f"tuner.epochs={section.epochs} the first {first} are short; have more trials"
            ),
        )


def _labels(config: Config) -> Doubts:
    """Labels are judged on gold rows, of which there may be too few for any to pass."""
    gates, gold = config.labeling.gates, config.labeling.gold_rows
    yield from _perfect_labels(gates)
    if config.data.answers is not None:
        return  # people's answers are gold rows, too; nobody knows yet how many
    best = wilson_interval(gold, gold)
    if gates.min_accuracy is not None and best is not None and best[0] < gates.min_accuracy < 1:
        yield (
            "labeling.gates.min_accuracy",
            f"{gates.min_accuracy:g} is above {best[0]:.3f}, the lower end of the interval where "
            f"all labeling.gold_rows={gold} are labelled rightly; have more gold rows or lower it",
        )
    if gates.max_error_gap is not None and 2 * gates.min_group_gold_rows > gold:
        yield (
            "labeling.gates.max_error_gap",
            f"decides nothing: of labeling.gold_rows={gold} no two groups can have "
            f"min_group_gold_rows={gates.min_group_gold_rows}; have more gold rows or lower that",
        )


def _perfect_labels(gates: LabelGates) -> Doubts:
    for key, limit, only in (
        ("min_coverage", 1, "functions that vote on every row"),
        ("min_accuracy", 1, "an interval that has no lower end below 1, which no rows give"),
        ("max_conflict", 0, "functions that never disagree"),
        ("max_coverage_gap", 0, "groups that are covered to the same row"),
    ):
        if getattr(gates, key) == limit:
            yield f"labeling.gates.{key}", f"{limit} is kept to only by {only}; null: no bound"


def _slices(config: Config) -> Doubts:
    rows, least = config.data.rows, config.evaluation.min_slice_rows
    if config.evaluation.slices and rows is not None and least > rows:
        yield (
            "evaluation.min_slice_rows",
            f"{least} is more than data.rows={rows}: no slice is gated; lower it",
        )


def _of_target(target: str, bounds: Bounds, measured: Metrics) -> Doubts:
    above = f"evaluation.{target}"
    for key in ("min", "min_by_slice", "min_by_class"):
        yield from _perfect(f"{above}.{key}", getattr(bounds, key), measured)
    for metric, bound in bounds.min_by_slice.items():
        overall = bounds.min.get(metric)
        if metric == "accuracy" and overall is not None and bound > overall:
            yield (
                f"{above}.min_by_slice.{metric}",
                f"{bound:g} is above {above}.min.{metric}={overall:g}: a model that is as good in "
                "every slice is so overall, so the other bound decides nothing; swap them?",
            )
    for column, by_rate in bounds.max_gap.items():
        for rate, bound in by_rate.items():
            if bound == 0:
                yield (
                    f"{above}.max_gap.{column}.{rate}",
                    "0 asks for groups whose rates are equal to the last row, which are so by "
                    "chance alone; give more than 0",
                )


def _perfect(key: str, bounds: Mapping[str, float], measured: Metrics) -> Doubts:
    """Bounds that only a model without any error keeps to."""
    for name, bound in bounds.items():
        metric = metric_of(measured.names(name)[0])
        if bound == (1.0 if metric.greater_is_better else 0.0):
            yield (
                f"{key}.{name}",
                f"{bound:g} is kept to only by a model without any error; give "
                f"{'less' if metric.greater_is_better else 'more'}",
            )
