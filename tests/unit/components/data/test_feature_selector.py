"""FeatureSelector's logic on statistics of a few rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.data.feature_selector import (
    Drop,
    FeatureSettings,
    choose,
    find_drops,
    narrow,
    not_listed,
    score,
)
from core.errors import InputError
from core.names import LABEL, WEIGHT
from core.sections.features import Selection
from core.sections.labeling import LabelSource
from models.network.layout import Preprocessing, layout_of


def statistics_of(frame: pd.DataFrame) -> statistics_pb2.DatasetFeatureStatistics:
    return tfdv.generate_statistics_from_dataframe(frame).datasets[0]


PREPROCESSING = Preprocessing(
    numeric=("number", "noise"),
    categorical=(("useful", ("a", "b")),),
    text=None,
    passed_through=("useful",),
    classes=("no", "yes"),
    buckets=4,
)
FRAME = pd.DataFrame(
    {
        "useful": ["a", "b"] * 50,
        "constant": ["a"] * 100,
        "number": list(range(100)),
        "zeros": [0] * 100,
        "sevens": [7] * 100,
        "rare": ["x"] + [None] * 99,
    }
)


def test_drops_name_the_reason() -> None:
    bounds = Selection(select=True, keep=None, min_presence=0.05, max_share=0.99)
    drops = find_drops(statistics_of(FRAME), list(FRAME), bounds)
    reasons = {drop.column: drop.reason for drop in drops}
    assert set(reasons) == {"constant", "zeros", "sevens", "rare"}
    assert "1.00% of rows, below 5.00%" in reasons["rare"]
    assert "100.00% of rows, above 99.00%" in reasons["constant"]


def test_column_that_the_data_lacks_is_dropped() -> None:
    anything = Selection(select=True, keep=None, min_presence=0.0, max_share=1.0)
    (drop,) = find_drops(statistics_of(FRAME), ["useful", "gone"], anything)
    assert (drop.column, drop.reason) == ("gone", "not in the data")


def test_narrowed_contract_has_label_and_weight_in_training_only() -> None:
    contract = schema_pb2.Schema()
    for name in ("useful", "dropped", "sex"):
        contract.feature.add(name=name, type=schema_pb2.BYTES)
    narrowed = narrow(contract, ["useful"], ["sex"], set())
    assert [f.name for f in narrowed.feature] == ["useful", "sex", "label", "weight"]
    assert list(narrowed.feature[2].not_in_environment) == ["SERVING"]
    assert len(contract.feature) == 3


def test_a_dropped_column_that_is_sliced_on_is_no_feature() -> None:
    contract = schema_pb2.Schema()
    for name in ("useful", "sex"):
        contract.feature.add(name=name, type=schema_pb2.BYTES)
    config = Preprocessing(
        numeric=(),
        categorical=(("useful", ("a",)), ("sex", ("F",))),
        text=None,
        passed_through=(),
        classes=("no", "yes"),
        buckets=4,
    )

    def learnt_from(columns: list[str]) -> list[str]:
        narrowed = narrow(contract, columns, ["sex"], {"useful", "sex"} - {*columns})
        names = {feature.name for feature in narrowed.feature}
        return [column for column, _ in layout_of(names, config).categorical]

    assert learnt_from(["useful", "sex"]) == ["useful", "sex"]
    assert learnt_from(["useful"]) == ["useful"]


def test_a_hidden_column_is_no_feature_whatever_its_values() -> None:
    bounds = Selection(select=True, keep=None, min_presence=0.0, max_share=1.0)
    told = FeatureSettings(
        features=bounds,
        labeling=LabelSource(mode="gold"),
        preprocessing=PREPROCESSING,
        columns=("useful", "number"),
        label="answer",
        passed_through=("useful",),
        hidden=("useful", "age_group"),
    )
    kept, [drop] = choose(statistics_of(FRAME), told)
    assert kept == ["number"]
    assert (drop.column, drop.reason) == ("useful", "fairness.reads_column=false")
    assert choose(None, told)[0] == ["number"]
    contract = schema_pb2.Schema()
    for name in ("useful", "number", "answer", "id"):
        contract.feature.add(name=name)
    assert not_listed(contract, told) == [
        Drop("answer", "the label"),
        Drop("id", "not listed in columns"),
    ]
    everything = told.model_copy(update={"hidden": ("useful", "number")})
    with pytest.raises(InputError, match=r"no column is left.*fairness\.reads_column=false"):
        choose(None, everything)


def write_rows(path: Path, mode: str) -> list[str]:
    """300 rows: 50 with a true label, which `useful` tells; 200 with one that `number` tells; 50
    without.
    """
    draw = np.random.default_rng(1)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in range(300):
            useful, number = draw.choice(["a", "b"]), draw.normal()
            true, made = float(useful == "a"), float(number > 0)
            weight = 2.0 if row < 50 else 1.0 if mode == "weak" and row < 250 else 0.0
            example = tf.train.Example()
            feature = example.features.feature
            feature["useful"].bytes_list.value.append(useful.encode())
            feature["number"].float_list.value.append(number)
            feature["noise"].float_list.value.append(draw.normal())
            feature[LABEL].float_list.value.append(true if row < 50 else made)
            feature[WEIGHT].float_list.value.append(weight)
            writer.write(example.SerializeToString())
    return [str(path)]


@pytest.mark.parametrize(("mode", "first"), [("gold", "useful"), ("weak", "number")])
def test_columns_are_scored_on_the_labels_that_weigh_something(
    mode: str, first: str, tmp_path: Path
) -> None:
    contract = schema_pb2.Schema()
    contract.feature.add(name="useful", type=schema_pb2.BYTES)
    for name in ("number", "noise"):
        contract.feature.add(name=name, type=schema_pb2.FLOAT)
    told = FeatureSettings(
        features=Selection(select=True, keep=1, min_presence=0.0, max_share=1.0),
        labeling=LabelSource.model_validate({"mode": mode}),
        preprocessing=PREPROCESSING,
        columns=("useful", "number", "noise"),
        label="answer",
        passed_through=("useful",),
    )
    patterns = write_rows(tmp_path / "rows", mode)
    chosen = score(patterns, contract, ["useful", "number", "noise"], told)
    assert chosen.kept == [first]
    assert set(chosen.reasons) == {"useful", "number", "noise"} - {first}
    assert "place 3 of 3; features.keep=1" in chosen.reasons["noise"]
    needed = score(
        patterns,
        contract,
        ["useful", "number", "noise"],
        told.model_copy(update={"needed": ("noise",)}),
    )
    assert set(needed.kept) == {first, "noise"}
    without = score(patterns, contract, ["number", "noise"], told)
    assert {score.column for score in without.scores} == {"number", "noise"}
