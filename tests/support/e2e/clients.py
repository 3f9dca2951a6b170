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

EDGE = """
import csv, json, re, sys
from datetime import datetime, timedelta
import numpy as np
from ai_edge_litert.interpreter import Interpreter

folder, rows = sys.argv[1:]
bundle = json.load(open(folder + "/preprocessing.json"))
interpreter = Interpreter(folder + "/tflite")
answer = interpreter.get_signature_runner(bundle["signature"]["name"])
buckets = bundle["buckets"]
probabilities, numeric, categorical, tokens = [], [], [], []
text = bundle.get("text", {"columns": [], "vocabulary": [], "offset": 0})
ids_of = {gram: text["offset"] + place for place, gram in enumerate(text["vocabulary"])}
hashed = bundle.get("hashed", {"columns": []})

def siphash(content, key):
    turn = lambda word, by: (word << by | word >> 64 - by) % 2**64
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    a, b, c, d = (word ^ key[n % 2] for n, word in enumerate(start))
    padded = content + bytes(7 - len(content) % 8) + bytes([len(content) % 256])
    words = [int.from_bytes(padded[at : at + 8], "little") for at in range(0, len(padded), 8)]
    for word, rounds in [*((word, 2) for word in words), (None, 4)]:
        c, d = (c ^ 255, d) if word is None else (c, d ^ word)
        for _ in range(rounds):
            a = (a + b) % 2**64; b = turn(b, 13) ^ a; a = turn(a, 32)
            c = (c + d) % 2**64; d = turn(d, 16) ^ c
            a = (a + d) % 2**64; d = turn(d, 21) ^ a
            c = (c + b) % 2**64; b = turn(b, 17) ^ c; c = turn(c, 32)
        a ^= word or 0
    return a ^ b ^ c ^ d

def moment(cell, column):  # of the formats that the tests use: year to minute, perhaps an offset
    found = re.fullmatch(column["pattern"], cell)
    if found is None:
        return None
    held = dict(zip(column["fields"], found.groups()))
    try:
        names = ("year", "month", "day", "hour", "minute", "second")
        time = datetime(*(int(held.get(name, 0)) for name in names))
    except ValueError:
        return None
    if "offset" in held:
        sign, hours, minutes = re.fullmatch("([+-])(..):?(..)", held["offset"]).groups()
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        utc = time - shift if sign == "+" else time + shift
        seconds = (utc - EPOCH).total_seconds()
        added = [added for since, added in column["offsets"] if since <= seconds][-1]
        time = utc + timedelta(seconds=added)
    return time

EPOCH = datetime(1970, 1, 1)
for row in csv.DictReader(open(rows)):
    scores, ids = [], []
    times = [moment(row[column["column"]], column) for column in bundle.get("dates", [])]
    numbers = [row[column["column"]] for column in bundle["numeric"]]
    for time, column in zip(times, bundle.get("dates", [])):
        age = time and ((time - EPOCH).total_seconds() - column["newest"]) / 86400
        numbers.append("" if time is None else age)
    for value, column in zip(numbers, [*bundle["numeric"], *bundle.get("dates", [])]):
        boundaries = np.float32(column["boundaries"])
        if value == "":
            score, bucket = np.float32(0), buckets
        else:
            value = np.float32(value)
            bucket = int(np.sum(value >= boundaries))
            score = (value - np.float32(column["center"])) / np.float32(column["scale"])
            score = np.clip(score, -bundle["limit"], bundle["limit"])
        scores.append(score)
        ids.append(column["offset"] + bucket)
    for column in bundle["categorical"]:
        value = row[column["column"]]
        known = column["values"]
        place = column["offset"] + (known.index(value) + 1 if value in known else 0)
        ids.append(place if value else column["missing"])
    for time, column in zip(times, bundle.get("dates", [])):
        for part in column["parts"]:
            values = {"month": lambda t: t.month - 1, "weekday": datetime.weekday}
            value = values.get(part["part"], lambda t: t.hour)
            ids.append(part["offset"] + (value(time) if time else part["values"]))
    for column in hashed["columns"]:
        value = row[column["column"]]
        bucket = siphash(value.encode(), hashed["key"]) % hashed["buckets"]
        other = column["offset"] + (bucket if value else hashed["buckets"])
        ids.append(column["values"].get(value, other))
    words_of_row = []
    for column in text["columns"]:
        cell = row[column]
        for pattern, replacement in text["steps"]:
            cell = re.sub(pattern, replacement, cell)
        words = [word for word in cell.lower().split(" ") if word]
        found = [ids_of.get(word, text["unknown"]) for word in words]
        for n in range(2, text["ngrams"] + 1):
            grams = (" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
            found += [ids_of[gram] for gram in grams if gram in ids_of]
        found = found[: text["width"]]
        words_of_row += found + [text["padding"]] * (text["width"] - len(found))
    inputs = {"numeric": np.float32([scores]), "categorical": np.int64([ids])}
    if text["columns"]:
        inputs["tokens"] = np.int64([words_of_row])
    out = answer(**inputs)
    probabilities.append(float(out[bundle["signature"]["output"]][0, 0]))
    numeric.append([float(score) for score in scores])
    categorical.append(ids)
    tokens.append(words_of_row)
assert "tensorflow" not in sys.modules
print(json.dumps([probabilities, numeric, categorical, tokens]))
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
