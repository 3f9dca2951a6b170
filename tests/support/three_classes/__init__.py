"""A data set of three classes: its rows, contract and configuration."""

from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

CLASSES = ("small bag", "b=o,x", "Crate[1]")
"""Names with what separates words, keys, cells and indices elsewhere."""

HEADER = "mass,length,shape,site,kind"
SHAPES = ("round", "flat", "long", "")
SITES = ("north", "south")
ROWS = {"span-1": 900, "span-2": 900, "test": 600}

CONTRACT = """
feature { name: "mass" type: FLOAT }
feature { name: "length" type: INT }
feature { name: "shape" type: BYTES domain: "shape" }
feature { name: "site" type: BYTES domain: "site" }
feature { name: "kind" type: BYTES not_in_environment: "SERVING" }
feature { name: "row_id" type: BYTES not_in_environment: "SERVING" }
string_domain { name: "shape" value: "round" value: "flat" value: "long" }
string_domain { name: "site" value: "north" value: "south" }
default_environment: "TRAINING"
default_environment: "SERVING"
"""


def table(part: str) -> str:
    """A part as CSV: the kind follows mass, length and shape, but for one row in eight."""
    draw = np.random.RandomState([*ROWS].index(part))
    rows = ROWS[part]
    mass, length = draw.gamma(2.0, 10.0, rows), draw.randint(1, 400, rows)
    shape, site = draw.randint(0, len(SHAPES), rows), draw.randint(0, len(SITES), rows)
    kind = np.where(mass < 12, 0, np.where((length < 180) ^ (shape == 2), 1, 2))
    kind = np.where(draw.rand(rows) < 1 / 8, draw.randint(0, len(CLASSES), rows), kind)
    lines = [HEADER]
    for n in range(rows):
        name = CLASSES[kind[n]]
        quoted = f'"{name}"' if "," in name else name
        lines.append(f"{mass[n]:.3f},{length[n]},{SHAPES[shape[n]]},{SITES[site[n]]},{quoted}")
    return "\n".join(lines) + "\n"


def write(folder: Path, mode: str = "weak") -> str:
    """Writes spans, contract and configuration below a folder; returns the configuration's path."""
    for part in ROWS:
        (folder / "raw" / part).mkdir(parents=True)
        (folder / "raw" / part / "data.csv").write_text(table(part))
    (folder / "schema.pbtxt").write_text(CONTRACT)
    bounds = {
        "min": {"accuracy": 0.6, "macro_f1": 0.6, "auc": 0.7},
        "min_by_class": {"recall": 0.4},
        "min_by_slice": {"accuracy": 0.5},
        "max_gap": {"site": {"recall": 0.5, "selection_rate": 0.4}},
        "max_gap_growth": {"site": {"recall": 0.3}},
    }
    values = {
        "name": "kinds",
        "data": {"folder": str(folder / "raw")},
        "schema": str(folder / "schema.pbtxt"),
        "columns": {
            "label": "kind",
            "classes": list(CLASSES),
            "numeric": ["mass", "length"],
            "categorical": ["shape", "site"],
        },
        "labeling": {
            "mode": mode,
            "functions": "tests.support.three_classes.labeling_functions",
            "gold_rows": 150,
        },
        "explain": {"rows": 60, "background": 20, "actionable": ["mass", "length", "shape"]},
        "tuner": {"enabled": False},
        "trainer": {"epochs": 30, "batch_size": 64, "learning_rate": 0.005},
        "distiller": {"epochs": 25},
        "evaluation": {
            "slices": [["site"], ["shape"]],
            "min_slice_rows": 100,
            "server": bounds,
            "edge": bounds,
        },
    }
    path = folder / "kinds.yaml"
    YAML().dump(values, path)
    return str(path)
