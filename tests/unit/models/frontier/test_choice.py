"""What is chosen of literal tables: limits, the frontier, ties, and tables that nothing keeps."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import InputError
from core.sections.variants import Limits
from models.frontier.choice import choose
from models.frontier.record import (
    AUTO,
    MeasuredVariant,
    VariantSelection,
    read_choice,
    write_choice,
)

KEY = "quantizer.variant"


def row(
    name: str,
    loss: float | None,
    size: int,
    us: float,
    growth: float | None = 0.0,
    tied: tuple[str, ...] = (),
    gzip: int | None = None,
) -> MeasuredVariant:
    auc = None if loss is None else 0.9 - loss
    ends = None if loss is None else (loss - 0.001, loss + 0.001)
    latency = {"batch_1": us}
    wider = None if growth is None else (growth - 0.01, growth + 0.01)
    return MeasuredVariant(
        name, auc, loss, ends, growth, wider, "sex tpr", size, gzip or size // 2, latency, tied
    )


FLOAT32 = row("float32", 0.0, 12_000, 1.2, tied=("float16",))
FLOAT16 = row("float16", 0.0001, 8_000, 1.5, tied=("float32",))
INT8 = row("int8", 0.004, 6_000, 1.0)
TABLE = (FLOAT32, FLOAT16, INT8)


def limits(**changes: Any) -> Limits:
    none = dict.fromkeys(("max_auc_loss", "max_gap_growth", "max_bytes", "max_latency_us"))
    return Limits.model_validate({**none, "prefer": "bytes", **changes})


def chosen(*table: MeasuredVariant, asked: str = AUTO, **changes: Any) -> VariantSelection:
    return choose("edge", table or TABLE, limits(**changes), asked, 6512, KEY)


@pytest.mark.parametrize(
    ("changes", "variant", "reason"),
    [
        ({}, "int8", "int8 is the smallest (6,000 bytes), AUC -0.0040 from the teacher's"),
        ({"max_auc_loss": 0.001}, "float16", "2 of 3 variants keep the limits"),
        ({"max_auc_loss": 0.001, "prefer": "latency"}, "float32", "the fastest (1.2 us a row)"),
        (
            {"prefer": "quality"},
            "float16",
            "the smallest of 2 that chance cannot tell from float32",
        ),
        ({"prefer": "quality", "max_bytes": 7_000}, "int8", "int8 is the best"),
        ({"prefer": "latency", "max_latency_us": 1.1}, "int8", "1 of 3 variants keep"),
    ],
)
def test_limits_come_first_then_what_is_preferred(
    changes: dict[str, Any], variant: str, reason: str
) -> None:
    found = chosen(**changes)
    assert found.variant == variant
    assert reason in found.reason
    assert found.reason.endswith("on 6,512 eval rows")
    assert found.keeps_limits
    assert found.note is None


def test_the_teacher_is_not_compared_with_itself() -> None:
    reason = chosen(row("teacher", 0.0, 100, 1.0), prefer="quality").reason
    assert reason == "1 of 1 variants keep the limits: teacher is the best on 6,512 eval rows"


def test_a_dominated_variant_is_named_with_what_is_better() -> None:
    worse = row("dynamic", 0.005, 9_000, 1.6)
    found = chosen(*TABLE, worse, prefer="quality")
    standing = {each.measured.name: each.dominated_by for each in found.variants}
    assert standing == {"float32": None, "float16": None, "int8": None, "dynamic": "float16"}
    assert "4 of 4 variants keep the limits, 3 of them on the frontier" in found.reason
    equal = chosen(FLOAT32, replace(FLOAT32, name="same"))
    assert [each.dominated_by for each in equal.variants] == [None, None]
    assert equal.variant == "float32"


def test_a_gap_that_grows_is_a_cost() -> None:
    fairer = row("fair", 0.004, 6_000, 1.0, growth=-0.02)
    found = chosen(INT8, fairer)
    assert found.variants[0].dominated_by == "fair"
    wide = row("wide", 0.0, 100, 0.1, growth=0.08)
    found = chosen(INT8, wide, max_gap_growth=0.05)
    assert found.variant == "int8"
    said = "gap_growth 0.08 above selection.edge.max_gap_growth 0.05 beyond chance"
    assert found.variants[1].broken == [said]


def test_a_loss_that_chance_explains_breaks_no_limit() -> None:
    few = replace(INT8, loss_interval=(-0.002, 0.01))
    assert chosen(FLOAT32, few, max_auc_loss=0.001).variant == "int8"
    # It is no better than one of the same costs whose loss is sure; that one keeps no limit.
    sure = replace(INT8, name="sure", bytes=5_000)
    found = chosen(FLOAT32, few, sure, max_auc_loss=0.001)
    assert found.variant == "int8"
    assert found.variants[1].dominated_by == "sure"


def test_among_files_as_small_and_times_as_short_the_next_cost_decides() -> None:
    dense = row("dense", 0.0, 271_000, 190.0, gzip=75_000)
    sparse = row("sparse", 0.001, 272_500, 200.0, gzip=59_000)
    assert chosen(dense, sparse).variant == "sparse"
    smaller = replace(sparse, bytes=200_000)
    found = chosen(dense, smaller, prefer="latency")
    assert found.variant == "sparse"
    assert "the smallest of 2 that are as fast" in found.reason
    slow = replace(smaller, latency_us={"batch_1": 230.0})
    assert chosen(dense, slow, prefer="latency").variant == "dense"


def test_what_nothing_keeps_is_said_in_one_line_and_the_best_is_taken() -> None:
    found = chosen(max_bytes=5_000, max_auc_loss=0.001)
    assert found.variant == "float32"
    assert not found.keeps_limits
    assert found.note == (
        "edge: no variant keeps the limits (float32: bytes 12,000 above selection.edge.max_bytes "
        "5,000; float16: bytes 8,000 above selection.edge.max_bytes 5,000; int8: auc_loss 0.004 "
        "above selection.edge.max_auc_loss 0.001 beyond chance, bytes 6,000 above "
        "selection.edge.max_bytes 5,000): float32 is taken, which loses least of the AUC; raise a "
        "limit of selection.edge, or set it to null"
    )


def test_a_fixed_variant_ships_whatever_it_breaks_and_that_is_said() -> None:
    found = chosen(asked="float16")
    assert (found.variant, found.reason, found.note) == (
        "float16",
        "quantizer.variant=float16 says so",
        None,
    )
    found = chosen(asked="int8", max_auc_loss=0.001)
    assert found.variant == "int8"
    assert found.note == (
        "edge: quantizer.variant=int8 says so; it breaks a limit: auc_loss 0.004 above "
        "selection.edge.max_auc_loss 0.001 beyond chance"
    )
    found = chosen(row("better", 0.0, 100, 0.5), INT8, asked="int8")
    assert "better is in nothing dearer and in something cheaper" in found.reason
    with pytest.raises(InputError, match=r"quantizer.variant=int4: .* give float32 or float16"):
        chosen(asked="int4")


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_what_cannot_be_measured_is_the_dearest(nothing: float | None, tmp_path: Path) -> None:
    unknown = row("unknown", 0.0, 100, 0.1)
    unknown = replace(unknown, auc=nothing, auc_loss=nothing, loss_interval=None)
    assert chosen(unknown, INT8, prefer="quality").variant == "int8"
    found = chosen(unknown, INT8, max_auc_loss=0.01)
    assert found.variant == "int8"
    assert found.variants[0].broken == [
        "auc_loss not measurable on these rows, selection.edge.max_auc_loss 0.01"
    ]
    untimed = replace(INT8, latency_us={})
    assert "as no time is known" in chosen(untimed, prefer="latency").reason
    # Nothing at all can be told: the smallest, and not silently.
    assert chosen(replace(unknown, name="other"), unknown).variant == "other"
    write_choice(tmp_path / "choice.json", found)
    assert json.loads((tmp_path / "choice.json").read_text())["variants"][0]["measured"]["auc"] is (
        None
    )


def test_a_choice_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = chosen(max_auc_loss=0.001)
    write_choice(tmp_path / "choice.json", found)
    again = read_choice(tmp_path / "choice.json")
    assert again.reason == found.reason
    assert again.limits == {"max_auc_loss": 0.001}
    assert [each.measured.name for each in again.variants] == ["float32", "float16", "int8"]
    assert again.variants[0].measured.costs == FLOAT32.costs
