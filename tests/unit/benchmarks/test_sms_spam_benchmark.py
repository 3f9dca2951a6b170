"""The benchmark on SMS spam: checks, tables, and the logistic regression beside the pipeline."""

import pytest

from benchmarks import sms_spam
from pipeline.report.summary import Model


def model(f1: float | None) -> Model:
    return Model(
        metrics={"accuracy": 0.98, "auc": 0.99, "f1": f1},
        slices={},
        gaps={},
        bytes=1000,
        gzip_bytes=10,
        latency_us={"batch_1": 2.0},
        sparsity=0.5,
    )


def values(f1: float) -> sms_spam.Values:
    found = sms_spam.quantities(model(f1))
    return {
        variant: {name: [value, value] for name, value in found.items()}
        for variant in sms_spam.VARIANTS
    }


def test_weak_labels_are_held_against_gold_labels() -> None:
    checks = sms_spam.quality_checks({"weak": values(0.91), "gold": values(0.95)})
    assert [check.passed for check in checks] == [True] * 4
    checks = sms_spam.quality_checks({"weak": values(0.87), "gold": values(0.925)})
    assert [check.passed for check in checks] == [False] * 4


def test_the_page_has_a_row_for_each_variant_and_for_the_yardstick() -> None:
    measured = {"weak": values(0.91), "gold": values(0.95)}
    linear = {"weak": [0.4, 0.6], "gold": [0.94, 0.94]}
    page = sms_spam.tables(measured, linear, (1, 2), [])
    assert page.count("0.9100 ± 0.0000") == page.count("0.9500 ± 0.0000") == 6
    assert "0.5000 ± 0.1414" in page
    assert "over seeds 1, 2" in page


def test_a_metric_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match="not measured: f1"):
        sms_spam.quantities(model(None))
