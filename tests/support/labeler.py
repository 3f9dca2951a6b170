"""SnorkelLabeler as a function of rows, through Beam and TFX's own Examples files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from tfx.types.standard_artifacts import Examples

from components.artifacts import AnomalyReport, Answers, LabelReport
from components.beam import record_batches
from components.labels.snorkel_labeler import SnorkelLabeler
from core.names import ANSWERS_FILE, LABEL, LABEL_REPORT
from data.census import spans

LABEL_COLUMN = "income-per-year"
NUMERIC = ["age", "education-num", "capital-gain", "capital-loss", "hours-per-week"]
CATEGORICAL = ["workclass", "education", "marital-status", "occupation", "relationship"]
GROUPS = ["sex", "race"]


TRAINING_ROWS, TEST_ROWS, GOLD_ROWS = 400, 60, 50


Row = dict[str, str]


@dataclass(frozen=True)
class Result:
    """Column values by split, the report and the artifact."""

    rows: dict[str, dict[str, list[Any]]]
    report: dict[str, Any]
    examples: Examples


def read_rows(source: str, prefix: str, count: int) -> list[Row]:
    header, *rows = spans.read_source(source)[: count + 1]
    return [
        {"row_id": f"{prefix}:{n}", **dict(zip(header, r, strict=True))} for n, r in enumerate(rows)
    ]


def write_examples(folder: Path, splits: dict[str, list[Row]], shards: int = 1) -> Examples:
    """Examples as CsvExampleGen writes them: an empty cell is an empty list."""
    examples = Examples()
    examples.uri = str(folder)
    examples.split_names = json.dumps(list(splits))
    for split, rows in splits.items():
        (folder / f"Split-{split}").mkdir(parents=True)
        for shard in range(shards):
            name = f"data_tfrecord-{shard:05d}-of-{shards:05d}.gz"
            part = rows[shard::shards]
            batches = [batch_of(part)] if part else []
            record_batches.write(str(folder / f"Split-{split}" / name), batches)
    return examples


def batch_of(rows: list[Row]) -> pa.RecordBatch:
    columns = {}
    for column in rows[0]:
        kind, of = (pa.int64(), int) if column in NUMERIC else (pa.binary(), str.encode)
        lists = [[of(row[column])] if row[column] else [] for row in rows]
        columns[column] = pa.array(lists, type=pa.large_list(kind))
    return pa.RecordBatch.from_pydict(columns)


def artifact(kind: type, folder: Path) -> Any:
    made = kind()
    made.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return made


def label(
    folder: Path,
    examples: Examples,
    answers: Mapping[str, Any] | None = None,
    seed: int = 1,
    groups: Sequence[str] = GROUPS,
    classes: Sequence[str] = ("<=50K", ">50K"),
    by_group: Mapping[str, str] | None = None,
    features: Sequence[str] = (*NUMERIC, *CATEGORICAL),
    **changes: Any,
) -> Result:
    """Runs the component's own function with real artifacts and a real Beam pipeline."""
    given = artifact(Answers, folder / "answers")
    (folder / "answers" / ANSWERS_FILE).write_text(json.dumps({"answers": answers or {}}))
    out = artifact(Examples, folder / "labeled")
    report = artifact(LabelReport, folder / "report")
    labeling: dict[str, Any] = {
        "mode": "weak",
        "functions": "data.census.labeling_functions",
        "gold_rows": GOLD_ROWS,
        "gold_of_class": 10,
        "gold_choice": "random",
        "random_share": 0.3,
        "gold_weight": 10.0,
        "even_errors": 0.0,
        "uncovered": "distill",
        "method": "auto",
        "epochs": 100,
        "tuning": {key: [] for key in ("learning_rate", "l2", "epochs", "prec_init")},
    }
    settings = {
        "columns": {
            "label": LABEL_COLUMN,
            "classes": list(classes),
            "positive": ">50K" if len(classes) == 2 else None,
        },
        "labeling": labeling | changes,
        "features": list(features),
        "groups": groups,
        "by_group": by_group,
        "seed": seed,
    }
    SnorkelLabeler.test_call(
        examples=examples,
        anomaly_report=artifact(AnomalyReport, folder / "anomalies"),
        answers=given,
        labeled_examples=out,
        label_report=report,
        beam_pipeline=beam.Pipeline(FnApiRunner()),
        settings=json.dumps(settings),
        code_sha256="",
    )
    rows = {
        split: read_split(Path(out.uri) / f"Split-{split}") for split in ("train", "eval", "test")
    }
    return Result(rows, json.loads((folder / "report" / LABEL_REPORT.file).read_text()), out)


def read_split(folder: Path) -> dict[str, list[Any]]:
    batches = [
        batch for path in sorted(folder.iterdir()) for batch in record_batches.read(str(path))
    ]
    names = {name for batch in batches for name in batch.schema.names}
    return {n: [v for batch in batches for v in cells(batch, n)] for n in names}


def cells(batch: pa.RecordBatch, name: str) -> list[Any]:
    """One value a row; of labels of several numbers, their list."""
    if name == LABEL and batch.column(name).value_lengths().to_pylist()[:1] not in ([], [1]):
        return batch.column(name).to_pylist()
    return record_batches.values(batch, name)


def gold_of(result: Result) -> dict[str, str]:
    splits = [result.rows["train"], result.rows["eval"]]
    pairs = [p for rows in splits for p in zip(rows["row_id"], rows[LABEL_COLUMN], strict=True)]
    return {row_id: value for row_id, value in pairs if value is not None}


def write_functions(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> str:
    """A module of three functions that vote on few rows, and one more with this body."""
    head = "from snorkel.labeling import labeling_function\n\n"
    sparse = [
        f"@labeling_function()\ndef f{n}(row):\n    return {v} if {test} else -1\n\n"
        for n, (v, test) in enumerate(
            [(0, "row['age'] < 22"), (0, "row['age'] < 25"), (1, "row['education-num'] > 13")]
        )
    ]
    last = f"@labeling_function()\ndef last(row):\n    {body}\n"
    (folder / f"{name}.py").write_text(head + "".join(sparse) + last)
    monkeypatch.syspath_prepend(str(folder))
    return name


def relabeled(census: dict[str, list[Row]], change: Callable[[Row], str]) -> dict[str, list[Row]]:
    return {
        split: rows if split == "test" else [{**r, LABEL_COLUMN: change(r)} for r in rows]
        for split, rows in census.items()
    }
