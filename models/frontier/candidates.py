"""What can ship for a target, from its networks to rows of the table that is chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tf_keras

from core.names import NETWORK_FILES
from core.sections.evaluation import Slicing
from models.frontier.record import MeasuredVariant
from models.metrics.comparison import Difference, compare
from models.metrics.gaps import GapGrowth, gaps_between
from models.metrics.registry import Metrics, groups_by, metrics_of
from models.network.layout import Preprocessing
from models.network.rows import Rows

_QUALITY = "auc"


@dataclass(frozen=True)
class Costs:
    """What a variant costs.

    Attributes:
      bytes: Of its files.
      gzip_bytes: The same, each compressed by itself.
      latency_us: Median times in microseconds, `batch_1` of one row.
    """

    bytes: int
    gzip_bytes: int
    latency_us: Mapping[str, float]


@dataclass(frozen=True)
class Given:
    """What the variants of a target are made of.

    Attributes:
      model_run: Folder of the Trainer's networks.
      preprocessing: What Transform was given.
      transform_graph: URI of the `transform_graph` artifact of TFX Transform.
      requests: File pattern of labelled raw rows of the eval split.
      scratch: An empty folder.
      trained: The Trainer's SavedModel; None for the edge.
      variants: Folder of the TFLite variants; None for the server.
    """

    model_run: Path
    preprocessing: Preprocessing
    transform_graph: str
    requests: str
    scratch: Path
    trained: Path | None = None
    variants: Path | None = None

    def network(self, name: str) -> tf_keras.Model:
        """A network of the Trainer, by its name in NETWORK_FILES.

        Raises:
          OSError: Its file is not there.
        """
        file = self.model_run / NETWORK_FILES[name]
        return tf_keras.models.load_model(file, compile=False)


class Candidates(Protocol):
    """The variants that can ship for a target; `core/targets.py` names the module of each."""

    def answers(self, rows: Rows) -> dict[str, np.ndarray]:
        """What each answers to the rows with a weight: [rows] of two classes, [rows, K] of more.

        A network that has learnt from them is asked as it was before.
        """

    def teacher(self, rows: Rows) -> np.ndarray:
        """What the teacher that they are compared with answers to the same rows."""

    def costs(self) -> dict[str, Costs]:
        """What each costs."""

    def write(self, name: str, folder: Path) -> None:
        """Writes a variant as it is served.

        Args:
          name: One of those that `answers` names.
          folder: That is not there yet.
        """


def table_of(
    labels: np.ndarray,
    answers: Mapping[str, np.ndarray],
    costs: Mapping[str, Costs],
    teacher: np.ndarray,
    columns: Mapping[str, np.ndarray],
    evaluation: Slicing,
    classes: tuple[str, ...],
) -> list[MeasuredVariant]:
    """The variants as rows of a table.

    Args:
      labels: [rows], codes of classes.
      answers: By variant, [rows] or [rows, K].
      costs: By variant.
      teacher: The teacher's answers.
      columns: Slice columns, each [rows] of str.
      evaluation: Groups with fewer rows than `min_slice_rows` have no gap.
      classes: By their codes.
    """
    measured = metrics_of(classes)
    found = []
    for name, mine in answers.items():
        against = _difference(labels, mine, teacher, measured)
        gap, growth = _growth(labels, mine, teacher, columns, evaluation, measured)
        tied = [
            other
            for other, theirs in answers.items()
            if other != name and _is_alike(_difference(labels, mine, theirs, measured))
        ]
        found.append(
            MeasuredVariant(
                name,
                measured.quality[_QUALITY].measure(labels, mine),
                None if against is None else 0.0 - against.value,
                None if against is None else (0.0 - against.high, 0.0 - against.low),
                None if growth is None else growth.value,
                None if growth is None else (growth.low, growth.high),
                gap,
                costs[name].bytes,
                costs[name].gzip_bytes,
                costs[name].latency_us,
                tied,
            )
        )
    return found


def _difference(
    labels: np.ndarray, mine: np.ndarray, theirs: np.ndarray, measured: Metrics
) -> Difference | None:
    found = compare(labels, mine, theirs, {}, [_QUALITY], among=measured)
    return found[0] if found else None


def _is_alike(found: Difference | None) -> bool:
    return found is None or found.low <= 0.0 <= found.high


def _growth(
    labels: np.ndarray,
    mine: np.ndarray,
    teacher: np.ndarray,
    columns: Mapping[str, np.ndarray],
    evaluation: Slicing,
    measured: Metrics,
) -> tuple[str | None, GapGrowth | None]:
    """The column and rate of the gap that grew most, and its growth."""
    grown = {
        f"{column} {rate}": growth
        for column, groups in groups_by(columns, evaluation.slices).items()
        for rate, growth in gaps_between(
            labels, mine, groups, measured, evaluation.min_slice_rows, teacher
        )[1].items()
        if growth is not None
    }
    gap = max(grown, key=lambda name: grown[name].value, default=None)
    return gap, grown[gap] if gap else None
