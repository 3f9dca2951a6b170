"""`init` on data of its own kind, then a run of what it wrote, in a copy of the repository."""

import csv
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from core.files import REPOSITORY
from pipeline.config.overlay import parse_yaml
from pipeline.report.summary import Summary

TAXI = "tfx/examples/chicago_taxi_pipeline/data/simple/data.csv"
NEEDED = (
    "pipeline", "components", "models", "core", "data", "configs", "schema", "environment",
)  # fmt: skip
FEWER = (
    "tuner.enabled=false", "trainer.epochs=4", "distiller.epochs=4", "trainer.pruning_epochs=1",
    "distiller.pruning_epochs=1",
)  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parts of the repository that a run needs, in a folder that may be written to."""
    folder = tmp_path_factory.mktemp("repository")
    for name in NEEDED:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def pipeline(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=copy, env={**os.environ, "COLUMNS": "200"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip


def files(copy: Path) -> set[str]:
    found = (path for path in copy.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(copy).as_posix() for path in found}


def summary(copy: Path, name: str) -> Summary:
    [path] = (copy / "runs" / name / "reports").glob("*/summary.json")
    return Summary.model_validate_json(path.read_text())


def test_taxi_trips_run_at_once(copy: Path) -> None:
    before = files(copy)
    taxi = str(importlib.metadata.distribution("tfx").locate_file(TAXI))
    described = pipeline(
        copy, "init", "--csv", taxi, "--label", "payment_type", "--name", "taxi",
        "--kind", "tips=leave-out", "--kind", "trip_start_hour=category",
    )  # fmt: skip
    assert described.returncode == 0, described.stdout
    assert files(copy) - before == {
        "configs/taxi.yaml", "schema/taxi/schema.pbtxt", "schema/taxi/CHANGELOG.md",
        "data/taxi/__init__.py", "data/taxi/README.md", "data/taxi/spans.py",
        "data/taxi/labeling_functions.py", "data/taxi/raw/data.csv",
    }  # fmt: skip
    rare = "left out: pickup_census_tract: empty in 99.99% of the rows"
    weakly = "--set labeling.mode=weak"
    for part in (rare, weakly, "('Dispute': 4, 'Pcard': 3,", "seconds since 1970, %s", "4 classes"):
        assert part in described.stdout, part
    check = [sys.executable, "-m", "ruff"]
    for command in (["check"], ["format", "--check"]):
        subprocess.run([*check, *command, "data/taxi"], cwd=copy, check=True)
    # How a trip is paid is hard to tell: 2,000 rows would not show it to be more than chance.
    finished = pipeline(
        copy, "run", "--config", "taxi", "--smoke", "--set", "data.rows=null", *weakly.split()
    )
    assert finished.returncode == 0, finished.stdout
    written = summary(copy, "taxi-smoke")
    assert written.state == "COMPLETE"
    for target, pushed in written.pushed.items():
        assert pushed.version is not None or pushed.why, target
    assert written.pushed["edge"].version is not None, finished.stdout
    assert written.labels is not None
    assert len(written.labels.functions) >= 2
    assert all(0.05 < each.coverage < 0.6 for each in written.labels.functions.values())


def awkward() -> bytes:
    """300 rows: semicolons, decimal commas, quoted line ends, names that no input can have."""
    rng = np.random.default_rng(4)
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    header = [
        "Nr.",
        "Größe (m²)",
        "class",
        "Bezahlt?",
        "Datum",
        "Notiz",
        "Leer",
        "名前",
        "Geschlecht",
        "Status",
    ]
    writer.writerow(header)
    for n in range(300):
        size = rng.normal(80, 25)
        status = "gut" if (size > 85) != (rng.random() < 0.1) else rng.choice(["mäßig", "übel"])
        writer.writerow([
            1000 + n, f"{size:.1f}".replace(".", ","), rng.choice(["A", "B", "?"]),
            rng.choice(["ja", "nein"]), f"{1 + n % 28:02d}.03.2024", f'Nummer {n};\n"so" war es',
            "", rng.choice(["甲", "乙"]), rng.choice(["m", "w"]), "" if n % 3 == 0 else status,
        ])  # fmt: skip
    return "\ufeff".encode() + text.getvalue().encode()


def test_awkward_columns_run_to_both_targets(copy: Path, tmp_path: Path) -> None:
    path = tmp_path / "mängel.csv"
    path.write_bytes(awkward())
    described = pipeline(
        copy, "init", "--csv", str(path), "--label", "Status", "--positive", "gut",
        "--name", "awkward",
    )  # fmt: skip
    assert described.returncode == 0, described.stdout
    changes = [part for value in FEWER for part in ("--set", value)]
    finished = pipeline(copy, "run", "--config", "awkward", "--smoke", *changes)
    assert finished.returncode == 0, finished.stdout
    run = copy / "runs" / "awkward-smoke"
    [edge] = (run / "edge").glob("*/*/preprocessing.json")
    known = json.loads(edge.read_text())
    assert [column["column"] for column in known["numeric"]] == ["grosse_m2"]
    values = {column["column"]: column["values"] for column in known["categorical"]}
    assert values == {
        "class_": ["A", "B"], "bezahlt": ["ja", "nein"], "column_8": ["乙", "甲"],
        "Geschlecht": ["m", "w"],
    }  # fmt: skip
    assert known["text"]["columns"] == ["Notiz"]
    assert [(date["column"], date["format"]) for date in known["dates"]] == [("Datum", "%d.%m.%Y")]
    [server] = (run / "serving").glob("*/*")
    answer = tf.saved_model.load(str(server)).signatures["serving_columns"](
        grosse_m2=tf.constant([[120.0], [30.0]]),
        class_=tf.constant([["A"], [""]]),
        bezahlt=tf.constant([["ja"], ["nein"]]),
        column_8=tf.constant([["甲"], ["乙"]]),
        Geschlecht=tf.constant([["m"], ["w"]]),
        Notiz=tf.constant([["so war es"], [""]]),
        Datum=tf.constant([["01.03.2024"], [""]]),
    )
    probabilities = answer["probability"].numpy()[:, 0]
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert probabilities[0] != probabilities[1]
    slices = summary(copy, "awkward-smoke").models["teacher_pruned"].slices
    assert {name.partition("=")[0] for name in slices} == {"Geschlecht"}


KINDS = ("repair", "sale", "complaint")


def tickets(rows: int = 2400) -> pd.DataFrame:
    """Tickets of three kinds, told by month, region of the postcode and words of the title.

    `refund` is there for complaints alone; `ticket` is an id; a few rows are of a fourth kind.
    """
    rng = np.random.default_rng(6)
    month, region = rng.integers(1, 13, rows), rng.integers(1, 10, rows)
    place = 10000 * region + 101 * rng.integers(0, 60, rows)
    scores = np.stack([month > 8, region > 5, rng.random(rows) < 0.4], axis=1)
    kind = np.argmax(scores + rng.normal(0, 0.35, scores.shape), axis=1)
    words = np.array([["Boiler", "Heater"], ["Offer", "Order"], ["Late", "Broken"]])
    first = np.where(rng.random(rows) < 0.7, words[kind, rng.integers(0, 2, rows)], "Other")
    names = np.array([*KINDS, "praise"])
    kind[:4] = 3
    return pd.DataFrame({
        "ticket": [f"T-{n:06d}" for n in rng.permutation(rows)],
        "opened": [f"2024-{m:02d}-{d:02d} {h:02d}:15:00" for m, d, h in zip(
            month, rng.integers(1, 29, rows), rng.integers(7, 19, rows), strict=True)],
        "postcode": place.astype(str),
        "title": [f"{a} {b} {c}" for a, b, c in zip(
            first, rng.choice(["Kitchen", "Garage", "Attic"], rows),
            [f"Unit{n}" for n in rng.integers(0, 900, rows)], strict=True)],
        "refund": [f"{x:.2f}" if k == 2 else "" for x, k in zip(
            rng.normal(40, 9, rows), kind, strict=True)],
        "channel": rng.choice(["mail", "phone"], rows),
        "kind": names[kind],
    })  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_several_classes_dates_and_postcodes_run_to_both_targets(
    copy: Path, tmp_path: Path, ending: str
) -> None:
    path, table, name = tmp_path / f"tickets.{ending}", tickets(), f"tickets_{ending}"
    if ending == "csv":
        table.to_csv(path, index=False)
    else:
        opened = pd.to_datetime(table["opened"])
        refund = pd.to_numeric(table["refund"])
        table.assign(opened=opened, refund=refund).to_parquet(path)
    described = pipeline(
        copy, "init", "--csv", str(path), "--label", "kind", "--name", name, "--slice", "channel"
    )
    assert described.returncode == 0, described.stdout
    told = " ".join(described.stdout.split())
    assert "all labels are used (labeling.mode: gold)" in told
    for part in ("refund: tells the label: is filled in", "ticket: 2400 different", "'praise': 4"):
        assert part in told.partition("left out: ")[2], part
    config = parse_yaml((copy / "configs" / f"{name}.yaml").read_text(), name)
    assert sorted(config["columns"]["classes"]) == sorted(KINDS)
    assert config["columns"]["dates"] == {"opened": {"format": "%Y-%m-%d %H:%M:%S"}}
    assert config["columns"]["categorical"] == ["postcode", "channel"]
    assert config["columns"]["text"] == ["title"]
    assert (copy / "data" / name / "raw" / f"data.{ending}").read_bytes() == path.read_bytes()
    finished = pipeline(copy, "run", "--config", name, "--smoke", "--set", "tuner.enabled=false")
    assert finished.returncode == 0, finished.stdout
    written = summary(copy, f"{name}-smoke")
    assert all(pushed.version is not None for pushed in written.pushed.values()), finished.stdout
    assert (written.models["student_int8"].metrics["accuracy"] or 0) > 0.6
    [server] = (copy / "runs" / f"{name}-smoke" / "serving").glob("*/*")
    row = {column: tf.constant([[table[column][9]]]) for column in ("title", "channel", "postcode")}
    answer = tf.saved_model.load(str(server)).signatures["serving_columns"](
        **row, opened=tf.constant([["2024-10-01 09:15:00"]])
    )
    assert answer["probabilities"].shape == (1, 3)
    assert answer["probabilities"].numpy().sum() == pytest.approx(1, abs=1e-5)
