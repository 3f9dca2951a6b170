"""What is served, watched: requests, labels that come later, a file answered at once."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipeline.monitoring import records
from tests.support.e2e.runs import pipeline
from tests.support.servers.server import serving

NUMBERS = ("age", "education-num", "capital-gain", "capital-loss", "hours-per-week")
TEXTS = ("workclass", "education", "marital-status", "occupation", "relationship", "race", "sex",
         "native-country")  # fmt: skip
LABEL = "income-per-year"
PROM, NOTICE = "smoke.prom", "notice.json"
FEW = ("--set", "monitor.min_rows=200", "--set", "monitor.min_slice_rows=50")


@pytest.fixture(scope="module")
def asked(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the root whose edge version was asked about its test rows, women twice."""
    copy = tmp_path_factory.mktemp("monitored")
    left_out = shutil.ignore_patterns("requests", "outcomes", "monitoring")
    shutil.copytree(kept / "smoke", copy / "smoke", ignore=left_out)
    [path] = kept.glob("smoke/staged/*/test/data.csv")
    shutil.copy(path, copy / "rows.csv")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows += [row for row in rows if row["sex"] == "Female"]
    outcomes = [("request", "row", "label")]
    with serving(copy, "--target", "edge") as server:
        for first in range(0, len(rows), 50):
            part = rows[first : first + 50]
            body = {"signature_name": "serving_columns", "instances": [as_sent(r) for r in part]}
            headers = {"X-Request-Id": f"r{first}"}
            code, found = server.ask("/v1/models/smoke:predict", body, headers=headers)
            assert code == 200, found
            outcomes += [(f"r{first}", str(at), row[LABEL]) for at, row in enumerate(part)]
    with open(copy / "later.csv", "w", newline="") as file:
        csv.writer(file).writerows(outcomes)
    return copy


def as_sent(row: dict[str, str]) -> dict[str, Any]:
    numbers = {name: float(row[name] or "nan") for name in NUMBERS}
    return {**numbers, **{name: row[name] for name in TEXTS}}


def run(asked: Path, verb: str, *arguments: str) -> str:
    done = pipeline(*verb.split(), *arguments, "--config", "smoke", "--root", str(asked))
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def told(asked: Path) -> str:
    """What `monitor` printed, with labels, a file of figures and a hook."""
    run(asked, "labels outcomes", str(asked / "later.csv"))
    return run(
        asked, "monitor", "--target", "edge", *FEW, "--set", f"metrics.textfile={asked / PROM}",
        "--set", f'notify.command=["tee", "{asked / NOTICE}"]',
    )  # fmt: skip


def test_a_window_is_estimated_measured_and_told_of(asked: Path, told: str) -> None:
    report = records.newest(asked / "smoke")["edge"]
    assert report.window.rows > 600, told
    over = {(check.kind, check.of) for check in report.exceeded}
    assert ("drift", "sex l_infty") in over
    assert ("skew", "sex l_infty") in over
    everything = report.slices[records.ALL_ROWS]
    assert everything.labelled == report.window.rows
    # the requests are its test rows, so the estimate has nothing to be wrong about but noise
    errors = {error.metric: error for error in report.errors}
    assert errors["accuracy"].error < 0.02, told
    assert {gap.how for gap in report.gaps} == {"estimated", "measured"}
    assert 'tfx_monitor_exceeded{kind="drift",of="sex l_infty"' in (asked / PROM).read_text()
    assert json.loads((asked / NOTICE).read_text())["event"] == "monitor"
    assert "beyond" in told


def test_retrain_takes_it_for_a_reason(asked: Path, told: str) -> None:
    done = pipeline("retrain", "--dry-run", "--json", "--config", "smoke", "--root", str(asked))
    assert done.returncode in (0, 3), done.stdout
    assert "drift sex l_infty" in done.stdout


def test_a_file_is_answered_as_the_server_answers(asked: Path) -> None:
    source, output = asked / "some.csv", asked / "out.parquet"
    lines = (asked / "rows.csv").read_text().splitlines()
    bad = lines[1].replace(lines[1].split(",")[1], "forty", 1)
    source.write_text("\n".join([*lines, bad, "1,2,3"]) + "\n")
    run(asked, "predict", "--target", "edge", "--input", str(source), "--output", str(output))
    answers = _answers(asked, len(lines) - 1)
    found = pq.read_table(output).to_pylist()
    assert [float(row["probability"]) for row in found] == pytest.approx(answers, abs=1e-7)
    assert {row["prediction"] for row in found} == {"<=50K", ">50K"}
    with open(f"{output}.bad.csv", newline="") as file:
        refused = list(csv.DictReader(file))
    assert [row["row"] for row in refused] == [str(len(lines)), str(len(lines) + 1)]
    assert "3 cells" in refused[1]["reason"]
    assert not list(asked.glob(".out*"))


def _answers(asked: Path, count: int) -> list[float]:
    lines = [
        json.loads(line)
        for path in sorted((asked / "smoke" / "requests").glob("*.jsonl"))
        for line in path.open()
    ]
    return [line["answer"] for line in lines[:count]]
