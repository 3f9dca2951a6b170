"""The page and its modules in a real browser: the same answers, and no request to elsewhere."""

import csv
import functools
import http.server
import io
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.export.clients.delivered import put_web_client
from models.export.tflite import DYNAMIC_INT8, FLOAT16, FLOAT32, INT8
from tests.support.edge.bundles import (
    ALL,
    FORMATS,
    PLAIN,
    THREE,
    drawn_rows,
    edge_bundles,
    expected,
    texts_of,
)
from tests.support.servers.accessibility import grave_faults
from tests.support.servers.browser import Page, chromium

ROWS = drawn_rows()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with a bundle, and in folders below the other bundles."""
    path = tmp_path_factory.mktemp("web") / "site"
    shutil.copytree(edge_bundles(ALL)[INT8], path)
    put_web_client(path)
    for variant, bundle in edge_bundles(ALL).items():
        shutil.copytree(bundle, path / variant)
    for variant, bundle in edge_bundles(THREE).items():
        shutil.copytree(bundle, path / f"three_{variant}")
    for variant, bundle in edge_bundles(PLAIN, rich=True).items():
        shutil.copytree(bundle, path / f"rich_{variant}")
    return path


@pytest.fixture(scope="module")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page, opened from a server of files."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with chromium(tmp_path_factory.mktemp("chromium")) as found:
            found.open(f"http://127.0.0.1:{server.server_port}/")
            found.wait_for("document.body.dataset.ready")
            found.evaluate("import('./edge.js').then((module) => { window.edge = module; })")
            found.wait_for("window.edge")
            yield found
        server.shutdown()


def answered(page: Page, folder: str, rows: list[dict[str, Any]]) -> Any:
    """Inputs and answer to each row by the bundle of a folder, or what went wrong."""
    page.evaluate(
        f"window.found = null; edge.Bundle.load('./{folder}/').then((bundle) => {{"
        f"window.found = JSON.stringify({json.dumps(rows)}.map("
        "(row) => [bundle.inputs(row), bundle.answer(row)])); })"
        ".catch((error) => { window.found = JSON.stringify(error.message); })"
    )
    return json.loads(page.wait_for("window.found"))


@pytest.mark.parametrize("variant", [FLOAT32, FLOAT16, DYNAMIC_INT8, INT8])
def test_inputs_and_answers_of_every_kind_of_column(page: Page, variant: str) -> None:
    bundle = edge_bundles(ALL)[variant]
    wanted, found = expected(bundle, ROWS), answered(page, variant, ROWS)
    for name, values in wanted.inputs.items():
        given = np.array([inputs[name] for inputs, _ in found], values.dtype)
        np.testing.assert_array_equal(given, values, name)
    answers = np.array([answer["probability"] for _, answer in found])
    bound = 0 if variant == INT8 else 1e-5
    np.testing.assert_allclose(answers, wanted.answers[:, 0], rtol=0, atol=bound)
    assert [answer["class"] for _, answer in found] == [
        ("no", "yes")[int(a > 0.5)] for a in answers
    ]


@pytest.mark.parametrize("variant", [FLOAT32, FLOAT16, DYNAMIC_INT8, INT8])
def test_layers_of_other_kinds(page: Page, variant: str) -> None:
    wanted = expected(edge_bundles(PLAIN, rich=True)[variant], ROWS).answers[:, 0]
    answers = [answer["probability"] for _, answer in answered(page, f"rich_{variant}", ROWS)]
    bound = 8 / 256 if variant == INT8 else 1e-5  # what is no sum of products is rounded between
    np.testing.assert_allclose(answers, wanted, rtol=0, atol=bound)


@pytest.mark.parametrize("variant", [FLOAT32, INT8])
def test_three_classes_and_what_is_missing_as_null(page: Page, variant: str) -> None:
    rows = [{name: text or None for name, text in row.items()} for row in ROWS]
    wanted = expected(edge_bundles(THREE)[variant], ROWS)
    found = answered(page, f"three_{variant}", rows)
    shares = [answer["probabilities"] for _, answer in found]
    bound = 0 if variant == INT8 else 1e-5
    np.testing.assert_allclose(shares, wanted.answers, rtol=0, atol=bound)
    best = [("red", "green", "blue")[n] for n in wanted.answers.argmax(axis=1)]
    assert [answer["class"] for _, answer in found] == best


def test_records_of_csv_and_json_lines(page: Page) -> None:
    rows = [
        {"a": 'quoted "text", with\nlines', "b": ""},
        {"a": "", "b": "\u00e9"},
        {"a": "1", "b": "2"},
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, ["a", "b"])
    writer.writeheader()
    writer.writerows(rows)
    lines = "\n".join(map(json.dumps, rows))
    for given in (text.getvalue(), text.getvalue().rstrip(), lines):
        assert page.evaluate(f"edge.records({json.dumps(given)})") == rows


def test_lines_of_another_length_are_told(page: Page) -> None:
    for line, cells in (("1", 1), ("1,2,3", 3)):
        found = page.evaluate(
            f"(() => {{ try {{ return edge.records({json.dumps('a,b' + chr(10) + line)}); }}"
            " catch (error) { return error.message; } })()"
        )
        assert found == f"record 1 has {cells} cells, the first line 2"


def test_a_column_is_no_property_that_every_object_has(page: Page) -> None:
    found = page.evaluate(
        "(() => { try { edge.Bundle.prototype.inputs.call("
        "{ told: { numeric: [], categorical: [{ column: 'constructor', values: [] }] } }, {}); }"
        " catch (error) { return error.message; } })()"
    )
    assert found == "the record has no column constructor"


def test_a_record_or_a_file_at_fault_is_named(page: Page, folder: Path) -> None:
    lacking = {name: text for name, text in texts_of(1).items() if name != "note"}
    assert answered(page, INT8, [lacking]) == "the record has no column note"
    assert answered(page, INT8, [{**texts_of(1), "age": "old"}]) == 'age: "old" is no number'
    manifest = {"files": {"tflite": {"bytes": 1, "sha256": "0" * 64}}}
    shutil.copytree(folder / INT8, folder / "altered")
    (folder / "altered" / "manifest.json").write_text(json.dumps(manifest))
    assert answered(page, "altered", [texts_of(1)]) == "tflite is not the file of manifest.json"


def test_the_page_answers_alone_and_can_be_used_by_everyone(page: Page) -> None:
    row = texts_of(2)
    for column, text in row.items():
        page.evaluate(f"document.getElementById('column {column}').value = {json.dumps(text)}")
    page.evaluate("document.querySelector('button').click()")
    [answer] = expected(edge_bundles(ALL)[INT8], [row]).answers[:, 0]
    shown = page.wait_for("document.getElementById('answer').textContent")
    assert shown.startswith(("no", "yes")[int(answer > 0.5)])
    assert float(shown.split()[-1].strip(")")) == pytest.approx(answer, abs=1 / 256)
    assert grave_faults(page) == []
    shown = page.evaluate("document.getElementById('column day').placeholder")
    assert shown == FORMATS["day"][0]
    origin = page.evaluate("location.origin")
    assert {url for url in page.requests if not url.startswith((f"{origin}/", "data:"))} == set()
    assert [problem for problem in page.problems if "404" not in problem] == []


def test_the_form_offers_values_as_they_are_listed(page: Page, folder: Path) -> None:
    path = folder / "spaces"
    shutil.copytree(edge_bundles(PLAIN)[FLOAT32], path)
    put_web_client(path)
    told = json.loads((path / "preprocessing.json").read_text())
    values = told["categorical"][0]["values"]
    values[0] = " two\n  lines "
    (path / "preprocessing.json").write_text(json.dumps(told))
    page.open(f"{page.evaluate('location.origin')}/spaces/")
    page.wait_for("document.body.dataset.ready")
    found = "[...document.getElementById('column work').options].map((option) => option.value)"
    assert page.evaluate(found) == ["", *values]
