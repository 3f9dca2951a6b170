"""The served model's predictions on the labelled rows of spans."""

from collections.abc import Callable, Sequence

import numpy as np

from core.config import Config
from pipeline.ingestion.spans import SourceFile
from pipeline.ingestion.window import Window
from pipeline.retraining.judged_rows import Judged, together
from pipeline.retraining.span_rows import read_files
from pipeline.run.environment import prepare


class ServedPredictions:
    """Asks a SavedModel once about each span."""

    def __init__(self, config: Config, model: str, tell: Callable[[str], None]) -> None:
        """`model` is the folder of the SavedModel; it is loaded when it is first asked."""
        self._config = config
        self._model = model
        self._tell = tell
        self._ask: Callable[[Sequence[bytes]], np.ndarray] | None = None
        self._judged: dict[tuple[SourceFile, ...], Judged] = {}

    def of(self, window: Window, span: int) -> Judged:
        """The labelled rows of a span, with the model's probabilities.

        Raises:
            InputError: a file of the span is at fault.
        """
        return self._of(window.files_of(span), f"span {span}")

    def newest(self, window: Window, spans: Sequence[int], rows: int) -> Judged:
        """Those of the newest of `spans`, as many as have `rows` labelled rows together."""
        parts: list[Judged] = []
        for span in sorted(spans, reverse=True):
            if sum(part.count for part in parts) < rows:
                parts.append(self.of(window, span))
        return together(parts)

    def of_test(self, window: Window) -> Judged:
        """Those of the test part."""
        return self._of(window.test_files, "the test part")

    def _of(self, files: tuple[SourceFile, ...], what: str) -> Judged:
        if files not in self._judged:
            self._tell(f"asking the served model about {what}")
            self._judged[files] = self._judge(files)
        return self._judged[files]

    def _judge(self, files: tuple[SourceFile, ...]) -> Judged:
        columns = self._config.columns
        rows = read_files(files, self._config).labeled(columns.label)
        codes = rows.codes(columns)
        if len(codes) == 0:
            return Judged(codes, np.zeros(0))
        if self._ask is None:
            self._ask = _load(self._model)
        from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder  # loads TensorFlow

        encoder = RecordBatchToExamplesEncoder()
        examples = [e for batch in rows.batches() for e in encoder.encode(batch)]
        return Judged(codes, self._ask(examples), rows.slices(self._config))


def _load(model: str) -> Callable[[Sequence[bytes]], np.ndarray]:
    prepare()
    from models.export.server import load_server_model  # loads TensorFlow

    return load_server_model(model)
