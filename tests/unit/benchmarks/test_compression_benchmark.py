"""The benchmark of compression: kinds of zeros, and the tables."""

import numpy as np
import pytest

from benchmarks.compression import runtime
from benchmarks.compression.__main__ import WAYS, runtime_table, table_of
from models.compression.goals import follows_structure
from models.export.tflite import VARIANTS
from pipeline.config.load import load


@pytest.mark.parametrize(
    ("kind", "share"), zip(runtime.KINDS, (0.0, 0.5, 0.9, 0.5, 0.9), strict=True)
)
def test_kinds_of_zeros_are_what_they_are_called(kind: str, share: float) -> None:
    draw = np.random.default_rng(1)
    kernel = runtime._zeroed(draw.normal(size=(64, runtime.WIDTH)), kind, draw)
    assert (kernel == 0).mean() == pytest.approx(share, abs=0.02)
    assert follows_structure(kernel) == (kind == "2:4")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_a_valid_configuration(way: str) -> None:
    assert load("census", WAYS[way])


def test_a_row_of_the_table_is_a_way_and_a_variant() -> None:
    found = [
        {
            "way": way,
            "variant": variant,
            "auc": 0.9,
            "bytes": 6488,
            "gzip_bytes": 3257,
            "latency_us": 1.37,
            "sparsity": 0.5,
            "distinct": 147,
            "difference": 0.002,
        }
        for way in WAYS
        for variant in VARIANTS
    ]
    lines = table_of(found).splitlines()
    assert len(lines) == 2 + len(WAYS) * len(VARIANTS)
    assert "6,488" in lines[2]
    timed = runtime.Timed("half", "int8", True, 45.3, 2.9, 792848, 389671)
    assert "| sparse |" in runtime_table([timed])
