"""Extractors for the stock Evaluators: rows are grouped by slice before metrics are computed.

TFMA hands every pair of a row and a slice through Beam and its metrics on its own: half a
millisecond a row and most of what an evaluation costs. Its metrics also take many labels and
predictions at a time (so they treat the classes of a multi-label model), which gives the same sums.
The last extractor here therefore yields, instead of single rows, one extract for each slice, with
the labels and predictions of all its rows.

A row then counts through its weight, 1, so metrics have to be weighted (`example_weights` in the
EvalConfig), or ExampleCount would count groups.

The Evaluator finds `custom_extractors` by this module's name (its `module_path`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue
from tensorflow_model_analysis.api.types import VarLenTensorValue
from tensorflow_model_analysis.extractors.slice_key_extractor import SLICE_KEY_EXTRACTOR_STAGE_NAME
from tensorflow_model_analysis.extractors.unbatch_extractor import UNBATCH_EXTRACTOR_STAGE_NAME
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.slicer import slicer_lib

from components.beam import tfma_fast_path
from components.beam.tflite_rounding import rounding

_MAX_ROWS = 1 << 17


def custom_extractors(
    eval_shared_model: Any,
    eval_config: config_pb2.EvalConfig,
    tensor_adapter_config: Any,
) -> list[Any]:
    """TFMA's extractors, with the rows grouped by slice where the evaluation allows it.

    Args:
      eval_shared_model: The model, or candidate and baseline.
      eval_config: With unweighted metrics, query keys, confidence intervals or a minimum slice
        size, all of which look at single rows, the extractors are TFMA's own.
      tensor_adapter_config: How to read the examples.
    """
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
    )
    extractors = rounding(extractors, eval_config, eval_shared_model)
    last = [extractor.stage_name for extractor in extractors[-2:]]
    if last != [UNBATCH_EXTRACTOR_STAGE_NAME, SLICE_KEY_EXTRACTOR_STAGE_NAME] or not _may_group(
        eval_config
    ):
        return extractors
    tfma_fast_path.install()
    by_slice = tfma.extractors.Extractor(
        stage_name=SLICE_KEY_EXTRACTOR_STAGE_NAME,
        ptransform=beam.ParDo(GroupBySlice(list(eval_config.slicing_specs))),
    )
    return [*extractors[:-2], by_slice]


def _may_group(eval_config: config_pb2.EvalConfig) -> bool:
    options = eval_config.options
    return (
        all(s.example_weights.weighted and not s.query_key for s in eval_config.metrics_specs)
        and not any(m.example_weight_key for m in eval_config.model_specs)
        and not options.compute_confidence_intervals.value
        and options.min_slice_size.value <= 1
        and not eval_config.cross_slicing_specs
    )


class GroupBySlice(beam.DoFn):
    """Turns batches of rows into one extract for each slice and bundle."""

    def __init__(self, specs: list[config_pb2.SlicingSpec]):
        self._specs = [slicer_lib.SingleSliceSpec(spec=spec) for spec in specs]
        columns = {c for spec in specs for c in (*spec.feature_keys, *spec.feature_values)}
        self._columns = sorted(columns)

    def start_bundle(self) -> None:
        """Starts with no rows."""
        self._keys: dict[Any, list[Any]] = {}
        self._clear()

    def process(self, batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Takes the labels, predictions and slice columns of `batch`; gives out full groups.

        Raises:
          ValueError: Rows have no label, or not equally many numbers.
        """
        predictions = _numbers(_leaves(batch[tfma.PREDICTIONS_KEY]))
        size = len(next(iter(predictions.values())))
        taken = {(tfma.LABELS_KEY, *k): v for k, v in _leaves(batch[tfma.LABELS_KEY]).items()}
        taken |= {(tfma.PREDICTIONS_KEY, *k): v for k, v in predictions.items()}
        features = batch[tfma.FEATURES_KEY]
        columns = {c: values_by_row(features[c], size) for c in self._columns if c in features}
        for path, values in taken.items():
            self._taken[path].append(alike_by_row(values, size, "/".join(path)))
        by_values = defaultdict(list)
        for row, values in enumerate(
            zip(*columns.values(), strict=True) if columns else [()] * size
        ):
            by_values[tuple(columns), values].append(self._size + row)
        for values, rows in by_values.items():
            for key in self._slice_keys(*values):
                self._rows[key].append(rows)
        self._size += size
        if self._size >= _MAX_ROWS:
            yield from self._groups()
            self._clear()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Gives out the rest."""
        for group in self._groups():
            yield WindowedValue(group, GlobalWindow().max_timestamp(), [GlobalWindow()])

    def _clear(self) -> None:
        self._size = 0
        self._taken: dict[tuple[str, ...], list[np.ndarray]] = defaultdict(list)
        self._rows: dict[Any, list[list[int]]] = defaultdict(list)

    def _slice_keys(self, columns: tuple[str, ...], values: tuple[Any, ...]) -> list[Any]:
        """TFMA's slice keys of a row; asked once for all rows with the same values."""
        if (columns, values) not in self._keys:
            features = {
                column: np.array(value, dtype=object)
                for column, value in zip(columns, values, strict=True)
            }
            keys = slicer_lib.get_slices_for_features_dicts([], features, self._specs)
            self._keys[columns, values] = list(dict.fromkeys(keys))
        return self._keys[columns, values]

    def _groups(self) -> Iterator[dict[str, Any]]:
        taken = {path: np.concatenate(parts) for path, parts in self._taken.items()}
        for key, parts in self._rows.items():
            rows = np.sort(np.concatenate(parts))
            group: dict[str, Any] = {
                tfma.EXAMPLE_WEIGHTS_KEY: np.ones(len(rows)),
                tfma.SLICE_KEY_TYPES_KEY: slicer_lib.slice_keys_to_numpy_array([key]),
            }
            for path, values in taken.items():
                inner = group
                for name in path[:-1]:
                    inner = inner.setdefault(name, {})
                inner[path[-1]] = values[rows]
            yield group


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Values of nested mappings (by model, by output) by their path."""
    if not isinstance(value, Mapping):
        return {path: value}
    leaves = [_leaves(inner, (*path, name)) for name, inner in value.items()]
    return {name: leaf for part in leaves for name, leaf in part.items()}


def _numbers(leaves: dict[tuple[str, ...], Any]) -> dict[tuple[str, ...], Any]:
    """The answers without names of classes, which no metric looks at."""
    return {path: v for path, v in leaves.items() if np.asarray(v).dtype.kind not in "OSU"}


def values_by_row(value: Any, size: int) -> list[tuple[Any, ...]]:
    """The values of each row, none where the feature is missing.

    Args:
      value: A feature of a batch: an array with a row in each line, or TFMA's values with indices.
      size: Number of rows.
    """
    if isinstance(value, VarLenTensorValue):
        rows: list[list[Any]] = [[] for _ in range(size)]
        pairs: Iterable[tuple[int, Any]] = zip(
            value.indices[:, 0].tolist(), value.values.tolist(), strict=True
        )
        for row, item in pairs:
            rows[row].append(item)
        return [tuple(row) for row in rows]
    return [tuple(row) for row in np.asarray(value).reshape(size, -1).tolist()]


def alike_by_row(value: Any, size: int, name: str) -> np.ndarray:
    """A feature or answer that every row has once, as [size], or equally often, as [size, times].

    Raises:
      ValueError: A row has none, or more than another.
    """
    rows = None
    if isinstance(value, VarLenTensorValue):
        rows, value = value.indices[:, 0], value.values
    values = np.asarray(value)
    width = values.size // max(1, size)
    if rows is not None and not np.array_equal(rows, np.repeat(np.arange(size), width)):
        raise ValueError(f"{name}: not every row has the same number of values")
    if width == 0 or values.size != width * size:
        raise ValueError(f"{name}: {values.size} values for {size} rows")
    return values.reshape(size) if width == 1 else values.reshape(size, width)
