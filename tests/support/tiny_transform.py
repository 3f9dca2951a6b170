"""A real Transform run on 240 literal rows, once for each test process."""

import functools
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, metadata_io, schema_utils

from models.network.layout import Preprocessing, TextLayout
from models.network.preprocessing import model_inputs_of, preprocessing_fn
from models.network.rows import Rows
from tests.support.tiny_rows import write_records

PREPROCESSING = Preprocessing(
    numeric=("age", "capital-gain"),
    categorical=(("work", ("Private", "Public")), ("sex", ("Female", "Male"))),
    text=TextLayout(columns=("note", "title"), vocabulary=12, width=8, ngrams=2),
    passed_through=("sex",),
    buckets=8,
    classes=("no", "yes"),
)
SPEC = {
    "age": tf.io.VarLenFeature(tf.int64),
    "capital-gain": tf.io.VarLenFeature(tf.float32),
    "work": tf.io.VarLenFeature(tf.string),
    "sex": tf.io.VarLenFeature(tf.string),
    "note": tf.io.VarLenFeature(tf.string),
    "title": tf.io.VarLenFeature(tf.string),
    "label": tf.io.VarLenFeature(tf.float32),
    "weight": tf.io.VarLenFeature(tf.float32),
}
ROWS = 240
NOTES = ("Call 07123 now!", "you call me", "", "Caf\u00c9 at 9?\t\u00a35 off")


def raw_row(number: int) -> dict[str, list[Any]]:
    """Raw row; some have no `work`, some no `note`. The label is 1 for men over 40."""
    age, male = 20 + number * 7 % 50, number % 2 == 1
    return {
        "age": [age],
        "capital-gain": [100.0 * (number % 5)],
        "work": [] if number % 7 == 0 else [b"Private" if number % 3 else b"Public"],
        "sex": [b"Male" if male else b"Female"],
        "note": [] if number % 5 == 0 else [NOTES[number % len(NOTES)].encode()],
        "title": [b"Sir" if male else b"Dear Madam"],
        "label": [float(age > 40 and male)],
        "weight": [1.0],
    }


def raw_example(number: int) -> bytes:
    """The row as a client sends it: without label and weight."""
    example = tf.train.Example()
    for name, values in raw_row(number).items():
        if name in ("label", "weight"):
            continue
        feature = example.features.feature[name]
        kind = SPEC[name].dtype
        if kind == tf.string:
            feature.bytes_list.value.extend(values)
        elif kind == tf.int64:
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    return example.SerializeToString()


@functools.cache
def tiny_transform() -> Path:
    """Returns a folder with `graph` (a transform_graph artifact) and `rows.gz`, transformed."""
    folder = Path(tempfile.mkdtemp())
    fit(folder, SPEC, PREPROCESSING)
    write_records(folder / "rows.gz", _transformed(folder / "graph"))
    return folder


def fit(
    folder: Path,
    spec: dict[str, Any],
    preprocessing: Preprocessing,
    rows: Sequence[Mapping[str, list[Any]]] | None = None,
) -> None:
    """Writes `graph`, fitted to those columns of the rows that are in `spec`."""
    rows = [raw_row(n) for n in range(ROWS)] if rows is None else rows
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    custom_config = {"settings": preprocessing.model_dump_json()}
    process = functools.partial(preprocessing_fn, custom_config=custom_config)
    with (
        beam.Pipeline(runner="DirectRunner") as pipeline,
        tft_beam.Context(temp_dir=str(folder / "tmp")),
    ):
        data = pipeline | beam.Create([{name: row.get(name, []) for name in spec} for row in rows])
        transform_fn = (data, metadata) | tft_beam.AnalyzeDataset(process)
        transform_fn | tft_beam.WriteTransformFn(str(folder / "graph"))
    metadata_io.write_metadata(metadata, str(folder / "graph" / "metadata"))


def _transformed(graph: Path) -> Rows:
    loaded = tf.saved_model.load(str(graph / "transform_fn"))
    records = []
    for number in range(ROWS):
        example = tf.train.Example.FromString(raw_example(number))
        for name in ("label", "weight"):
            example.features.feature[name].float_list.value.extend(raw_row(number)[name])
        records.append(example.SerializeToString())
    outputs = loaded.transform_fn(tf.io.parse_example(records, SPEC))
    inputs = model_inputs_of(str(graph), PREPROCESSING)
    assert outputs["numeric"].shape[1] == inputs.numeric
    names = ("numeric", "categorical", "label", "weight", "tokens")
    return Rows(*(outputs[name].numpy() for name in names))
