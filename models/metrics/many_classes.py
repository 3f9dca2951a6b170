"""The metrics of more than two classes: of all together, and of each by its name."""

from collections.abc import Callable

import numpy as np

from core.answers import decided
from core.intervals import wilson_interval
from models.metrics import class_measures, measures
from models.metrics.measures import Interval, IntervalOf, Measure
from models.metrics.metric import LOG_LOSS, Metric, Metrics, by_name

QUALITY_BY_CLASS = ("precision", "recall", "f1")
RATES_BY_CLASS = ("recall", "selection_rate")
"""What is measured of each class."""


def of_many(classes: tuple[str, ...]) -> Metrics:
    """The metrics for these classes, by their codes."""

    def share(hits: Callable[..., np.ndarray], rows: Callable[..., np.ndarray]) -> IntervalOf:
        def interval(codes: np.ndarray, shares: np.ndarray) -> Interval | None:
            chosen = decided(shares)
            of = rows(codes, chosen)
            return wilson_interval(int((hits(codes, chosen) & of).sum()), int(of.sum()))

        return interval

    def every(codes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.ones(len(codes), bool)

    quality = [
        Metric(
            "accuracy",
            "accuracy",
            class_measures.accuracy,
            interval_of=share(lambda codes, chosen: codes == chosen, every),
        ),
        Metric("macro_f1", "macro_f1", class_measures.macro_f1, short="macro F1"),
        Metric(
            LOG_LOSS, LOG_LOSS, class_measures.log_loss, greater_is_better=False, short="log loss"
        ),
        Metric("auc", "auc", class_measures.auc),
    ]
    rates = []
    for code, called in enumerate(classes):

        def is_of(codes: np.ndarray, chosen: np.ndarray, code: int = code) -> np.ndarray:
            return codes == code

        def is_given(codes: np.ndarray, chosen: np.ndarray, code: int = code) -> np.ndarray:
            return chosen == code

        def f1_interval(codes: np.ndarray, shares: np.ndarray, code: int = code) -> Interval | None:
            return measures.f1_interval(codes == code, (decided(shares) == code).astype(float))

        kinds: list[tuple[str, Measure, IntervalOf]] = [
            ("precision", class_measures.precision(code), share(is_of, is_given)),
            ("recall", class_measures.recall(code), share(is_given, is_of)),
            ("f1", class_measures.f1(code), f1_interval),
            ("selection_rate", class_measures.selection_rate(code), share(is_given, every)),
        ]
        made = {}
        for kind, terms, interval_of in kinds:
            name = f"{kind}[{called}]"
            made[kind] = Metric(name, name, terms, interval_of=interval_of, of_class=called)
        quality += [made[kind] for kind in QUALITY_BY_CLASS]
        rates += [made[kind] for kind in RATES_BY_CLASS]
    names = {
        kind: tuple(f"{kind}[{called}]" for called in classes)
        for kind in dict.fromkeys((*QUALITY_BY_CLASS, *RATES_BY_CLASS))
    }
    return Metrics(by_name(*quality), by_name(*rates), names)
