"""What is served, asked about rows that its pipeline never saw."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

from core.config import Config
from core.targets import TARGETS
from models.export import predict_edge
from models.export.raw_rows import RawRows, load_raw_rows
from models.export.server import load_server_model
from models.metrics.registry import OF_TWO, slice_rows
from pipeline.ingestion.contract import raw_columns
from pipeline.retraining.span_rows import SpanRows
from pipeline.versions.served import live

_TYPES = {"INT": tf.int64, "FLOAT": tf.float32, "BYTES": tf.string}
QUALITY = ("auc", "accuracy")
RECALL = {"tpr": "tpr", "fpr": "tnr"}
Quality = Mapping[str, float]
"""`auc`, `accuracy`, and `tpr` and `tnr` overall and by sex: `tpr sex=Female`."""


@dataclass(frozen=True)
class Unseen:
    """Rows, and the code of their class: 1 where they are positive."""

    rows: RawRows
    codes: np.ndarray

    def of(self, target: str, folder: Path) -> Quality:
        """Quality of the version in a folder."""
        if target == "server":
            probabilities = load_server_model(str(folder))(self.rows.examples)
        else:
            probabilities = predict_edge.predict(folder, self.rows.columns, 1).probabilities
        everyone = {"": np.ones(len(self.codes), bool)}
        by_sex = slice_rows({"sex": self.rows.columns["sex"]}, [["sex"]])
        found = {}
        for where, members in {**everyone, **by_sex}.items():
            for name, metric in OF_TWO.compared.items():
                if name not in RECALL and (where or name not in QUALITY):
                    continue
                value = metric.measure(self.codes[members], probabilities[members])
                assert value is not None, f"{name} {where}"
                value = 1.0 - value if name == "fpr" else value
                found[f"{RECALL.get(name, name)} {where}".strip()] = value
        return found


def unseen(table: pd.DataFrame, config: Config) -> Unseen:
    """Rows of the census that no pipeline was given."""
    columns = config.columns
    kinds = raw_columns(config).kinds
    raw = SpanRows(table.reset_index(drop=True), kinds)
    encoder = RecordBatchToExamplesEncoder()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "rows")
        with tf.io.TFRecordWriter(path) as writer:
            for batch in raw.batches():
                for example in encoder.encode(batch):
                    writer.write(example)
        spec = {c: tf.io.VarLenFeature(_TYPES[kind]) for c, kind in kinds.items()}
        rows = load_raw_rows([path], spec)
    return Unseen(rows, raw.codes(columns))


def served(rows: Unseen, run_folder: Path, name: str) -> dict[str, Quality]:
    """Quality of what is live, by target."""
    versions = {target: live(run_folder, name, target) for target in TARGETS}
    return {str(t): rows.of(t, version.path) for t, version in versions.items() if version}


def falls(before: Mapping[str, Quality], now: Mapping[str, Quality]) -> dict[str, float]:
    """By how much each figure of each target is worse now: `server auc`."""
    return {
        f"{target} {name}": value - now[target][name]
        for target, found in before.items()
        for name, value in found.items()
    }
