"""The Evaluators' configuration and the choice of the baseline."""

import json
from pathlib import Path

import tensorflow_model_analysis as tfma
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.components.evaluator import constants
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing

from components.evaluator import Evaluator
from pipeline import config
from pipeline.baseline import LastBlessedOther, LastBlessedSameInputs
from pipeline.evaluation import eval_config


def test_overall_bounds_are_thresholds_of_the_overall_slice_only() -> None:
    census = config.load("census")
    made = eval_config(census.evaluation, census.evaluation.server, "tf_generic")
    metrics = {m.class_name: m for m in made.metrics_specs[0].metrics}
    (threshold,) = metrics["AUC"].per_slice_thresholds
    assert [list(spec.feature_keys) for spec in threshold.slicing_specs] == [[]]
    bound = census.evaluation.server.min["auc"]
    assert threshold.threshold.value_threshold.lower_bound.value == bound
    drop = census.evaluation.server.max_drop["auc"]
    assert threshold.threshold.change_threshold.absolute.value == -drop
    assert not metrics["F1Score"].per_slice_thresholds
    assert list(made.slicing_specs[0].feature_keys) == []


def test_tfma_accepts_the_configuration() -> None:
    census = config.load("census")
    made = eval_config(census.evaluation, census.evaluation.edge, "tf_lite")
    alone = tfma.utils.update_eval_config_with_defaults(made, has_baseline=False, rubber_stamp=True)
    tfma.utils.verify_eval_config(alone)
    assert [spec.name for spec in alone.model_specs] == [""]


def test_the_code_is_part_of_what_the_cache_goes_by() -> None:
    census = config.load("census")
    node = Evaluator(
        examples=Channel(type=Examples),
        model=Channel(type=Model),
        eval_config=eval_config(census.evaluation, census.evaluation.edge, "tf_lite"),
        module_path="components.sliced_batches",
        code_sha256="abc",
    )
    assert node.exec_properties["code_sha256"] == "abc"
    assert node.exec_properties["module_path"] == "components.sliced_batches"


def resolve(
    tmp_path: Path,
    candidate: int,
    blessings: list[tuple[int, int]],
    strategy: type[LastBlessedOther] = LastBlessedOther,
) -> int | None:
    """The baseline's id among models 1 to 3, given (model, blessed) in the order of blessing."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    models = {}
    for number in (1, 2, 3):
        models[number] = Model()
        models[number].id = number
        models[number].uri = str(tmp_path / str(number))
    given = []
    for number, (model, blessed) in enumerate(blessings):
        blessing = ModelBlessing()
        blessing.id = 100 + number
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
        given.append(blessing)
    resolved = strategy().resolve_artifacts(
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


def test_unblessed_models_are_passed_over(tmp_path: Path) -> None:
    assert resolve(tmp_path, 3, [(1, 1), (2, 0)]) == 1


def test_earlier_model_tried_again_is_compared_with_the_later_one(tmp_path: Path) -> None:
    assert resolve(tmp_path, 1, [(1, 1), (2, 1)]) == 2


def write_bundle(tmp_path: Path, model: int, variant: str, **document: object) -> None:
    folder = tmp_path / str(model) / "Format-Serving"
    folder.mkdir(parents=True)
    (folder / "preprocessing.json").write_text(json.dumps({"variant": variant, **document}))


def test_edge_baseline_reads_its_inputs_as_the_candidate_does(tmp_path: Path) -> None:
    write_bundle(tmp_path, 1, "student", buckets=32)
    write_bundle(tmp_path, 2, "student_int8", buckets=64)
    write_bundle(tmp_path, 3, "student_int8", buckets=32)
    blessings = [(1, 1), (2, 1)]
    assert resolve(tmp_path, 3, blessings, LastBlessedSameInputs) == 1
    assert resolve(tmp_path, 2, [(1, 1), (3, 1)], LastBlessedSameInputs) is None


def test_edge_bundle_that_is_gone_or_damaged_is_no_baseline(tmp_path: Path) -> None:
    write_bundle(tmp_path, 3, "student", buckets=32)
    write_bundle(tmp_path, 2, "student", buckets=32)
    (tmp_path / "2" / "Format-Serving" / "preprocessing.json").write_text('{"buckets"')
    assert resolve(tmp_path, 3, [(1, 1), (2, 1)], LastBlessedSameInputs) is None
