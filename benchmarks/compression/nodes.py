"""Distiller and Quantizer with other options, on the artifacts of one run; a part of `compression`.

    .venv/bin/python -m benchmarks.compression.nodes CONFIG ROOT

ROOT/asked.json has `overrides` of the run, `ways` (further overrides by name) and `seeds`; ROOT has
one run of CONFIG. Writes ROOT/found.json: a list of figures, one for each way, variant and seed.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tf_keras
from sklearn.metrics import roc_auc_score

from components.training.distiller import DistillerSettings, write_student
from core.files import write_json
from core.names import STUDENT_FILE, TEACHER_FILE
from models.export.tflite import convert_all, measure, predict
from models.network.preprocessing import model_inputs_of
from models.network.rows import load_rows
from pipeline.config.load import load
from pipeline.settings import mitigation_of, preprocessing_for, settings_for

_COMPARED_ROWS = 2000


def main(name: str, root: Path) -> None:
    """Measures what `asked.json` asks for."""
    asked = json.loads((root / "asked.json").read_text("utf-8"))
    artifacts = root / name / "artifacts"
    [graph] = (artifacts / "Transform" / "transform_graph").iterdir()
    [examples] = (artifacts / "Transform" / "transformed_examples").iterdir()
    [model_run] = (artifacts / "Trainer" / "model_run").iterdir()
    found = []
    for way, overrides in asked["ways"].items():
        for seed in asked["seeds"]:
            folder = root / f"{way}-{seed}"
            folder.mkdir(exist_ok=True)
            given = [*asked["overrides"], *overrides, f"seed={seed}"]
            paths = graph, examples, model_run / TEACHER_FILE
            for row in _measured(name, given, paths, folder):
                found.append({"way": way, "seed": seed, **row})
            print(way, seed, found[-1]["auc"], flush=True)
    write_json(root / "found.json", found)


def _measured(
    name: str, overrides: list[str], paths: Sequence[Path], folder: Path
) -> Iterator[dict[str, Any]]:
    config = load(name, overrides)
    graph, examples, teacher = paths
    train, evaluation, test = (f"{examples}/Split-{s}/*" for s in ("train", "eval", "test"))
    preprocessing = preprocessing_for(config)
    # Without a bound on what is lost: as far as is asked for, whatever it costs.
    settings = settings_for(
        DistillerSettings,
        config,
        preprocessing=preprocessing,
        max_drop={},
        **mitigation_of(config),
    )
    write_student(str(folder), str(teacher), str(graph), train, evaluation, settings)
    student = tf_keras.models.load_model(folder / STUDENT_FILE, compile=False)
    inputs = model_inputs_of(str(graph), preprocessing)
    rows, unseen = load_rows([train], inputs), load_rows([test], inputs)
    contents = convert_all(student, rows.sample(config.quantizer.calibration_rows, config.seed))
    sample = rows.sample(_COMPARED_ROWS, config.seed + 1)
    for variant, told in measure(student, contents, sample, max_difference=1.0).items():
        answers = predict(contents[variant], unseen.features)
        yield {
            "variant": variant,
            "auc": float(roc_auc_score(unseen.codes, answers)),
            **{key: told[key] for key in ("bytes", "gzip_bytes", "difference", "sparsity")},
            "distinct": told["distinct_weights"],
            "latency_us": told["latency_us"]["batch_1"],
        }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
