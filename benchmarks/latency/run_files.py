"""What a run of the DAG left that is measured: networks, variants, pushed versions, rows."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import measure
from benchmarks.measure import MeasurementError
from core.names import PREPROCESSING_FILE, PRUNED_FILE, STUDENT_FILE, TEACHER_FILE
from core.targets import EDGE, SERVER
from models.network.layout import Preprocessing
from models.network.preprocessing import ModelInputs, model_inputs_of
from models.network.rows import Rows, load_records, load_rows
from pipeline.config.load import load
from pipeline.settings import preprocessing_for


@dataclass(frozen=True)
class RunFiles:
    """Files of the newest run under a root.

    Attributes:
      folder: <root>/<name>.
      config: Name of the configuration.
      overrides: Of its keys.
    """

    folder: Path
    config: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def under(
        cls, root: Path | None, config: str, overrides: tuple[str, ...], scratch: Path, *seed: str
    ) -> "RunFiles":
        """Those under a root; without one, those of a run that is made in `scratch`.

        Args:
          root: Of runs.
          config: Name of the configuration.
          overrides: Of its keys.
          scratch: A folder.
          seed: A further override of the run that is made.
        """
        if root is None:
            root = scratch / "runs"
            measure.run_pipeline(config, root, (*overrides, *seed))
        return cls(root / config, config, overrides)

    def newest(self, pattern: str) -> Path:
        """The newest file or folder of a pattern; a node's executions are numbered.

        Raises:
          MeasurementError: There is none.
        """
        found = sorted(self.folder.glob(pattern), key=lambda path: path.stat().st_mtime)
        if not found:
            raise MeasurementError(f"{self.folder}: no {pattern}; run the pipeline there first")
        return found[-1]

    @property
    def graph(self) -> Path:
        """The Transform graph."""
        return self.newest("artifacts/Transform/transform_graph/*")

    @property
    def teacher(self) -> Path:
        """The teacher's Keras file, with its report beside it."""
        return self.newest(f"artifacts/Trainer/model_run/*/{TEACHER_FILE}")

    @property
    def server_network(self) -> Path:
        """Keras file of the network that is inside the server model."""
        return self.newest(f"artifacts/Trainer/model_run/*/{PRUNED_FILE}")

    @property
    def student(self) -> Path:
        """The student's Keras file."""
        return self.newest(f"artifacts/Distiller/model/*/{STUDENT_FILE}")

    @property
    def variants(self) -> list[Path]:
        """The student's TFLite files."""
        return sorted(self.newest("artifacts/Quantizer/variants/*").glob("*.tflite"))

    @property
    def server(self) -> Path:
        """The pushed SavedModel."""
        version = f"{SERVER.served(self.folder, '*').relative_to(self.folder)}/*/saved_model.pb"
        return self.newest(version).parent

    @property
    def bundle(self) -> Path:
        """The pushed edge bundle."""
        version = f"{EDGE.served(self.folder, '*').relative_to(self.folder)}/*/{PREPROCESSING_FILE}"
        return self.newest(version).parent

    def split(self, name: str) -> str:
        """File pattern of the transformed rows of a split."""
        return str(self.newest(f"artifacts/Transform/transformed_examples/*/Split-{name}") / "*")

    def requests(self, count: int) -> list[bytes]:
        """Serialized raw test rows."""
        labelled = "artifacts/SnorkelLabeler/labeled_examples/*/Split-test"
        return load_records([str(self.newest(labelled) / "*")], count)

    @property
    def preprocessing(self) -> Preprocessing:
        """What Transform was told."""
        return preprocessing_for(load(self.config, list(self.overrides)))

    @property
    def inputs(self) -> ModelInputs:
        """Widths of the models' inputs."""
        return model_inputs_of(str(self.graph), self.preprocessing)

    def test_rows(self) -> Rows:
        """The transformed test rows that have a label."""
        rows = load_rows([self.split("test")], self.inputs)
        return rows.take(np.flatnonzero(rows.weight[:, 0] > 0))
