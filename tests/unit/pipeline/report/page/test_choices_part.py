"""The part of the page that says what ships, and its pictures."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.sections.variants import Limits
from models.frontier.choice import choose
from models.frontier.record import AUTO, MeasuredVariant, VariantSelection
from pipeline.report.page.part import RunRecord
from pipeline.report.page.parts.quality.choices import choices
from tests.support.records.measured import record_of, rows_of_two


def variant(name: str, loss: float | None, size: int, us: float) -> MeasuredVariant:
    ends = None if loss is None else (loss - 0.001, loss + 0.001)
    auc = None if loss is None else 0.9 - loss
    return MeasuredVariant(
        name, auc, loss, ends, 0.01, (-0.1, 0.2), "sex tpr", size, size // 2, {"batch_1": us}, ()
    )


TABLE = (
    variant("student", 0.001, 12_552, 1.2),
    variant("student_dynamic_int8", 0.002, 13_000, 1.5),
    variant("student_int8", 0.004, 6_488, 1.4),
)


def chosen(table: Sequence[MeasuredVariant] = TABLE, **bounds: Any) -> VariantSelection:
    none = dict.fromkeys(("max_auc_loss", "max_gap_growth", "max_bytes", "max_latency_us"))
    limits = Limits.model_validate({**none, "prefer": "bytes", **bounds})
    return choose("edge", table, limits, AUTO, 6512, "quantizer.variant")


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    return record_of(rows_of_two(), tmp_path_factory.mktemp("run"))


def with_choice(record: RunRecord, choice: VariantSelection) -> RunRecord:
    summary = record.summary.model_copy(update={"choices": {"edge": choice}})
    return replace(record, summary=summary)


def test_each_variant_stands_by_its_costs_and_how_it_fares(bare: RunRecord) -> None:
    part = choices(with_choice(bare, chosen(max_auc_loss=0.01, max_bytes=20_000)))
    assert part is not None
    assert {*part.charts} == {"choices-edge-bytes", "choices-edge-latency"}
    points = {p["variant"]: p for p in part.charts["choices-edge-bytes"]["data"]["values"]}
    assert {name: point["standing"] for name, point in points.items()} == {
        "student": "on the frontier",
        "student_dynamic_int8": "dominated by student",
        "student_int8": "ships",
    }
    told = points["student_int8"]
    assert (told["cost"], told["quality"]) == (6_488, -0.004)
    assert (told["low"], told["high"]) == pytest.approx((-0.005, -0.003))
    lines = [
        layer["data"]["values"][0]["limit"]
        for layer in part.charts["choices-edge-bytes"]["layer"]
        if "data" in layer
    ]
    assert lines == [-0.01, 20_000]
    assert "dominated by student" in part.html
    assert "student_int8 is the smallest (6,488 bytes)" in part.html
    assert (
        "Variants for the edge; limits: max_auc_loss 0.01, max_bytes 20,000; "
        "of those that keep them the smallest ships"
    ) in part.html


def test_broken_limits_are_in_the_table(bare: RunRecord) -> None:
    part = choices(with_choice(bare, chosen(max_bytes=1_000)))
    assert part is not None
    assert "no variant keeps the limits" in part.html
    points = part.charts["choices-edge-bytes"]["data"]["values"]
    assert sorted(point["standing"] for point in points) == ["breaks a limit"] * 2 + ["ships"]
    assert "bytes 6,488 above selection.edge.max_bytes 1,000" in part.html


def test_what_was_not_measured_is_in_the_table_alone(bare: RunRecord) -> None:
    unknown = [replace(variant("student", None, 100, 1.0), gap_growth=None, growth_interval=None)]
    part = choices(with_choice(bare, chosen(unknown)))
    assert part is not None
    assert part.charts == {}
    json.dumps(part.charts, allow_nan=False)


def test_a_run_of_before_has_no_such_part(bare: RunRecord, tmp_path: Path) -> None:
    assert choices(bare) is None
