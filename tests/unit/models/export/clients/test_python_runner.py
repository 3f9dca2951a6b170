"""The runner in Python: below 100 lines, alone with NumPy and an interpreter, equal to a device."""

import csv
import hashlib
import importlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from models.export.clients import delivered
from models.export.clients.delivered import put_runner
from tests.support.edge.bundles import ALL, THREE, drawn_rows, edge_bundles, expected, texts_of


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    shutil.copytree(edge_bundles(ALL)["student_int8"], folder)
    put_runner(folder)
    return folder


@pytest.fixture
def module(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(bundle))
    for name in ("run", "cells"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module("run")


def answered(bundle: Path, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-E", str(bundle / "run.py"), *arguments]
    return subprocess.run(
        command, input=text, cwd="/", capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_it_is_short() -> None:
    source = Path(delivered.__file__).with_name("run.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100


def test_inputs_of_every_kind_are_those_of_a_device(module: ModuleType, bundle: Path) -> None:
    rows = drawn_rows()
    loaded = module.Bundle(bundle)
    inputs = [loaded.inputs(row) for row in rows]
    for name, values in expected(bundle, rows).inputs.items():
        found = np.concatenate([row[name] for row in inputs])
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values, name)


def test_csv_and_json_lines_are_answered(bundle: Path) -> None:
    rows = drawn_rows()
    answers = expected(bundle, rows).answers[:, 0]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    lines = "".join(json.dumps({n: v or None for n, v in row.items()}) + "\n" for row in rows)
    for given in (text.getvalue(), lines):
        done = answered(bundle, given)
        assert done.returncode == 0, done.stderr
        found = [json.loads(line) for line in done.stdout.splitlines()]
        np.testing.assert_array_equal([row["probability"] for row in found], answers)
        assert [row["class"] for row in found] == [("no", "yes")[int(a > 0.5)] for a in answers]


def test_shares_of_three_classes(tmp_path: Path, bundle: Path) -> None:
    folder = edge_bundles(THREE)["student"]
    done = answered(bundle, json.dumps(texts_of(3)), str(folder))
    [shares] = expected(folder, [texts_of(3)]).answers
    best = ("red", "green", "blue")[int(np.argmax(shares))]
    assert json.loads(done.stdout) == {"class": best, "probabilities": shares.tolist()}


def test_a_file_that_the_manifest_does_not_know_is_refused(bundle: Path) -> None:
    digest = hashlib.sha256((bundle / "tflite").read_bytes()).hexdigest()
    manifest: dict[str, Any] = {"files": {"tflite": {"bytes": 1, "sha256": digest}}}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert answered(bundle, json.dumps(texts_of(3))).returncode == 0
    manifest["files"]["preprocessing.json"] = {"bytes": 1, "sha256": "0" * 64}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    done = answered(bundle, json.dumps(texts_of(3)))
    assert done.returncode == 1
    assert "preprocessing.json is not the file of" in done.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"age": "old"}, "age: 'old' is no number"),
        ({"note": None}, "it has no column 'note'"),
    ],
)
def test_a_record_at_fault_is_named(
    bundle: Path, changed: dict[str, str | None], said: str
) -> None:
    record = {name: text for name, text in {**texts_of(3), **changed}.items() if text is not None}
    done = answered(bundle, json.dumps(texts_of(3)) + "\n" + json.dumps(record))
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr == f"record 2: {said}\n"


def as_csv(cells: dict[str, str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([cells, cells.values()])
    return text.getvalue()


@pytest.mark.parametrize("line", ["[1]", "{bad", json.dumps({})])
def test_lines_that_are_no_whole_record_are_named(bundle: Path, line: str) -> None:
    done = answered(bundle, json.dumps(texts_of(3)) + "\n" + line)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr.startswith("record 2: it has no column" if line == "{}" else "record 2: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("line", ["1,2", ",".join("1" for _ in range(20))])
def test_a_line_of_more_or_fewer_cells_is_no_record(bundle: Path, line: str) -> None:
    done = answered(bundle, as_csv(texts_of(3)) + line)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert done.stderr == "record 2: it has not as many cells as the first line has columns\n"


def test_bytes_are_utf8_whatever_the_machine_takes_texts_for(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {**texts_of(3), "work": "Z\u00fcrich", "note": "\u00c9t\u00e9,\ncall", "age": "1e999"}
    [answer] = expected(bundle, [row]).answers[:, 0]
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")  # as on a machine of another locale
    for given in (as_csv(row), f" \n {json.dumps(row, ensure_ascii=False)}\r\n\r\n"):
        for mark in ("", "\ufeff"):
            command = [sys.executable, str(bundle / "run.py")]
            done = subprocess.run(
                command, input=(mark + given).encode(), cwd="/", capture_output=True, check=False
            )
            assert done.stderr == b""
            assert json.loads(done.stdout)["probability"] == answer


@pytest.mark.parametrize("name", ["tflite", "preprocessing.json", "manifest.json"])
def test_a_bundle_at_fault_is_told_in_a_line(bundle: Path, name: str) -> None:
    digest = hashlib.sha256((bundle / "tflite").read_bytes()).hexdigest()
    whole = json.dumps({"files": {"tflite": {"bytes": 1, "sha256": digest}}})
    (bundle / "manifest.json").write_text(whole)
    (bundle / name).write_text("{")
    found = [answered(bundle, json.dumps(texts_of(3)))]
    (bundle / "tflite").unlink()
    found.append(answered(bundle, json.dumps(texts_of(3))))
    for done in found:
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
        assert str(bundle) in done.stderr


def test_tensorflows_interpreter_serves_where_no_smaller_one_is(
    module: ModuleType, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    hidden = ("ai_edge_litert", "tflite_runtime")
    monkeypatch.setattr(
        module.importlib.util, "find_spec", lambda name: None if name in hidden else find(name)
    )
    answer = module.Bundle(bundle).answer(texts_of(3))
    assert answer["probability"] == expected(bundle, [texts_of(3)]).answers[0, 0]
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="pip install ai-edge-litert"):
        module.Bundle(bundle)
