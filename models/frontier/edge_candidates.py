"""What can ship to a device: bundles of the student's TFLite files."""

import json
import shutil
from pathlib import Path

import numpy as np

from core.files import write_json
from core.names import (
    EDGE_MODEL_FILE,
    MANIFEST_FILE,
    PREPROCESSING_FILE,
    QUANTIZATION_REPORT,
    TEACHER,
)
from models.bundle.made_by import versions_of
from models.bundle.manifest import manifest_of
from models.export.tflite import predict
from models.frontier.candidates import Costs, Given
from models.network.network import answers_of
from models.network.rows import Rows


class EdgeCandidates:
    """See `Candidates`. Quantizer has left a TFLite file and its document for each."""

    def __init__(self, given: Given) -> None:
        assert given.variants is not None
        self._given, self._variants = given, given.variants
        text = Path(given.variants, QUANTIZATION_REPORT.file).read_text(encoding="utf-8")
        self._report = json.loads(text)

    def answers(self, rows: Rows) -> dict[str, np.ndarray]:
        """See `Candidates`."""
        features = rows.take(rows.weight[:, 0] > 0).features
        return {n: predict(self._file(n).read_bytes(), features) for n in self._report}

    def teacher(self, rows: Rows) -> np.ndarray:
        """See `Candidates`: the one that the student learnt from, with all that it has seen."""
        return answers_of(self._given.network(TEACHER), rows.take(rows.weight[:, 0] > 0))

    def costs(self) -> dict[str, Costs]:
        """See `Candidates`; Quantizer has measured them."""
        return {
            name: Costs(row["bytes"], row["gzip_bytes"], row["latency_us"])
            for name, row in self._report.items()
        }

    def write(self, name: str, folder: Path) -> None:
        """See `Candidates`."""
        write_bundle(self._variants, name, folder)

    def _file(self, name: str) -> Path:
        return self._variants / f"{name}.tflite"


def write_bundle(variants: Path, name: str, folder: Path) -> None:
    """Writes a bundle: the TFLite file, what a device needs beside it, and the manifest.

    Args:
      variants: Folder that Quantizer left.
      name: Of the variant.
      folder: Of the bundle; it is made.
    """
    content = (variants / f"{name}.tflite").read_bytes()
    folder.mkdir(parents=True)
    (folder / EDGE_MODEL_FILE).write_bytes(content)
    shutil.copyfile(variants / f"{name}.json", folder / PREPROCESSING_FILE)
    write_json(folder / MANIFEST_FILE, manifest_of(folder, versions_of(content)))


def open_candidates(given: Given) -> EdgeCandidates:
    """The edge's variants."""
    return EdgeCandidates(given)
