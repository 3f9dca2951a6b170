"""Answers raw records with an edge bundle: `python run.py [BUNDLE] < rows.csv`, or JSON lines.

Needs NumPy, a TFLite interpreter, and cells.py beside it; BUNDLE is where this file lies. Prints a
line of JSON for each record. All is UTF-8; an empty cell or null is missing; every column has to be
there.
"""

import csv
import hashlib
import importlib.util
import io
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cells as raw
import numpy as np


class Bundle:
    """An edge bundle, loaded."""

    def __init__(self, folder: Path) -> None:
        """Checks the files against the manifest, where there is one, and loads the model."""
        manifest = folder / "manifest.json"
        files = json.loads(manifest.read_text("utf-8"))["files"] if manifest.exists() else {}
        for name, file in files.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != file["sha256"]:
                raise SystemExit(f"{folder / name} is not the file of {manifest}")
        self.told = json.loads((folder / "preprocessing.json").read_text("utf-8"))
        model = (folder / "tflite").read_bytes()
        self.runner = interpreter(model).get_signature_runner(self.told["signature"]["name"])

    def inputs(self, record: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """What the model takes, for one record."""
        told = self.told
        cells = {name: None if v in ("", None) else str(v) for name, v in record.items()}
        times = [(raw.moment(cells[date["column"]], date), date) for date in told.get("dates", [])]
        pairs = [(cells[column["column"]], column) for column in told["numeric"]]
        pairs += [(raw.age(time, date), date) for time, date in times]
        numbers = [raw.number(value, column, told) for value, column in pairs]
        ids = [column["offset"] + n for (_, n), (_, column) in zip(numbers, pairs, strict=True)]
        ids += [raw.listed_id(cells[column["column"]], column) for column in told["categorical"]]
        ids += [part for time, date in times for part in raw.part_ids(time, date)]
        hashed = told.get("hashed", {"columns": []})
        ids += [raw.hashed_id(cells[c["column"]], c, hashed) for c in hashed["columns"]]
        values = [value for value, _ in numbers] or [raw.empty(told)]
        found: dict[str, list[Any]] = {"numeric": values, "categorical": ids or [0]}
        if "text" in told:
            found["tokens"] = raw.tokens(cells, told["text"])
        for name, to in told["signature"].get("quantization", {}).items():
            found[name] = raw.quantized(found[name], to["scale"], to["zero_point"])
        return {n: np.array([found[n]], t) for n, t in told["signature"]["inputs"].items()}

    def answer(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The class that is chosen, and the probability of the positive class or of each."""
        told = self.told
        shares = self.runner(**self.inputs(record))[told["signature"]["output"]][0].tolist()
        if len(shares) > 1:
            return {"class": told["classes"][int(np.argmax(shares))], "probabilities": shares}
        return {"class": told["classes"][shares[0] > told["threshold"]], "probability": shares[0]}


def interpreter(model: bytes) -> Any:
    """LiteRT's, TFLite's or TensorFlow's, with the kernels that the pipeline evaluates with."""
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow.lite.python"):
        if importlib.util.find_spec(package.partition(".")[0]):
            module = importlib.import_module(f"{package}.interpreter")
            plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            return module.Interpreter(model_content=model, experimental_op_resolver_type=plain)
    raise SystemExit("there is no TFLite interpreter: pip install ai-edge-litert")


def main() -> None:
    """Answers the records of standard input."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent)
    try:
        bundle = Bundle(folder)
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"{folder} holds no edge bundle that can be read: {error}") from error
    found = raw.records(io.TextIOWrapper(sys.stdin.buffer, "utf-8-sig", newline=""))
    for place in itertools.count(1):
        try:
            if (record := next(found, None)) is None:
                break
            print(json.dumps(bundle.answer(record)), flush=True)
        except KeyError as error:
            raise SystemExit(f"record {place}: it has no column {error}") from error
        except (ValueError, csv.Error) as error:
            raise SystemExit(f"record {place}: {error}") from error


if __name__ == "__main__":
    main()
