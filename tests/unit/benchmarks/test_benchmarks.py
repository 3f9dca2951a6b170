"""Benchmarks: statistics, tables, checks against targets, and what a command is said to cost."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks import (
    campaign,
    cpu,
    curves,
    gold_curve,
    labeling,
    measure,
    quality,
    report,
    sms_spam,
)
from benchmarks.measure import Cost
from benchmarks.peer import PEER
from core.files import REPOSITORY
from pipeline.config.load import load
from pipeline.report.summary import MeasuredModel, Node, Summary
from tests.support.records.summaries import VALUES


def test_spread_is_mean_and_sample_deviation() -> None:
    assert report.with_deviation([1.0, 2.0, 3.0], "") == "2.0 ± 1.0"
    assert report.with_deviation([0.5], "") == "0.5"
    assert report.with_deviation([1.0, 2.0, 3.0], ".1f") == "2.0 ± 1.0"
    assert report.with_deviation([0.5], ".2f") == "0.50"


def test_a_table_is_padded() -> None:
    assert report.table(("model", "auc"), [("teacher", "0.9"), ("int8", "0.875")]) == (
        "| model   |   auc |\n| ------- | ----: |\n| teacher |   0.9 |\n| int8    | 0.875 |\n"
    )


def test_a_row_too_short_for_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        report.table(("model", "auc"), [("teacher",)])


def test_the_bound_itself_passes() -> None:
    assert report.at_most("a", 8.0, 8).passed
    assert not report.at_most("a", 8.01, 8).passed
    assert report.at_least("b", 0.88, 0.88).passed
    assert not report.at_least("b", 0.8799, 0.88).passed
    page = report.checks_table([report.at_least("b", 0.8799, 0.88)])
    assert page.splitlines()[2] == "| b      |   0.8799 |   >= 0.88 |    FAIL |"


def test_the_cost_of_a_command_has_its_children(tmp_path: Path) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}], check=True)"
    cost = measure.run([sys.executable, "-c", child], tmp_path)
    assert cost.cpu_seconds >= 0.3
    assert cost.seconds >= 0.3


def test_the_peak_is_each_command_s_own() -> None:
    program = (
        "import sys; from benchmarks.measure import run\n"
        "for code in ('b\"x\" * 200_000_000', 'pass'):\n"
        "    print(run([sys.executable, '-c', code]).peak_mb)"
    )
    printed = subprocess.check_output([sys.executable, "-c", program], cwd=REPOSITORY, text=True)
    big, small = map(float, printed.split())
    assert big > 190 > small


def test_a_command_runs_in_its_folder_with_its_variables(tmp_path: Path) -> None:
    code = "import os; assert os.environ['A'] == '1'; open('here', 'w')"
    measure.run([sys.executable, "-c", code], tmp_path, {"A": "1"})
    assert (tmp_path / "here").exists()


def test_a_command_that_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(measure.MeasurementError, match=r"exit code 3: .*\nlast words"):
        measure.run([sys.executable, "-c", "print('last words'); exit(3)"])


def test_numbers_of_two_states_of_the_code_are_refused() -> None:
    before = Summary.model_validate(VALUES)
    measure.check_same_code([before, before])
    with pytest.raises(measure.MeasurementError, match="edited while it was measured"):
        measure.check_same_code([before, before.model_copy(update={"code_sha256": "other"})])


def cells(tables: str, first: str) -> list[str]:
    """The other cells of the row that starts with `first`."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.splitlines()]
    [found] = [row[1:] for row in rows if row and row[0] == first]
    return found


def test_runs_their_targets_and_nodes_are_tabulated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = Node(state="RAN", seconds=9.0, cpu_seconds=7.5, execution_id=3)
    cached = Node(state="CACHED", seconds=0.1, cpu_seconds=0.05, execution_id=4)
    results = [
        cpu.CaseResult(
            "(a) smoke, cold", Cost(40.0, 50.0, 1200.0), 8.0, 7.9, 8, 1210.0, {"Trainer": trainer}
        ),
        cpu.CaseResult(
            "(b) smoke, cached", Cost(16.0, 20.0, 900.0), 3.2, 3.1, 3, 910.0, {"Trainer": cached}
        ),
        cpu.CaseResult(PEER, Cost(130.0, 90.0, 4000.0), 26.0, 26.1),
    ]
    assert [check.passed for check in cpu.checks(results)] == [True, False, True]
    tables = cpu.tables(results, [5.0, 5.2, 4.8])
    assert "`import tensorflow`: 5.00 CPU s, median of 3 (4.80 to 5.20)." in tables
    assert cells(tables, "CPU s by node") == ["(a) smoke, cold", "(b) smoke, cached"]
    assert cells(tables, "Trainer") == ["7.50", "0.05"]
    assert cells(tables, "imports, staging and bookkeeping") == ["32.50", "15.95"]
    assert cells(tables, PEER) == ["130.0", "26.0", "26.1", "90.0", "4000", ""]
    report.write(tmp_path, "cpu", tables, {**report.origin("benchmarks.cpu"), "results": results})
    written = json.loads((tmp_path / "cpu.json").read_text())
    assert written["results"][0]["nodes"]["Trainer"]["cpu_seconds"] == 7.5
    assert set(written["versions"]) >= {"python", "tensorflow"}
    assert tables in (tmp_path / "cpu.md").read_text()
    assert tables in capsys.readouterr().out


def model(auc: float, bytes_: int) -> MeasuredModel:
    return MeasuredModel(
        metrics={"accuracy": 0.85, "auc": auc, "f1": 0.65},
        slices={},
        gaps={"sex": {"tpr": 0.1}},
        bytes=bytes_,
        gzip_bytes=10,
        latency_us={"batch_1": 2.0},
        sparsity=0.5,
    )


def values(seeds: int, int8_auc: float) -> quality.Values:
    found = {
        variant: quality.quantities(model(0.9, 1000), quality.CENSUS)
        for variant in quality.VARIANTS
    }
    found["student_int8"] = quality.quantities(model(int8_auc, 100), quality.CENSUS)
    return {
        variant: {name: [value] * seeds for name, value in quantities.items()}
        for variant, quantities in found.items()
    }


def test_quality_is_checked_against_its_targets() -> None:
    measured = values(3, 0.904)
    measured["teacher_pruned"]["auc"] = [0.906] * 3
    assert failed(quality.server_checks("weak", measured)) == ["weak: F1 of the server model"]
    assert failed(quality.server_checks("gold", measured)) == [
        "gold: AUC of the server model",
        "gold: accuracy of the server model",
        "gold: F1 of the server model",
    ]
    assert failed(quality.edge_checks("weak", measured)) == []
    assert failed(quality.edge_checks("gold", measured)) == [
        "gold: AUC of student_int8",
        "gold: accuracy of student_int8",
    ]
    measured["student_int8"]["auc"][1] = 0.89
    measured["student_int8"]["bytes"][2] = 10_001
    assert failed(quality.edge_checks("weak", measured)) == [
        "weak: AUC between teacher and student_int8",
        "weak: bytes of student_int8 / teacher",
        "weak: bytes of student_int8",
    ]
    both = {"weak": measured, "gold": measured}
    assert [check.target.partition(" ")[0] for check in quality.CENSUS.checks(both)] == [
        *["weak:"] * 2, *["gold:"] * 3, *["weak:"] * 4, *["gold:"] * 6,
    ]  # fmt: skip


def failed(checks: list[report.Check]) -> list[str]:
    return [check.target for check in checks if not check.passed]


def test_quality_has_a_row_for_each_variant() -> None:
    table = quality.tables(quality.CENSUS, {"weak": values(2, 0.896)}, (1, 2), [])
    assert "over seeds 1, 2." in table
    assert table.count("0.9000 ± 0.0000") == len(quality.VARIANTS) - 1
    assert [name for name in quality.VARIANTS if f"| {name} " in table] == list(quality.VARIANTS)


def test_a_metric_without_a_value_is_named() -> None:
    undefined = model(0.9, 10).model_copy(
        update={"metrics": {"accuracy": 0.8, "auc": None, "f1": 0.6}}
    )
    with pytest.raises(ValueError, match="not measured: auc"):
        quality.quantities(undefined, quality.CENSUS)


def points(series: str, auc: float) -> list[dict[str, Any]]:
    return [
        {"series": series, "seed": seed, "gold_rows": size, "auc": auc + size / 1e4, "f1": 0.6}
        for seed in (1, 2)
        for size in (100, 300)
    ]


def test_a_campaign_is_tabulated_with_its_gain() -> None:
    tables = campaign.tables([*points("random", 0.8), *points("informed", 0.85)])
    assert "over seeds 1, 2." in tables
    assert cells(tables, "300")[:2] == ["0.8300 ± 0.0000", "0.8800 ± 0.0000"]
    assert cells(tables, "informed") == ["+0.0100 ± 0.0000", "+0.0000 ± 0.0000"]


def test_the_gold_curve_is_tabulated_by_metric() -> None:
    found = [point for name in gold_curve.SERIES for point in points(name, 0.8)]
    weak = [p | {"auc": p["auc"] + 0.01} for p in found if p["series"] == "weak + gold"]
    tables = gold_curve.tables([p for p in found if p["series"] != "weak + gold"] + weak)
    auc, f1 = tables.split("f1, by gold rows")
    assert cells(auc, "100") == [
        "2", "0.8200 ± 0.0000", "0.8100 ± 0.0000", "0.8100 ± 0.0000", "+0.0100 ± 0.0000",
    ]  # fmt: skip
    assert cells(f1, "300")[-1] == "+0.0000 ± 0.0000"


def test_curves_are_drawn(tmp_path: Path) -> None:
    found = [*points("random", 0.8), *points("informed", 0.85)]
    curves.draw(found, True, tmp_path / "images" / "a.svg")
    drawn = (tmp_path / "images" / "a.svg").read_text()
    assert drawn.startswith("<svg")
    assert {"informed", "AUC on test", "gold rows", "300"} <= set(re.findall(r">([^<]+)<", drawn))


def test_answers_of_a_campaign_are_the_hidden_labels(tmp_path: Path) -> None:
    config = load("census")
    table = SimpleNamespace(row_ids=["span-1:1", "span-1:2"])
    prepared = SimpleNamespace(
        config=config, applied=SimpleNamespace(table=table), truth=np.array([1, 0])
    )
    path = tmp_path / "a.csv"
    path.write_text("row_id,answer\nspan-1:2,\nspan-1:1,\n")
    campaign.answer(prepared, path)  # type: ignore[arg-type]
    assert path.read_text().split() == ["row_id,answer", "span-1:2,<=50K", "span-1:1,>50K"]
    drawn, chosen = (campaign.STRATEGIES[name] for name in ("random", "informed"))
    configured = curves.configured(config, 7, 100, **drawn)
    assert (configured.seed, configured.labeling.random_share) == (7, 1.0)
    informed = curves.configured(config, 7, 100, **chosen)
    assert informed.labeling.random_share == config.labeling.random_share < 1


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("quality", ["--name", "weak_200", "--modes", "weak", "--seeds", "31,32,33,34,35"]),
        ("sms_spam", ["--seeds", "1", "--root", "runs"]),
        ("campaign", ["--seeds", "21"]),
        ("gold_curve", ["--budgets", "50,200"]),
        ("labeling", ["--rows", "100000"]),
        ("cpu", ["--peer"]),
        ("cpu", ["--quick"]),
    ],
)
def test_commands_that_documents_print_are_understood(
    module: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(module: str, name: str, folder: Path, measured: object) -> int:
        assert folder == tmp_path
        return 1

    monkeypatch.setattr(report, "run", failing)
    command = [module, *arguments, "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    main = {
        "quality": lambda: quality.main(quality.CENSUS, None),
        "sms_spam": lambda: quality.main(sms_spam.SMS_SPAM, None),
        "campaign": campaign.main,
        "gold_curve": gold_curve.main,
        "labeling": labeling.main,
        "cpu": cpu.main,
    }[module]
    assert main() == 1
    monkeypatch.setattr(sys, "argv", [*command, "--unknown"])
    with pytest.raises(SystemExit):
        main()


def test_kinds_of_labels_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["quality", "--modes", "weak,silver"])
    with pytest.raises(SystemExit):
        quality.main(quality.CENSUS, None)
    assert "silver is none of weak, gold" in capsys.readouterr().err


def test_a_benchmark_that_fails_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        assert scratch.is_dir()
        raise measure.MeasurementError("exit code 3")

    assert report.run("benchmarks.a", "a", tmp_path, measured) == 1
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == "exit code 3\n"
    assert report.run("benchmarks.a", "a", tmp_path, lambda _: ("| b |\n", {"values": [1]})) == 0
    assert json.loads((tmp_path / "a.json").read_text())["values"] == [1]


def test_five_seeds_of_weak_labels_alone(tmp_path: Path) -> None:
    assert report.seeds("11,12") == (11, 12)
    table = quality.tables(quality.CENSUS, {"weak": values(5, 0.896)}, (11, 12, 13, 14, 15), [])
    assert "over seeds 11, 12, 13, 14, 15." in table
