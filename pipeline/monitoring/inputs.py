"""What is asked, beside what the version was trained on: distances, missing and unknown values."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from tensorflow_metadata.proto.v0 import statistics_pb2

from core.config import Config
from core.intervals import newcombe_interval
from models.columns.date_formats import reader_of
from pipeline.monitoring.records import BoundCheck, Unknown
from pipeline.retraining.span_rows import SpanRows
from pipeline.run.environment import prepare
from pipeline.serving.contract import ServedColumn, read_columns

Findings = Iterator[BoundCheck | Unknown]


def distances(rows: SpanRows, statistics: Path, config: Config) -> Findings:
    """Drift and skew of each column that the contract bounds, against training statistics."""
    prepare()
    import tensorflow_data_validation as tfdv  # loads TensorFlow

    from pipeline.retraining import drift  # loads TensorFlow

    trained_on = tfdv.load_stats_binary(str(statistics))
    found = drift.statistics_like(rows.batches(), trained_on)
    schema = tfdv.load_schema_text(str(config.schema_path))
    sent = set(rows.table)
    for kind, measure in (("drift", drift.measure_drift), ("skew", drift.measure_skew)):
        measured = [
            m for m in measure(found, trained_on, schema, config.contract) if m.feature in sent
        ]
        for m in measured:
            yield BoundCheck(
                kind="drift" if kind == "drift" else "skew",
                of=m.name,
                value=m.value,
                bound=m.bound,
                exceeded=m.exceeded,
                key=m.key,
            )
        if not measured:
            why = f"the contract has no {kind}_comparator for a column that is asked"
            yield Unknown(what=kind, why=why)


def values(rows: SpanRows, statistics: Path | None, config: Config) -> Findings:
    """Missing values of each column, beside those of the training rows, and unknown ones."""
    trained = None if statistics is None else _missing_in(statistics)
    if trained is None:
        yield Unknown(what="missing", why="statistics of the training rows are gone")
    contract = read_columns(config.schema_path, config.columns.dates)
    for column in config.columns.features:
        if column not in rows.table:
            why = f"requests are logged without column '{column}' (serving.log.leave_out)"
            yield Unknown(what=f"values of {column}", why=why)
            continue
        cells = rows.table[column]
        missing = float((cells == "").mean())
        if trained is not None and column in trained:
            yield _check("missing", column, missing - trained[column], config.monitor.max_missing)
        unknown = float(_is_unknown(cells, contract[column]).mean())
        if contract[column].is_bounded:
            yield _check("unknown values", column, unknown, config.monitor.max_unknown)


def unseen(rows: SpanRows, test: Path, config: Config) -> Findings:
    """Values of categories of any value that no training row has, beyond what is usual.

    Distances between such columns tell little: of thousands of values none has a share that counts.
    What is usual is the share in the test rows; the lower end of the difference's interval counts.

    Args:
      rows: Requests.
      test: The test rows of the version's run, as staged.
      config: The configuration.
    """
    contract = read_columns(config.schema_path, config.columns.dates)
    columns = [
        c for c in config.columns.categorical if c in rows.table and not contract[c].is_bounded
    ]
    if not columns:
        return
    train, usual = (
        pd.read_csv(path, usecols=columns, dtype=str, keep_default_na=False)
        for path in (test.parent.parent / "train" / test.name, test)
    )
    for column in columns:
        seen = {"", *train[column]}
        (now, there), (then, before) = (
            (int((~cells.isin(seen)).sum()), len(cells))
            for cells in (rows.table[column], usual[column])
        )
        low, _ = newcombe_interval((now, there), (then, before))
        yield _check("unknown values", column, max(0.0, low), config.monitor.max_unknown)


def _check(kind: str, column: str, value: float, bound: float) -> BoundCheck:
    key = "monitor.max_missing" if kind == "missing" else "monitor.max_unknown"
    return BoundCheck.model_validate(
        {"kind": kind, "of": column, "value": value, "bound": bound, "key": key,
         "exceeded": value > bound}
    )  # fmt: skip


def _is_unknown(cells: pd.Series, column: ServedColumn) -> pd.Series:
    """Which cells hold a value outside the contract's domain or range, or no date."""
    there = cells != ""
    if column.kind == "BYTES":
        if column.date is not None:
            return there & ~pd.Series(reader_of(column.date).read_all(cells)[1], cells.index)
        return there & ~cells.isin(column.values) if column.values is not None else there & False
    numbers = pd.to_numeric(cells.where(there))
    return there & ((numbers < column.low) | (numbers > column.high))


def _missing_in(statistics: Path) -> dict[str, float]:
    """Share of rows without a value, by column."""
    content = statistics_pb2.DatasetFeatureStatisticsList.FromString(statistics.read_bytes())
    found = {}
    for feature in content.datasets[0].features:
        common = getattr(feature, str(feature.WhichOneof("stats"))).common_stats
        rows = common.num_missing + common.num_non_missing
        if rows:
            found[feature.name or ".".join(feature.path.step)] = common.num_missing / rows
    return found
