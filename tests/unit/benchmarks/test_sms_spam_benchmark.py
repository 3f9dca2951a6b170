"""The benchmark on SMS spam: checks, tables, and the logistic regression beside the pipeline."""

import pytest

from benchmarks import quality, sms_spam
from benchmarks.sms_spam import SMS_SPAM
from pipeline.report.summary import MeasuredModel


def model(f1: float | None) -> MeasuredModel:
    return MeasuredModel(
        metrics={"accuracy": 0.98, "auc": 0.99, "f1": f1},
        slices={},
        gaps={},
        bytes=1000,
        gzip_bytes=10,
        latency_us={"batch_1": 2.0},
        sparsity=0.5,
    )


def values(f1: float) -> quality.Values:
    found = quality.quantities(model(f1), SMS_SPAM)
    return {
        variant: {name: [value, value] for name, value in found.items()}
        for variant in quality.VARIANTS
    }


def test_weak_labels_are_held_against_gold_labels() -> None:
    checks = sms_spam.checks({"weak": values(0.91), "gold": values(0.95)})
    assert [check.passed for check in checks] == [True] * 4
    checks = sms_spam.checks({"weak": values(0.87), "gold": values(0.925)})
    assert [check.passed for check in checks] == [False] * 4
    assert sms_spam.checks({"weak": values(0.91)}) == []
    assert len(sms_spam.checks({"gold": values(0.95)})) == 2


def test_the_page_has_a_row_for_each_variant_and_for_the_yardstick() -> None:
    measured = {"weak": values(0.91), "gold": values(0.95)}
    linear = {"weak": [0.4, 0.6], "gold": [0.94, 0.94]}
    extra = [sms_spam.yardstick_table(linear)]
    page = quality.tables(SMS_SPAM, measured, (1, 2), [], extra)
    assert page.count("0.9100 ± 0.0000") == page.count("0.9500 ± 0.0000") == 7
    assert "0.5000 ± 0.1414" in page
    assert "over seeds 1, 2" in page


def test_a_metric_without_a_value_is_named() -> None:
    with pytest.raises(ValueError, match="not measured: f1"):
        quality.quantities(model(None), SMS_SPAM)
