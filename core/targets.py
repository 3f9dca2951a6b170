"""The targets: what is deployed, where it comes from, and how it is asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Target:
    """A model that is evaluated, gated and pushed by itself.

    Attributes:
      name: In node ids, in the configuration, in metadata and on the command line.
      folder: Of its versions, under <root>/<name>.
      producer: Id of the node whose output `model` it is.
      variant_key: Configuration key of the variant that it ships, or "auto".
      candidates: Module with `open_candidates(given)`: the variants that can ship
        (models/frontier/candidates.py).
      inputs: What the Evaluator feeds it: the labelled raw Examples or the transformed ones.
      model_type: What TensorFlow Model Analysis takes it for.
      process: Module that a fresh process runs to ask it (models/export/fresh_predictions.py).
      exporter: Module with `predict_in_pipeline(features, model, model_run, variant)`: what the
        same model answers inside the pipeline.
      loader: Module with `load(folder)`: the model as a server asks it (models/export/served.py).
    """

    name: str
    folder: str
    producer: str
    variant_key: str
    candidates: str
    inputs: Literal["raw", "transformed"]
    model_type: str
    process: str
    exporter: str
    loader: str

    def served(self, run_folder: Path, name: str) -> Path:
        """The folder that a server of this target watches.

        Args:
          run_folder: <root>/<name>.
          name: The pipeline's name.
        """
        return run_folder / self.folder / name


SERVER = Target(
    name="server",
    folder="serving",
    producer="Selector.server",
    variant_key="selection.server.variant",
    candidates="models.frontier.server_candidates",
    inputs="raw",
    model_type="tf_generic",
    process="models.export.predict_server",
    exporter="models.export.server",
    loader="models.export.serve_server",
)
EDGE = Target(
    name="edge",
    folder="edge",
    producer="Selector.edge",
    variant_key="quantizer.variant",
    candidates="models.frontier.edge_candidates",
    inputs="transformed",
    model_type="tf_lite",
    process="models.export.predict_edge",
    exporter="models.export.tflite",
    loader="models.export.serve_edge",
)
TARGETS = {target.name: target for target in (SERVER, EDGE)}
"""All targets, in the order of the DAG."""
