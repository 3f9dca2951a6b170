"""Clients of pushed models, in processes that know nothing of this project."""

import json
import subprocess
import sys

SERVER = """
import json, sys
import tensorflow as tf

folder, columns, *files = sys.argv[1:]
signatures = tf.saved_model.load(folder).signatures
records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
by_examples = signatures["serving_default"](examples=tf.constant(records))["probability"]
named = {}
for name, values in json.loads(columns).items():
    text = isinstance(values[0], str)
    named[name] = tf.constant([[v] for v in values], tf.string if text else tf.float32)
by_columns = signatures["serving_columns"](**named)["probability"]
print(json.dumps([by_examples[:, 0].numpy().tolist(), by_columns[:, 0].numpy().tolist()]))
"""

# The runner that every pushed edge bundle has.
EDGE = """
import csv, json, sys

folder, path = sys.argv[1:]
sys.path.insert(0, folder)
import run

bundle = run.Bundle(run.Path(folder))
found = []
with open(path, newline="") as file:
    for row in csv.DictReader(file):
        inputs = bundle.inputs(row)
        names = ("numeric", "categorical", "tokens")
        rows = [inputs[name][0].tolist() if name in inputs else [] for name in names]
        found.append([bundle.answer(row)["probability"], *rows])
assert "tensorflow" not in sys.modules
print(json.dumps(list(zip(*found))))
"""


def fresh(code: str, *arguments: str) -> list:
    """Runs a script in a new interpreter outside the repository; returns its JSON output."""
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout.splitlines()[-1])


def row_order(files: list[str], rows: list[dict[str, str]]) -> list[int]:
    """Place in the TFRecord files of each row, by row_id."""
    import tensorflow as tf

    records = tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ids = [
        tf.train.Example.FromString(record).features.feature["row_id"].bytes_list.value[0].decode()
        for record in records
    ]
    place = {row_id: n for n, row_id in enumerate(ids)}
    return [place[row["row_id"]] for row in rows]
