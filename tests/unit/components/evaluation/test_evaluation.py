"""The Evaluators' configuration and the choice of the baseline."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from rich.console import Console
from tensorflow.core.protobuf import saved_model_pb2
from tfx.components.evaluator import constants
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, PushedModel

from components.evaluation.evaluator import Evaluator
from components.evaluation.fairness_gate import apply_gates
from core.version_record import withdrawn_folder
from models.export.model_content import content_sha256
from models.metrics.comparison import compare
from models.metrics.registry import METRICS, OF_TWO, RATES, THRESHOLD, Metric, Terms
from pipeline.config import load as config
from pipeline.evaluation import eval_config
from pipeline.report.display import print_results
from pipeline.report.summary import Summary
from pipeline.resolvers import LastBlessedOther, LiveOther, WarmStart, rolled_back_models
from tests.support.records.summaries import VALUES

BOTH = ("no", "yes")


def test_the_one_threshold_says_that_there_were_rows() -> None:
    census = config.load("census")
    made = eval_config(census.evaluation, BOTH, "tf_generic")
    metrics = {m.class_name: m for m in made.metrics_specs[0].metrics}
    (threshold,) = metrics.pop("ExampleCount").per_slice_thresholds
    assert [list(spec.feature_keys) for spec in threshold.slicing_specs] == [[]]
    assert threshold.threshold.value_threshold.lower_bound.value == 1
    assert not any(
        metric.per_slice_thresholds or metric.HasField("threshold") for metric in metrics.values()
    ), "bounds are judged by FairnessGate"
    assert list(made.slicing_specs[0].feature_keys) == []


def test_every_metric_of_the_registry_is_measured_under_its_name() -> None:
    made = eval_config(config.load("census").evaluation, BOTH, "tf_generic")
    own = {
        json.loads(m.config)["name"]: m.module
        for m in made.metrics_specs[0].metrics
        if m.class_name == "RegistryMetric"
    }
    assert own == {m.tfma_name: "components.beam.exact_metrics" for m in METRICS.values()}
    [indicators] = [
        m for m in made.metrics_specs[0].metrics if m.class_name == "FairnessIndicators"
    ]
    thresholds = json.loads(indicators.config)["thresholds"]
    for rate in RATES.values():
        assert rate.tfma_name.endswith(f"@{thresholds[0]}")


def test_an_entry_is_all_that_a_new_metric_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here precision: configured, measured by TFMA, gated, compared, shown."""

    def precision(positive: np.ndarray, probabilities: np.ndarray) -> Terms | None:
        chosen = positive[probabilities > THRESHOLD].astype(float)
        return (float(chosen.mean()), [chosen - chosen.mean()]) if len(chosen) else None

    entry = Metric("precision", "precision", precision, "Precision")
    monkeypatch.setitem(METRICS, "precision", entry)
    loaded = config.load("census", ["evaluation.edge.min.precision=0.7"])
    made = eval_config(loaded.evaluation, BOTH, "tf_lite")
    assert "Precision" in {metric.class_name for metric in made.metrics_specs[0].metrics}
    tfma.utils.verify_eval_config(made)
    labels, answers = np.array([1, 1, 0, 0]), np.array([0.9, 0.2, 0.7, 0.1])
    measured = {"overall": OF_TWO.overall(labels, answers)}
    bounds = loaded.evaluation.edge.model_copy(update={"max_gap": {}})
    [gate] = [
        g
        for g in apply_gates("edge", measured, None, bounds, loaded.evaluation)
        if g.metric == "precision"
    ]
    assert (gate.value, gate.passed, gate.key) == (0.5, False, "evaluation.edge.min.precision")
    assert [d.metric for d in compare(labels, answers, answers, {}, ["precision"])] == ["precision"]
    out = Console(width=140, record=True, file=io.StringIO())
    print_results(out, Summary.model_validate({**VALUES, "gates": [gate]}))
    assert out.export_text().count("precision") == 3, "metric, key, column of the models table"


def test_tfma_accepts_the_configuration() -> None:
    census = config.load("census")
    made = eval_config(census.evaluation, BOTH, "tf_lite")
    alone = tfma.utils.update_eval_config_with_defaults(made, has_baseline=False, rubber_stamp=True)
    tfma.utils.verify_eval_config(alone)
    assert [spec.name for spec in alone.model_specs] == [""]


def test_the_code_is_part_of_what_the_cache_goes_by() -> None:
    census = config.load("census")
    node = Evaluator(
        examples=Channel(type=Examples),
        model=Channel(type=Model),
        eval_config=eval_config(census.evaluation, BOTH, "tf_lite"),
        module_path="components.beam.sliced_batches",
        code_sha256="abc",
    )
    assert node.exec_properties["code_sha256"] == "abc"
    assert node.exec_properties["module_path"] == "components.beam.sliced_batches"


def answering(classes: int) -> bytes:
    """A SavedModel's file, as far as its signature says what it answers."""
    content = saved_model_pb2.SavedModel()
    signature = content.meta_graphs.add().signature_def["serving_default"]
    name, width = ("probability", 1) if classes == 2 else ("probabilities", classes)
    for size in (-1, width):
        signature.outputs[name].tensor_shape.dim.add().size = size
    written: bytes = content.SerializeToString()
    return written


def resolve(
    tmp_path: Path,
    candidate: int,
    blessings: list[tuple[int, int]],
    inputs: str = "raw",
    classes: Mapping[int, int] | None = None,
) -> int | None:
    """The baseline's id among models 1 to 3, given (model, blessed) in the order of blessing.

    `classes` are how many a model tells apart, where it is not two.
    """
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    models = {}
    for number in (1, 2, 3):
        models[number] = Model()
        models[number].id = number
        models[number].uri = str(tmp_path / str(number))
        (tmp_path / str(number) / "Format-Serving").mkdir(parents=True, exist_ok=True)
        content = tmp_path / str(number) / "Format-Serving" / "content"
        if not content.exists():
            content.write_text(f"model {number}")
        answers = content.with_name("saved_model.pb")
        if inputs == "raw" and not answers.exists():
            answers.write_bytes(answering((classes or {}).get(number, 2)))
    given = []
    for number, (model, blessed) in enumerate(blessings):
        blessing = ModelBlessing()
        blessing.id = 100 + number
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
        given.append(blessing)
    resolved = LastBlessedOther(str(tmp_path / "serving"), inputs).resolve_artifacts(
        MetadataStore(connection),
        {
            "candidate": [models[candidate]],
            "model": list(models.values()),
            "model_blessing": given,
        },
    )
    return resolved["model"][0].id if resolved["model"] else None


def test_first_model_has_no_baseline(tmp_path: Path) -> None:
    assert resolve(tmp_path, 1, []) is None


def test_blessed_candidate_is_not_its_own_baseline(tmp_path: Path) -> None:
    assert resolve(tmp_path, 1, [(1, 1)]) is None
    assert resolve(tmp_path, 2, [(1, 1), (2, 1)]) == 1


def test_a_model_of_the_candidates_content_is_no_baseline(tmp_path: Path) -> None:
    for number in (2, 3):
        (tmp_path / str(number) / "Format-Serving").mkdir(parents=True)
        (tmp_path / str(number) / "Format-Serving" / "content").write_text("the same")
    assert resolve(tmp_path, 3, [(1, 1), (2, 1)]) == 1


def test_unblessed_models_are_passed_over(tmp_path: Path) -> None:
    assert resolve(tmp_path, 3, [(1, 1), (2, 0)]) == 1


def test_earlier_model_tried_again_is_compared_with_the_later_one(tmp_path: Path) -> None:
    assert resolve(tmp_path, 1, [(1, 1), (2, 1)]) == 2


def test_a_model_of_more_or_fewer_classes_is_no_baseline(tmp_path: Path) -> None:
    blessed = [(1, 1), (2, 1)]
    assert resolve(tmp_path / "a", 3, blessed, classes={2: 3}) == 1
    assert resolve(tmp_path / "b", 3, blessed, classes={1: 4, 2: 3, 3: 4}) == 1
    assert resolve(tmp_path / "c", 3, blessed, classes={1: 4, 3: 3}) is None
    for name, content in (("d", b"\x07no such thing"), ("e", b"")):
        damaged = tmp_path / name / "2" / "Format-Serving"
        damaged.mkdir(parents=True)
        (damaged / "saved_model.pb").write_bytes(content)
        assert resolve(tmp_path / name, 3, blessed) == 1


def test_a_model_that_was_rolled_back_is_no_baseline(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number) / "Format-Serving"
        folder.mkdir(parents=True)
        (folder / "tflite").write_text(f"model {number}")
    assert resolve(tmp_path, 3, [(1, 1), (2, 1)]) == 2
    shutil.copytree(folder, withdrawn_folder(tmp_path / "serving") / "17")
    assert rolled_back_models(tmp_path / "serving") == [
        (17, content_sha256(folder), "no reason given")
    ]
    assert resolve(tmp_path, 3, [(1, 1), (2, 1)]) == 1


def live_other(tmp_path: Path, candidate: int, pushed: list[tuple[int, int]]) -> int | None:
    """The version compared with, given (id of the artifact, version) of all pushes."""
    served = tmp_path / "serving"
    artifacts = []
    for number, version in pushed:
        artifact = PushedModel()
        artifact.id = number
        artifact.set_int_custom_property("pushed", 1)
        artifact.set_string_custom_property("pushed_version", str(version))
        artifacts.append(artifact)
    model = Model()
    model.uri = str(tmp_path / "models" / str(candidate))
    found = LiveOther(str(served)).resolve_artifacts(
        MetadataStore(metadata_store_pb2.ConnectionConfig(fake_database={})),
        {"candidate": [model], "pushed_model": artifacts},
    )["pushed_model"]
    return found[0].id if found else None


def serve_model(tmp_path: Path, version: int, model: int) -> None:
    source = tmp_path / "models" / str(model) / "Format-Serving"
    source.mkdir(parents=True, exist_ok=True)
    (source / "tflite").write_text(f"model {model}")
    shutil.copytree(source, tmp_path / "serving" / str(version))


def test_the_live_version_is_that_of_another_model(tmp_path: Path) -> None:
    (tmp_path / "models" / "9" / "Format-Serving").mkdir(parents=True)
    assert live_other(tmp_path, 9, []) is None
    serve_model(tmp_path, 100, 1)
    assert live_other(tmp_path, 1, [(1, 100)]) is None, "pushing the candidate changes nothing"
    serve_model(tmp_path, 200, 2)
    both = [(1, 100), (2, 200)]
    assert live_other(tmp_path, 9, both) == 2
    assert live_other(tmp_path, 2, both) == 1, "pushing the candidate changes nothing"
    again = [*both, (3, 200)]
    assert live_other(tmp_path, 9, again) == 2, "the first artifact stands for a version"
    assert live_other(tmp_path, 9, [(1, 100)]) == 1, "a version without a record is passed over"
    shutil.rmtree(tmp_path / "serving" / "200")
    assert live_other(tmp_path, 9, both) == 1


def write_bundle(tmp_path: Path, model: int, variant: str, **document: object) -> None:
    folder = tmp_path / str(model) / "Format-Serving"
    folder.mkdir(parents=True)
    (folder / "preprocessing.json").write_text(json.dumps({"variant": variant, **document}))


def test_edge_baseline_reads_its_inputs_as_the_candidate_does(tmp_path: Path) -> None:
    write_bundle(tmp_path, 1, "student", buckets=32)
    write_bundle(tmp_path, 2, "student_int8", buckets=64)
    write_bundle(tmp_path, 3, "student_int8", buckets=32)
    blessings = [(1, 1), (2, 1)]
    assert resolve(tmp_path, 3, blessings, "transformed") == 1
    assert resolve(tmp_path, 2, [(1, 1), (3, 1)], "transformed") is None


def test_edge_bundle_that_is_gone_or_damaged_is_no_baseline(tmp_path: Path) -> None:
    write_bundle(tmp_path, 3, "student", buckets=32)
    write_bundle(tmp_path, 2, "student", buckets=32)
    (tmp_path / "2" / "Format-Serving" / "preprocessing.json").write_text('{"buckets"')
    assert resolve(tmp_path, 3, [(1, 1), (2, 1)], "transformed") is None


class Work:
    """A store with Trainers that read the examples with id 1."""

    def __init__(self, folder: Path) -> None:
        connection = metadata_store_pb2.ConnectionConfig()
        connection.sqlite.filename_uri = str(folder / "metadata.sqlite")
        connection.sqlite.connection_mode = 3
        self.store = MetadataStore(connection)
        self.folder = folder
        self._model = self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
        self._type = self.store.put_execution_type(metadata_store_pb2.ExecutionType(name="T"))
        self.examples = self.add_artifact()

    def add_artifact(self) -> int:
        artifact = metadata_store_pb2.Artifact(type_id=self._model)
        return int(self.store.put_artifacts([artifact])[0])

    def train(self, settings: dict[str, object], base: int | None, state: int = 3) -> int:
        """Adds an execution that was given `base`; returns the id of its model."""
        execution = metadata_store_pb2.Execution(type_id=self._type, last_known_state=state)
        execution.custom_properties["custom_config"].string_value = json.dumps(settings)
        [number] = self.store.put_executions([execution])
        model = self.add_artifact()
        events = [("examples", self.examples, 3), ("model", model, 4)]
        events += [("base_model", base, 3)] if base else []
        for key, artifact, kind in events:
            event = metadata_store_pb2.Event(artifact_id=artifact, execution_id=number, type=kind)
            event.path.steps.add().key = key
            self.store.put_events([event])
        return model

    def resolve(
        self, settings: dict[str, object], models: list[int], blessed: list[int]
    ) -> int | None:
        def artifact(kind: type, number: int) -> Any:
            made = kind()
            made.id, made.uri = number, str(self.folder / str(number))
            return made

        blessings = []
        for place, number in enumerate(blessed):
            blessing = artifact(ModelBlessing, 1000 + place)
            blessing.set_int_custom_property("current_model_id", number)
            blessing.set_int_custom_property("blessed", 1)
            blessings.append(blessing)
        strategy = WarmStart(str(self.folder / "serving"), json.dumps(settings))
        found = strategy.resolve_artifacts(
            self.store,
            {
                "examples": [artifact(Examples, self.examples)],
                "model": [artifact(Model, number) for number in models],
                "model_blessing": blessings,
            },
        )["model"]
        return found[0].id if found else None


def test_training_starts_from_the_last_blessed_model(tmp_path: Path) -> None:
    work = Work(tmp_path)
    assert work.resolve({"seed": 1}, [], []) is None
    first = work.train({"seed": 1}, None)
    assert work.resolve({"seed": 1}, [first], [first]) is None, "not from its own model"
    assert work.resolve({"seed": 2}, [first], [first]) == first
    assert work.resolve({"seed": 2}, [first], []) is None, "not from one that was not blessed"
    second = work.train({"seed": 2}, first)
    both = [first, second]
    assert work.resolve({"seed": 2}, both, both) == first, "the same work has the same start"
    assert work.resolve({"seed": 1}, both, both) is None
    assert work.resolve({"seed": 3}, both, both) == second
    work.train({"seed": 4}, first, state=4)
    assert work.resolve({"seed": 4}, both, both) == second, "a failed training does not count"
    assert work.resolve({"seed": 2}, [second], [second]) == second, "the first one is gone"
