"""What the modelling nodes make of the rows of tiny_transform.py."""

import json
from pathlib import Path
from typing import Any

from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types.standard_artifacts import HyperParameters, TunerResults

from components.training.distiller import DistillerSettings, write_student
from components.training.quantizer import QuantizerSettings, write_variants
from components.training.trainer import run_fn
from components.training.tuner import tuner_fn, write_results
from models.frontier.edge_candidates import write_bundle
from tests.support.tiny_transform import PREPROCESSING, tiny_transform

TRAINER = {
    "kind": "wide_and_deep",
    "trees": 20,
    "opinion_share": 0.5,
    "decay": False,
    "augmentation": "auto",
    "all_rows": False,
    "warm_start": False,
    "epochs": 4,
    "patience": 2,
    "batch_size": 32,
    "learning_rate": 0.02,
    "hidden_units": [8],
    "dropout": 0.1,
    "embedding_dim": 2,
    "l2": 0.0,
    "rare_share": 0.05,
    "sparsity": 0.5,
    "pruning_epochs": 2,
}
DISTILLER = {
    "epochs": 3,
    "hidden_units": [4],
    "embedding_dim": 2,
    "learning_rate": 0.02,
    "temperature": 2.0,
    "label_share": 0.1,
    "steps": 20,
    "augmentation": 1.0,
    "swap": 0.25,
    "features": 0.0,
    "sparsity": 0.5,
    "pruning_epochs": 2,
}
QUANTIZER = {"calibration_rows": 50, "max_difference": 0.1}
COMMON = {"preprocessing": PREPROCESSING.model_dump(mode="json"), "seed": 1}
BATCHES = {"batch_size": 32}
DISTILLER_SETTINGS = DistillerSettings.model_validate_json(
    json.dumps({**COMMON, "trainer": BATCHES, "distiller": DISTILLER})
)
SEARCH = {
    name: TRAINER[name]
    for name in (
        "kind",
        "trees",
        "opinion_share",
        "decay",
        "augmentation",
        "epochs",
        "patience",
        "batch_size",
        "rare_share",
        "learning_rate",
        "hidden_units",
        "dropout",
        "embedding_dim",
        "l2",
    )
}


def told(**settings: Any) -> dict[str, str]:
    """The custom_config of a stock node."""
    return {"settings": json.dumps({**COMMON, **settings})}


def quantizer_settings(**changes: Any) -> QuantizerSettings:
    return QuantizerSettings.model_validate_json(
        json.dumps({**COMMON, "quantizer": {**QUANTIZER, **changes}})
    )


def paths() -> dict[str, Any]:
    rows = str(tiny_transform() / "rows.gz")
    graph = str(tiny_transform() / "graph")
    return {"train_files": [rows], "eval_files": [rows], "transform_graph_path": graph}


def make_nodes(path: Path) -> Path:
    """What the nodes write: hyperparameters, model, model_run, student, variants and edge."""
    for name in ("hyperparameters", "results", "student", "variants"):
        (path / name).mkdir()
    search = told(tuner={"enabled": True, "trials": 2, "epochs": 2}, trainer=SEARCH)
    arguments = FnArgs(working_dir=str(path / "tmp"), custom_config=search, **paths())
    result = tuner_fn(arguments)
    result.tuner.search(**result.fit_kwargs)
    best, results = HyperParameters(), TunerResults()
    best.uri, results.uri = str(path / "hyperparameters"), str(path / "results")
    write_results(result.tuner, {"best_hyperparameters": [best], "tuner_results": [results]})
    arguments.hyperparameters = json.loads(
        (path / "hyperparameters" / "best_hyperparameters.txt").read_text()
    )
    arguments.custom_config = told(trainer=TRAINER)
    arguments.serving_model_dir = str(path / "model")
    arguments.model_run_dir = str(path / "model_run")
    run_fn(arguments)
    graph, rows = str(tiny_transform() / "graph"), str(tiny_transform() / "rows.gz")
    teacher = str(path / "model_run" / "teacher.keras")
    write_student(str(path / "student"), teacher, graph, rows, rows, DISTILLER_SETTINGS)
    write_variants(
        str(path / "variants"),
        str(path / "student" / "student.keras"),
        graph,
        rows,
        quantizer_settings(),
    )
    write_bundle(path / "variants", "student_int8", path / "edge" / "Format-Serving")
    return path
