"""Training rows that are kept beside a version that is served, for explanations of its answers."""

from pathlib import Path

from core.names import TRAINING_ROWS_FILE
from core.sections.explaining import KeptRows
from core.sections.section import Section
from models.explain.coding import cells_of
from models.explain.training_rows import describe, write_training_rows
from models.export.raw_rows import sample_rows

_DESCRIBED = 5000  # rows of which quantiles and shares are taken


class KeptSettings(Section):
    """What is kept.

    Attributes:
      explain: How many rows, if any.
      columns: What the models may learn from.
      types: The contract's, INT, FLOAT or BYTES by column.
      seed: Of the draw.
    """

    explain: KeptRows
    columns: tuple[str, ...]
    types: dict[str, str]
    seed: int


def keep(pattern: str, folder: Path, settings: KeptSettings) -> None:
    """Writes TRAINING_ROWS_FILE into a folder, if it is to be kept.

    Args:
      pattern: Of the TFRecords of training rows.
      folder: Where it goes.
      settings: What is kept.
    """
    if not settings.explain.keep_rows:
        return
    types = {name: settings.types[name] for name in settings.columns}
    rows = sample_rows([pattern], types, _DESCRIBED, settings.seed)
    numbers = [name for name, kind in types.items() if kind != "BYTES"]
    texts = [name for name, kind in types.items() if kind == "BYTES"]
    cells = cells_of(numbers, texts, rows.columns)  # type: ignore[arg-type]
    described = describe(cells, settings.explain.background, settings.seed)
    write_training_rows(folder / TRAINING_ROWS_FILE, described)
