"""Parquet files in the place of CSV files: the same Examples, and the same models."""

import hashlib
import shutil
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import tensorflow as tf

from tests.support.e2e.runs import Record, pipeline, summary


def examples_of(root: Path, run_id: str) -> dict[str, str]:
    """SHA-256 of the Examples of each split, each written with its features in order."""
    folder = Record(root).output(run_id, "CsvExampleGen", "examples")
    found = {}
    for path in sorted(folder.glob("Split-*/*.gz")):
        digest = hashlib.sha256()
        for content in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            example = tf.train.Example.FromString(content)
            digest.update(example.SerializeToString(deterministic=True))
        found[path.parent.name] = digest.hexdigest()
    return found


def test_the_same_rows_as_parquet_make_the_same_models(
    kept: Path, cold: str, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(kept / "smoke" / "data", raw)  # span-2 stays as it is
    for part in ("span-1", "span-3", "test"):
        (raw / part / "data.csv").unlink()
        table = pyarrow.csv.read_csv(
            kept / "smoke" / "data" / part / "data.csv",
            convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""]),
        )
        assert len(set(table.schema.types)) > 1, "numbers are numbers"
        pq.write_table(table, raw / part / "data.parquet", row_group_size=5000)
    root = tmp_path / "runs"
    settings = ("--set", f"data.folder={raw}", "--set", "data.loader=null")
    finished = pipeline("run", "--config", "smoke", "--root", str(root), *settings)
    assert finished.returncode == 0, finished.stdout
    [run_id] = Record(root).runs()
    assert len(examples_of(root, run_id)) == 3
    assert examples_of(root, run_id) == examples_of(kept, cold)
    parquet, csv = summary(root, run_id), summary(kept, cold)
    assert set(parquet["data"]["files"]) == {
        "span-1/data.parquet", "span-2/data.csv", "span-3/data.parquet", "test/data.parquet",
    }  # fmt: skip
    assert parquet["data"]["rows"] == csv["data"]["rows"]
    for name, model in csv["models"].items():
        assert parquet["models"][name]["metrics"] == model["metrics"]
