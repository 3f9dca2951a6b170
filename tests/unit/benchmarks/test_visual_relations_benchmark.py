"""The benchmark on visual relations: checks, and what stands beside the pipeline."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import quality
from benchmarks.visual_relations import study
from benchmarks.visual_relations.study import FITTED, VISUAL_RELATIONS
from pipeline.config import load as config
from pipeline.config.load import load
from pipeline.report.summary import MeasuredModel
from tests.support.data_sets import visual_relations as made


def values(accuracy: float, macro_f1: float) -> quality.Values:
    model = MeasuredModel(
        metrics={"accuracy": accuracy, "macro_f1": macro_f1},
        slices={},
        gaps={},
        bytes=1000,
        gzip_bytes=10,
        latency_us={"batch_1": 2.0},
        sparsity=0.5,
    )
    found = quality.quantities(model, VISUAL_RELATIONS)
    return {
        variant: {name: [value, value] for name, value in found.items()}
        for variant in quality.VARIANTS
    }


def test_each_kind_of_labels_has_its_targets() -> None:
    checks = study.checks({"weak": values(0.88, 0.83), "gold": values(0.90, 0.87)})
    assert [check.passed for check in checks] == [True] * 8
    checks = study.checks({"weak": values(0.87, 0.84), "gold": values(0.91, 0.86)})
    assert [check.passed for check in checks] == [False, True] * 2 + [True, False] * 2
    assert len(study.checks({"weak": values(0.88, 0.83)})) == 4


def test_what_needs_no_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = made.write(tmp_path / "source")
    monkeypatch.setattr(
        config,
        "load",
        lambda name, overrides: load(name, [*overrides, f"data.source={source}"]),
    )
    [table], found = study.beside((1, 2), tmp_path / "beside")
    for name in FITTED:
        assert name in table
        assert len(found["beside"][name]["accuracy"]) == 2
        assert min(found["beside"][name]["macro f1"]) > 0.8
    # skateboards are ridden or carried, which no pair tells
    assert found["beside"][FITTED[2]]["accuracy"][0] < found["beside"][FITTED[1]]["accuracy"][0]


def test_a_pair_that_is_not_there_gets_the_most_frequent_class() -> None:
    train = pd.DataFrame(
        {
            "subject": ["person", "person", "person", "cat"],
            "object": ["bike", "bike", "bike", "cat"],
            "relation": ["ride", "ride", "other", "other"],
        }
    )
    test = pd.DataFrame({"subject": ["person", "cat", "dog"], "object": ["bike", "cat", "car"]})
    train = pd.concat([train, train.iloc[[3]]], ignore_index=True)
    assert study._lookup(train, test) == ["ride", "other", "other"]
