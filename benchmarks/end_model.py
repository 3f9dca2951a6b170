"""The end model on labels of any origin: preprocessing once, then seconds for each training.

A real run of the DAG brings transformed rows; what varies from point to point are labels and
weights of the training rows. The network is the DAG's teacher, with the hyperparameters of the
section `trainer`; it is measured on the test part as VariantEvaluator measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegressionCV

from benchmarks import measure
from core.config import Config
from core.names import SPLITS
from models.labels.votes import ABSTAIN
from models.metrics.registry import OF_TWO
from pipeline.config.load import load
from pipeline.ingestion import staging
from pipeline.labels import analysis
from pipeline.metadata import store as metadata
from pipeline.run import environment

CONFIG = "census"
SETTINGS = ("tuner.enabled=false",)
METRICS = ("auc", "f1")


@dataclass(frozen=True)
class Prepared:
    """A finished run: its data with votes, and its transformed rows.

    Attributes:
      config: Of the run.
      folder: <root>/<name>.
      staged: Its data.
      applied: Rows of train and eval with their votes and true labels.
      train: How many of the rows are of the train split; the others are of eval.
      rows: Transformed rows of train and eval (models.network.rows), in the order of `applied`.
      test: Transformed rows of the test split, with true labels.
      inputs: Widths of the features (models.network.preprocessing.ModelInputs).
    """

    config: Config
    folder: Path
    staged: staging.Staged
    applied: analysis.Applied
    train: int
    rows: Any
    test: Any
    inputs: Any

    @property
    def truth(self) -> NDArray[np.int8]:
        """The true labels of all rows: for answers, and for nothing else."""
        return self.applied.table.true_labels(range(len(self.applied.rows)))


def prepare(root: Path, finished: bool) -> Prepared:
    """Reads what a run of the DAG made of the rows.

    Args:
      root: Folder of runs.
      finished: Whether its last run of census is taken; else one is made.
    """
    environment.prepare()
    from models.network.preprocessing import model_inputs_of  # loads TensorFlow
    from models.network.rows import Rows, load_rows  # loads TensorFlow
    from pipeline.settings import preprocessing_for  # loads TensorFlow

    if not finished:
        measure.run_pipeline(CONFIG, root, SETTINGS)
    config, folder = load(CONFIG, list(SETTINGS)), root / CONFIG
    store = metadata.open_store(folder)
    assert store is not None
    executions = {e.node: e for e in store.executions(store.run_ids()[-1])}
    outputs = executions["Transform"].outputs
    [examples], [graph] = outputs["transformed_examples"], outputs["transform_graph"]
    inputs = model_inputs_of(graph.uri, preprocessing_for(config))
    train, evaluation, test = (
        load_rows([f"{examples.uri}/Split-{split}/*"], inputs) for split in SPLITS
    )
    rows = Rows(
        *(
            np.concatenate([getattr(part, name) for part in (train, evaluation)])
            for name in ("numeric", "categorical", "label", "weight")
        )
    )
    staged = staging.stage(config, folder)
    applied = analysis.apply(config, folder, staged)
    return Prepared(config, folder, staged, applied, train.count, rows, test, inputs)


def weak_labels(prepared: Prepared, applied: analysis.Applied, seed: int) -> Any:
    """The rows as the labeler labels them: soft labels, and gold rows with their weight."""
    config = prepared.config.model_copy(update={"seed": seed})
    covered = (applied.votes != ABSTAIN).any(axis=1)
    label, weight = analysis.probability(applied, config), covered.astype(np.float32)
    gold = list(applied.gold)
    label[gold], weight[gold] = list(applied.gold.values()), config.labeling.gold_weight
    return replace(prepared.rows, label=label.astype(np.float32)[:, None], weight=weight[:, None])


def train(prepared: Prepared, rows: Any, seed: int) -> dict[str, float]:
    """Trains the teacher on the train split, stops by the eval split; metrics on test."""
    return OF_TWO.overall(prepared.test.label[:, 0], answers(prepared, rows, seed))


def answers(prepared: Prepared, rows: Any, seed: int) -> NDArray[np.float32]:
    """Trains as `train` does; answers to the test rows, float32 [rows]."""
    section = prepared.config.trainer
    fitting, evaluation = rows.take(slice(prepared.train)), rows.take(slice(prepared.train, None))
    settings = (section.epochs, section.batch_size, section.patience)
    return _fit(prepared, fitting, evaluation, settings, seed)


def train_on_gold(
    prepared: Prepared, at: Sequence[int], labels: Sequence[int], seed: int
) -> dict[str, float]:
    """Trains the same network on gold rows alone; every fifth is held out to stop by.

    Few rows make few steps, so batches are smaller and epochs more: as long as the held-out loss
    falls, with the patience of ten epochs.
    """
    label = np.array(labels, dtype=np.float32)[:, None]
    rows = replace(prepared.rows.take(np.array(at)), label=label, weight=np.ones_like(label))
    held_out = np.zeros(len(at), dtype=bool)
    for side in (0, 1):
        held_out[np.flatnonzero(label[:, 0] == side)[::5]] = True
    settings = (300, 32, 10)
    found = _fit(prepared, rows.take(~held_out), rows.take(held_out), settings, seed)
    return OF_TWO.overall(prepared.test.label[:, 0], found)


def regression_on_gold(
    prepared: Prepared, at: Sequence[int], labels: Sequence[int]
) -> dict[str, float]:
    """Logistic regression on the same features, its penalty by cross-validation."""

    def design(rows: Any) -> NDArray[np.float64]:
        ids = np.zeros((rows.count, prepared.inputs.ids))
        ids[np.arange(rows.count)[:, None], rows.categorical] = 1
        return np.hstack([rows.numeric, ids])

    model = LogisticRegressionCV(
        Cs=(0.03, 0.1, 0.3, 1.0), cv=5, scoring="neg_log_loss", max_iter=500
    )
    model.fit(design(prepared.rows.take(np.array(at))), np.array(labels))
    found = model.predict_proba(design(prepared.test))[:, 1]
    return OF_TWO.overall(prepared.test.label[:, 0], found)


def _fit(
    prepared: Prepared, rows: Any, evaluation: Any, settings: tuple[int, int, int], seed: int
) -> NDArray[np.float32]:
    import tf_keras  # loads TensorFlow

    from models.network.network import build_network  # loads TensorFlow
    from models.network.training import Plan, cross_entropy, fit  # loads TensorFlow
    from models.search.values import architecture_of, values_of  # loads TensorFlow

    epochs, batch_size, patience = settings
    values = values_of(prepared.config.trainer)
    tf_keras.utils.set_random_seed(seed)
    model = build_network(prepared.inputs, architecture_of(values), "teacher")
    plan = Plan(epochs, batch_size, values.learning_rate, seed, patience)
    fit(model, rows, evaluation, cross_entropy, plan)
    found: NDArray[np.float32] = model.predict(prepared.test.features, batch_size=8192, verbose=0)[
        :, 0
    ]
    return found
