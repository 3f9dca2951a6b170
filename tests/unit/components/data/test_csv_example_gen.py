"""CsvExampleGen: types of the contract, absent cells, bad files; the node in a real pipeline."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import example_gen_pb2

from components.beam import record_batches
from components.data.csv_example_gen import CsvExampleGen, read_csv
from core import csv_text
from core.contract import read_contract
from core.errors import InputError
from core.names import SPLITS
from pipeline.config.load import load
from pipeline.ingestion.staging import stage
from pipeline.metadata.connection import sqlite_connection
from pipeline.run.events import Event, NodeFinished
from pipeline.run.runner import NodeRunner
from pipeline.settings import beam_args
from tests.support.tiny_data import HEADER, write_config, write_raw

TYPES = {"age": "INT", "hours": "FLOAT", "job": "BYTES", "note": "BYTES"}


def write_csv(folder: Path, text: str) -> str:
    path = folder / "data.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def rows_of(path: Path) -> list[dict[str, list[int | float | bytes]]]:
    """Values by column of each row; columns without one are left out."""
    rows = []
    for record in tf.data.TFRecordDataset([str(path)], "GZIP").as_numpy_iterator():
        row = {}
        for name, feature in tf.train.Example.FromString(record).features.feature.items():
            if kind := feature.WhichOneof("kind"):
                row[name] = list(getattr(feature, kind).value)
        rows.append(row)
    return rows


def test_cells_have_the_types_of_the_contract_and_empty_ones_are_absent(tmp_path: Path) -> None:
    text = 'age,hours,job,note\n30,1.5,cook,"a, ""b""\nc"\n,2,7,\n40,,,NA\n'
    record_batches.write(str(tmp_path / "out.gz"), read_csv(write_csv(tmp_path, text), TYPES))
    assert rows_of(tmp_path / "out.gz") == [
        {"age": [30], "hours": [1.5], "job": [b"cook"], "note": [b'a, "b"\nc']},
        {"hours": [2.0], "job": [b"7"]},
        {"age": [40], "note": [b"NA"]},
    ]


def test_floats_are_rounded_once_from_64_bits_as_clients_and_functions_have_them(
    tmp_path: Path,
) -> None:
    # Halfway between two floats of 32 bits, and written shorter than it is.
    cells = ["1.0000000596046448", "0.1", "16777217.0", "3.4028235e+38", "1e-45", "-0.0"]
    [batch] = read_csv(write_csv(tmp_path, "hours\n" + "\n".join(cells) + "\n"), TYPES)
    found = batch.column(0).flatten().to_numpy()
    assert found.dtype == np.float32
    assert found.tolist() == [float(np.float32(float(cell))) for cell in cells]


def test_cells_as_staging_writes_them_are_read_whatever_is_in_them(tmp_path: Path) -> None:
    odd = ["one\rtwo", "one\r\ntwo", "\0", "a\u2028b\x85", "\ufeffx", " ", "x" * 3_000_000, '"']
    lines = csv_text.to_lines([["age", "note"], *([str(n), cell] for n, cell in enumerate(odd))])
    (tmp_path / "data.csv").write_text("".join(lines), encoding="utf-8", newline="")
    batches = list(read_csv(str(tmp_path / "data.csv"), TYPES))
    notes = [note for batch in batches for note in batch.column(1).flatten().to_pylist()]
    assert [note.decode() for note in notes] == odd


def test_rows_keep_their_order_over_many_batches(tmp_path: Path) -> None:
    text = "age,note\n" + "".join(f"{n},{'x' * 50}\n" for n in range(50_000))
    batches = list(read_csv(write_csv(tmp_path, text), TYPES))
    assert len(batches) > 1
    ages = [age for batch in batches for age in batch.column(0).flatten().to_pylist()]
    assert ages == list(range(50_000))


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "mpty"),
        ("age,salary\n1,2\n", "no column 'salary'"),
        ("age,job\nold,cook\n", "'old'"),
        ("age,job\n1\n", "Expected 2 columns, got 1"),
    ],
)
def test_bad_file_is_named(tmp_path: Path, text: str, part: str) -> None:
    path = write_csv(tmp_path, text)
    with pytest.raises(InputError) as error:
        list(read_csv(path, TYPES))
    assert path in str(error.value)
    assert part in str(error.value)


@pytest.fixture
def run_once(tmp_path: Path) -> Callable[[], str]:
    """Stages two spans of 42 rows and runs the node; returns its state.

    Each part would be guessed differently: whole floats, numbers for text, no notes, few labels.
    """
    write_raw(tmp_path)
    for number, part in enumerate(("span-1", "span-2", "test")):
        rows = [f"{20 + n},{n}{'.5' * (number == 1)},cook,,{'yes' * (n < 9)}" for n in range(40)]
        if part == "test":
            rows = [f"{20 + n}.0,,7,,{('yes', 'no')[n % 2]}" for n in range(40)]
        rows += ["30,1,7,,no", "30,,7,,no"]
        (tmp_path / "raw" / part / "data.csv").write_text("\n".join([HEADER, *rows]))
    config = load(write_config(tmp_path), [])

    run_ids = iter(("20260102T030405Z", "20260102T030406Z"))

    def run() -> str:
        staged = stage(config, tmp_path / "run")
        example_gen = CsvExampleGen(
            input_base=staged.path,
            input_config=example_gen_pb2.Input(
                splits=[example_gen_pb2.Input.Split(name=s, pattern=f"{s}/*.csv") for s in SPLITS]
            ),
            types=read_contract(config.schema_path),
            source_files=[(file.name, file.sha256) for file in staged.files],
            code_sha256="1",
        )
        connection = sqlite_connection(tmp_path / "run")
        states: list[str] = []

        def listen(event: Event) -> None:
            if isinstance(event, NodeFinished):
                states.append(f"{event.node} {event.state}")

        pipeline = Pipeline(
            pipeline_name="types",
            pipeline_root=str(tmp_path / "run" / "artifacts"),
            metadata_connection_config=connection,
            components=[example_gen],
            beam_pipeline_args=beam_args(config),
            enable_cache=True,
        )
        NodeRunner(next(run_ids), tmp_path / "run", connection, listen).run(pipeline)
        return states[0]

    return run


def test_node_in_a_pipeline(tmp_path: Path, run_once: Callable[[], str]) -> None:
    assert run_once() == "CsvExampleGen RAN"
    folder = tmp_path / "run" / "artifacts" / "CsvExampleGen" / "examples" / "1"
    rows = {
        split: rows_of(folder / f"Split-{split}" / "data_tfrecord-00000-of-00001.gz")
        for split in SPLITS
    }
    assert len(rows["train"]) + len(rows["eval"]) == 84
    assert rows["test"][1] == {
        "row_id": [b"test:2"],
        "age": [21],
        "job": [b"7"],
        "class": [b"no"],
        "age_group": [b"<25"],
    }
    kinds = {
        name: {type(row[name][0]) for split in SPLITS for row in rows[split] if name in row}
        for name in ("age", "hours", "job", "note", "class")
    }
    assert kinds == {
        "age": {int},
        "hours": {float},
        "job": {bytes},
        "note": set(),
        "class": {bytes},
    }
    assert run_once() == "CsvExampleGen CACHED", "the fingerprint is that of the files"
