"""Grouped rows and the shorter way give what TFMA gives row by row, to the last bit."""

import math
import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4

import apache_beam as beam
import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from sklearn import metrics
from tensorflow_model_analysis.api.types import VarLenTensorValue
from tensorflow_model_analysis.evaluators import MetricsPlotsAndValidationsEvaluator
from tensorflow_model_analysis.metrics import binary_confusion_matrices
from tensorflow_model_analysis.utils.config_util import update_eval_config_with_defaults

from components.beam import sliced_batches, tfma_fast_path
from models.metrics.registry import metrics_of
from pipeline.config.load import load
from pipeline.evaluation import eval_config

MATRIX = binary_confusion_matrices._BinaryConfusionMatrixCombiner
ROWS = 60


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """TFMA as it was installed; undo() brings the shorter way back."""
    assert tfma_fast_path.install()
    monkeypatch.setattr(MATRIX, "add_input", MATRIX.add_input.__wrapped__)
    return monkeypatch


def texts(*rows: str) -> VarLenTensorValue:
    """A string feature; an empty text stands for a missing value."""
    present = [(i, row.encode()) for i, row in enumerate(rows) if row]
    return VarLenTensorValue(
        np.array([value for _, value in present], dtype=object),
        np.array([[i, 0] for i, _ in present]).reshape(-1, 2),
        np.array([len(rows), 1]),
    )


def batch(models: tuple[str, ...] = (), **changed: np.ndarray) -> dict[str, Any]:
    """A batch of extracts as TFMA's extractors make them."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 2, ROWS).astype(np.float32)
    answers = {m: random.random((ROWS, 1)).astype(np.float32) for m in models or ("",)}
    answers[models[0] if models else ""][:6, 0] = [0.0, 1.0, 0.5, 0.49999997, 0.9999, 1e-9]
    features = {
        "sex": texts(*random.choice(["F", "M"], ROWS)),
        "race": texts(*random.choice(["A", "B", ""], ROWS)),
        "age_group": texts(*["young"] * ROWS),
    }
    return {
        tfma.FEATURES_KEY: features,
        tfma.LABELS_KEY: dict.fromkeys(models, labels) if models else labels,
        tfma.PREDICTIONS_KEY: answers if models else answers[""],
    } | changed


def keep(result: Any, folder: str) -> None:
    """Writes a result where the test finds it; Beam hands copies of lists to its steps."""
    Path(folder, uuid4().hex).write_bytes(pickle.dumps(result))


def evaluate(
    batches: list[dict[str, Any]],
    models: int,
    grouped: bool,
    folder: Path,
    classes: tuple[str, ...] = ("no", "yes"),
) -> dict[Any, Any]:
    """All metrics by slice and key, from grouped or from single rows."""
    evaluation = load("census", []).evaluation
    config = eval_config(evaluation, classes, "tf_generic")
    config = update_eval_config_with_defaults(
        config, has_baseline=models == 2, rubber_stamp=models == 1
    )
    if not grouped:
        config.metrics_specs[0].ClearField("example_weights")
    folder.mkdir()
    steps = (
        [beam.ParDo(sliced_batches.GroupBySlice(list(config.slicing_specs)))]
        if grouped
        else [
            tfma.extractors.UnbatchExtractor().ptransform,
            tfma.extractors.SliceKeyExtractor(eval_config=config, materialize=False).ptransform,
        ]
    )
    runner = beam.runners.portability.fn_api_runner.FnApiRunner()
    with beam.Pipeline(runner=runner) as pipeline:
        rows = pipeline | beam.Create(batches)
        for i, step in enumerate(steps):
            rows |= f"Step{i}" >> step
        results = rows | MetricsPlotsAndValidationsEvaluator(config).ptransform
        _ = results[tfma.METRICS_KEY] | beam.Map(keep, str(folder))
    found = [pickle.loads(file.read_bytes()) for file in folder.iterdir()]
    return {
        (key, k._replace(example_weighted=False)): value
        for key, metrics in found
        for k, value in metrics.items()
    }


def assert_equal(one: dict[Any, Any], other: dict[Any, Any]) -> None:
    assert one.keys() == other.keys()
    different = [k for k, v in one.items() if v != other[k] and not (math.isnan(v))]
    assert not different


def test_grouped_rows_are_worth_the_same(stock: pytest.MonkeyPatch, tmp_path: Path) -> None:
    batches = [batch(), batch()]
    expected = evaluate(batches, 1, False, tmp_path / "single")
    assert {key for key, _ in expected} >= {(), (("sex", "F"),), (("race", "A"), ("sex", "M"))}
    assert_equal(expected, evaluate(batches, 1, True, tmp_path / "grouped"))


def test_so_are_those_of_candidate_and_baseline_the_shorter_way(
    stock: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    batches = [batch(("candidate", "baseline"))] * 2
    expected = evaluate(batches, 2, False, tmp_path / "single")
    assert {key.model_name for _, key in expected} == {"candidate", "baseline"}
    stock.undo()
    assert_equal(expected, evaluate(batches, 2, True, tmp_path / "grouped"))


CLASSES = ("small bag", "b=o,x", "Crate[1]")


def batch_of_three(models: tuple[str, ...], seed: int) -> dict[str, Any]:
    """One-hot labels, and answers as the signatures give them: shares, names and the class."""
    draw = np.random.default_rng(seed)
    labels = np.eye(3, dtype=np.float32)[draw.integers(0, 3, ROWS)]
    found = {}
    for model in models or ("",):
        shares = draw.dirichlet([1.0, 1.0, 1.0], ROWS).astype(np.float32)
        names = np.array(CLASSES, object)
        found[model] = {
            "probabilities": shares,
            "classes": np.tile(names, (ROWS, 1)),
            "class": names[shares.argmax(axis=1)][:, None],
        }
    predictions = found if models else found[""]
    return batch(models) | {
        tfma.LABELS_KEY: dict.fromkeys(models, labels) if models else labels,
        tfma.PREDICTIONS_KEY: predictions,
    }


@pytest.mark.parametrize("models", [(), ("candidate", "baseline")])
def test_of_three_classes_tfma_gives_what_the_registry_does(
    models: tuple[str, ...], tmp_path: Path
) -> None:
    batches = [batch_of_three(models, 1), batch_of_three(models, 2)]
    known = metrics_of(CLASSES)
    found = evaluate(batches, len(models) or 1, True, tmp_path / "grouped", CLASSES)
    labels = np.concatenate(
        [b[tfma.LABELS_KEY][models[0]] if models else b[tfma.LABELS_KEY] for b in batches]
    ).argmax(axis=1)
    sexes = np.concatenate([b[tfma.FEATURES_KEY]["sex"].values for b in batches])
    for model in models or ("",):
        each = [b[tfma.PREDICTIONS_KEY] for b in batches]
        shares = np.concatenate([(p[model] if models else p)["probabilities"] for p in each])
        for key, rows in (((), sexes != b""), ((("sex", "F"),), sexes == b"F")):
            expected = known.of_slice(labels[rows], shares[rows])
            measured = {
                k.name: value
                for (where, k), value in found.items()
                if where == key and k.model_name == model and not k.is_diff
            }
            assert set(known.everything) < set(measured)
            for name in known.everything:
                assert measured[name] == pytest.approx(expected[name], abs=1e-12), name


def element(labels: Any, predictions: Any, weights: Any = None) -> Any:
    weights = np.ones(len(labels)) if weights is None else weights
    return tfma.metrics.StandardMetricInputs(
        labels=labels, predictions=predictions, example_weights=weights
    )


def combiners() -> list[Any]:
    made = binary_confusion_matrices.binary_confusion_matrices(
        thresholds=[0.5], example_weighted=True
    )
    return [c.combiner for c in made if hasattr(c, "combiner")]


ODD = {
    "plain": element(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.7, 0.7])),
    "outside": element(np.array([0.0, 1.0, 1.0]), np.array([-0.2, 1.7, 1.0])),
    "infinite": element(np.array([0.0, 1.0]), np.array([-np.inf, np.inf])),
    "fractional": element(np.array([0.25, 1.0]), np.array([0.2, 0.7])),
    "weighted": element(np.array([0.0, 1.0]), np.array([0.2, 0.7]), np.array([2.0, 0.5])),
    "integers": element(np.array([0, 1]), np.array([0.2, 0.7])),
    "columns": element(np.array([[0.0], [1.0]]), np.array([[0.2], [0.7]])),
}


@pytest.mark.parametrize("name", ODD)
def test_the_shorter_way_adds_what_tfma_adds(stock: pytest.MonkeyPatch, name: str) -> None:
    def outputs() -> list[Any]:
        made = []
        for combiner in combiners():
            accumulator = combiner.create_accumulator()
            for _ in range(3):
                accumulator = combiner.add_input(accumulator, ODD[name])
            accumulator = pickle.loads(pickle.dumps(accumulator))
            made.append(pickle.loads(pickle.dumps(combiner.extract_output(accumulator))))
        return made

    expected = outputs()
    stock.undo()
    assert outputs() == expected
    is_plain = tfma_fast_path.plain_rows(combiners()[0], ODD[name]) is not None
    assert is_plain == (name in {"plain", "outside"})


def test_nan_fails(tmp_path: Path) -> None:
    answers = np.full((ROWS, 1), 0.5, np.float32)
    answers[3] = np.nan
    with pytest.raises(RuntimeError, match="add_input failed"):
        evaluate([batch() | {tfma.PREDICTIONS_KEY: answers}], 1, True, tmp_path / "grouped")


def test_a_rare_class_has_the_figures_of_scikit_learn(tmp_path: Path) -> None:
    """All probabilities lie in the lowest of the bins of TFMA's own AUC."""
    random = np.random.default_rng(5)
    labels = (random.random(4000) < 0.005).astype(np.float32)
    answers = (1e-5 * np.exp(1.5 * labels + random.normal(size=4000))).astype(np.float32)
    sexes = ["M" if label else sex for label, sex in zip(labels, ["F", "M"] * 2000, strict=True)]
    rows = {
        tfma.FEATURES_KEY: {"sex": texts(*sexes)},
        tfma.LABELS_KEY: labels,
        tfma.PREDICTIONS_KEY: answers[:, None],
    }
    for grouped in (True, False):
        found = {
            (key, metric.name): value
            for (key, metric), value in evaluate(
                [rows], 1, grouped, tmp_path / str(grouped)
            ).items()
        }
        auc = metrics.roc_auc_score(labels, answers)
        assert found[(), "auc"] == pytest.approx(auc, abs=1e-9)
        average = metrics.average_precision_score(labels, answers)
        assert found[(), "average_precision"] == pytest.approx(average, abs=1e-9)
        assert math.isnan(found[(("sex", "F"),), "auc"]), "of one class: no figure, and not 0"


def test_an_unknown_tfma_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    add_input = MATRIX.add_input
    monkeypatch.delattr(binary_confusion_matrices, "_BinaryConfusionMatrixCombiner")
    assert not tfma_fast_path.install.__wrapped__()
    assert MATRIX.add_input is add_input
    assert "slower way" in caplog.text


def test_a_row_without_a_label_is_named() -> None:
    labels = VarLenTensorValue(np.ones(1), np.array([[1, 0]]), np.array([2, 1]))
    with pytest.raises(ValueError, match="labels: not every row has the same number of values"):
        sliced_batches.alike_by_row(labels, 2, "labels")
