"""Trains students on the artifacts of a run; a part of `distillation`.

    .venv/bin/python -m benchmarks.distillation.students CONFIG ROOT SEEDS FILE

ROOT holds one run of CONFIG. Into FILE go the measures of the teacher, and of the students by seed.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np
import tf_keras
from sklearn.metrics import roc_auc_score

from benchmarks import report
from core.answers import decided
from core.config import Config
from core.files import write_json
from core.names import TEACHER_FILE, TRAINING_REPORT
from core.sections.training import DistillerSection
from models.distillation.columns import ColumnPlaces, places_of
from models.distillation.distillation import distill
from models.export.tflite import convert_all, predict, single_row_latency_us
from models.network.description import describe
from models.network.network import answers_of
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import Rows, load_rows
from models.network.training import Plan
from pipeline.config.load import load
from pipeline.settings import preprocessing_for

DISTILLED = "distilled"
LABELS = "labels"
LABELS_ALONE = {"label_share": 1.0, "augmentation": 0.0, "features": 0.0}
"""What is changed in `distiller` for the same student, as long taught, without a teacher."""


@dataclasses.dataclass(frozen=True)
class RunArtifacts:
    """What a run has left.

    Attributes:
      inputs: Widths of the features.
      columns: The places of each column.
      rows: Of train, eval and test.
      teacher: The network.
      odds: What its answers are odds times of.
    """

    inputs: ModelInputs
    columns: tuple[ColumnPlaces, ...]
    rows: tuple[Rows, ...]
    teacher: tf_keras.Model
    odds: float


def read(folder: Path, config: Config) -> RunArtifacts:
    """The artifacts of the one run in a folder."""
    [graph] = (folder / "Transform" / "transform_graph").iterdir()
    [examples] = (folder / "Transform" / "transformed_examples").iterdir()
    [trained] = (folder / "Trainer" / "model_run").iterdir()
    preprocessing = preprocessing_for(config)
    inputs = model_inputs_of(str(graph), preprocessing)
    splits = ("train", "eval", "test")
    told = json.loads((trained / TRAINING_REPORT.file).read_text("utf-8"))
    return RunArtifacts(
        inputs,
        places_of(describe(str(graph), preprocessing).layout, inputs),
        tuple(load_rows([f"{examples}/Split-{split}/*"], inputs) for split in splits),
        tf_keras.models.load_model(trained / TEACHER_FILE, compile=False),
        told["odds"],
    )


def figures(answers: np.ndarray, rows: Rows) -> dict[str, float]:
    """AUC and accuracy of answers [rows]."""
    codes = rows.codes
    accuracy = float((decided(answers) == codes).mean())
    return {"auc": float(roc_auc_score(codes, answers)), "accuracy": accuracy}


def student(
    artifacts: RunArtifacts, config: Config, section: DistillerSection, seed: int
) -> dict[str, float]:
    """The measures of a student's int8 file on the test part."""
    train, evaluation, test = artifacts.rows
    tf_keras.utils.set_random_seed(seed)
    plan = Plan(section.epochs, config.trainer.batch_size, section.learning_rate, seed)
    started = time.process_time()
    network, outcome = distill(
        artifacts.teacher,
        artifacts.inputs,
        train,
        evaluation,
        plan,
        section,
        config.evaluation.edge.max_drop_from_teacher,
        artifacts.odds,
        columns=artifacts.columns,
    )
    cost = time.process_time() - started
    calibration = train.sample(config.quantizer.calibration_rows, seed)
    [content] = convert_all(network, calibration, [config.quantizer.variant]).values()
    return {
        **figures(predict(content, test.features), test),
        "bytes": len(content),
        "latency_us": single_row_latency_us(content, test),
        "cpu_seconds": cost,
        "made": outcome.rows.made,
    }


def main(name: str, root: Path, seeds: tuple[int, ...], path: Path) -> None:
    """Trains, measures and writes."""
    config = load(name, ["labeling.mode=gold"])
    artifacts = read(root / config.name / "artifacts", config)
    sections = {
        DISTILLED: config.distiller,
        LABELS: config.distiller.model_copy(update=LABELS_ALONE),
    }
    teacher = figures(answers_of(artifacts.teacher, artifacts.rows[2]), artifacts.rows[2])
    found = {
        kind: [student(artifacts, config, section, seed) for seed in seeds]
        for kind, section in sections.items()
    }
    counts = [rows.count for rows in artifacts.rows]
    write_json(path, {"teacher": teacher, "rows": counts, **found})


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), report.seeds(sys.argv[3]), Path(sys.argv[4]))
