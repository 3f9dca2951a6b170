"""CsvExampleGen guesses types split by split: staging makes it guess the contract's in each."""

from pathlib import Path

import pytest

from pipeline import environment
from pipeline.config import load
from pipeline.staging import SPLITS, stage
from tests.unit.tiny_data import HEADER, write_config, write_raw


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Data of which each part would be guessed differently: whole floats, no notes, no labels."""
    write_raw(tmp_path)
    for number, part in enumerate(("span-1", "span-2", "test")):
        rows = [f"{20 + n},{n}{'.5' * (number == 1)},cook,,{'yes' * (n < 9)}" for n in range(40)]
        if part == "test":
            rows = [f"{20 + n}.0,,7,,{('yes', 'no')[n % 2]}" for n in range(40)] + ["1,1,cook,,no"]
        else:
            rows += ["30,1,cook,,no", "30,,7,,no"]
        (tmp_path / "raw" / part / "data.csv").write_text("\n".join([HEADER, *rows]))
    return tmp_path


def test_examples_have_the_types_of_the_contract_in_every_split(folder: Path) -> None:
    environment.prepare()
    import tensorflow as tf
    from tfx.components import CsvExampleGen
    from tfx.orchestration.metadata import sqlite_metadata_connection_config
    from tfx.orchestration.pipeline import Pipeline
    from tfx.proto import example_gen_pb2

    from pipeline.runner import NodeRunner
    from pipeline.settings import beam_args

    config = load(write_config(folder), ["data.rows=120"])
    staged = stage(config, folder / "run")
    splits = [example_gen_pb2.Input.Split(name=s, pattern=f"{s}/*.csv") for s in SPLITS]
    example_gen = CsvExampleGen(
        input_base=staged.path, input_config=example_gen_pb2.Input(splits=splits)
    )
    database = folder / "run" / "metadata.sqlite"
    pipeline = Pipeline(
        pipeline_name="types",
        pipeline_root=str(folder / "run" / "artifacts"),
        metadata_connection_config=sqlite_metadata_connection_config(str(database)),
        components=[example_gen],
        beam_pipeline_args=beam_args(config),
    )
    NodeRunner("20260102T030405Z", database, lambda event: None).run(pipeline)
    for split in SPLITS:
        files = folder.glob(f"run/artifacts/CsvExampleGen/examples/1/Split-{split}/*")
        records = tf.data.TFRecordDataset([str(file) for file in files], "GZIP")
        kinds: dict[str, set[str | None]] = {}
        count = 0
        for record in records.as_numpy_iterator():
            count += 1
            example = tf.train.Example.FromString(record)
            for name, feature in example.features.feature.items():
                kind = feature.WhichOneof("kind")
                if kind is not None and getattr(feature, kind).value:
                    kinds.setdefault(name, set()).add(kind)
        assert count == staged.rows[split]
        assert kinds.pop("age") == {"int64_list"}
        assert kinds.pop("hours") == {"float_list"}
        assert "note" not in kinds, "a column without values stays missing"
        assert set(kinds) >= {"row_id", "job", "class", "age_group"}
        assert all(found == {"bytes_list"} for found in kinds.values())
