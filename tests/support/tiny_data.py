"""A data set of 600 rows in five columns, and a configuration for it."""

from pathlib import Path

from ruamel.yaml import YAML

CONTRACT = """
feature { name: "age" type: INT }
feature { name: "hours" type: FLOAT }
feature { name: "job" type: BYTES }
feature { name: "note" type: BYTES }
feature { name: "class" type: BYTES }
feature { name: "row_id" type: BYTES }
feature { name: "age_group" type: BYTES }
"""
HEADER = "age,hours,job,note,class"
ROWS = 200  # in each of span-1, span-2 and test


def cells(number: int) -> list[str]:
    """Row `number`; in the first rows, `22` is the age of the third, and `n2` its note."""
    return [
        str(20 + number % 50),
        str(number % 7),
        ("cook", "clerk", "")[number % 3],
        f"n{number}",
        ("yes", "no")[number % 2],
    ]


def table(rows: int, start: int = 0) -> str:
    """A CSV text with header."""
    return "\n".join([HEADER, *(",".join(cells(n)) for n in range(start, start + rows))]) + "\n"


def write_raw(folder: Path) -> Path:
    """Writes span-1, span-2 and test under <folder>/raw, the contract beside it; returns raw."""
    raw = folder / "raw"
    for part, start in (("span-1", 0), ("span-2", ROWS), ("test", 2 * ROWS)):
        (raw / part).mkdir(parents=True)
        (raw / part / "data.csv").write_text(table(ROWS, start))
    (folder / "schema.pbtxt").write_text(CONTRACT)
    return raw


def write_config(folder: Path) -> str:
    """Writes <folder>/tiny.yaml for the data of `write_raw`; returns its path."""
    values = {
        "extends": "census",
        "name": "tiny",
        "data": {"folder": str(folder / "raw"), "max_repeated": None},  # its rows come again
        "schema": str(folder / "schema.pbtxt"),
        "columns": {
            "label": "class",
            "positive": "yes",
            "classes": ["no", "yes"],
            "numeric": ["age", "hours"],
            "categorical": ["job"],
            "groups": {"age_group": {"column": "age", "bounds": [25, 40, 65]}},
        },
        "labeling": {"gold_rows": 10},
        "explain": {"actionable": ["hours", "job"]},
        "cards": {"sensitive": ["age"]},
        "evaluation": {
            "slices": [["age_group"]],
            "server": {"max_gap": {}, "max_gap_growth": {}},
            "edge": {"max_gap": {}, "max_gap_growth": {}},
        },
    }
    path = folder / "tiny.yaml"
    YAML().dump(values, path)
    return str(path)
