"""`lf` on the command line: what the writer of labelling functions is told."""

import json
import resource
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from core.files import REPOSITORY
from pipeline.cli.main import main
from pipeline.labels import state
from pipeline.labels.report import LfReport
from tests.support.small_census import ROWS, settings

FUNCTIONS = "data.census.labeling_functions"
FAULTS = "tests.support.faulty_functions"


def call(raw: Path, root: Path, *flags: str, functions: str = FUNCTIONS) -> int:
    overrides = settings(raw, f"labeling.functions={functions}")
    sets = [word for override in overrides for word in ("--set", override)]
    return main(["lf", "--root", str(root), *sets, *flags])


def test_faults_that_votes_show(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(raw, tmp_path, functions=f"{FAULTS}.judged") == 0
    lines = capsys.readouterr().out.splitlines()
    told = {
        line.split()[1]: (line, lines[n + 1].strip())
        for n, line in enumerate(lines)
        if line.startswith(("error: ", "warning: "))
    }
    assert list(told) == ["always_negative", "turned", "single", "misspelt"]
    assert told["always_negative"] == (
        f"error: always_negative votes NEGATIVE on {ROWS} of {ROWS} rows and never otherwise: "
        "it tells no row from another",
        "to do: return ABSTAIN where its reason does not hold, or drop it",
    )
    what, action = told["turned"]
    assert what.startswith("error: turned right on ")
    assert "gold rows (95% interval 0.00 to " in what
    assert "the same votes cast blindly would be right on" in what
    assert action.startswith("to do: swap POSITIVE and NEGATIVE if its condition is written the")
    what, action = told["single"]
    assert what.startswith("warning: single votes exactly as never_married does, on all ")
    assert action == "to do: drop one of the two, or let them rest on different columns"
    what, action = told["misspelt"]
    assert what == f"warning: misspelt votes on none of {ROWS} rows"
    assert action.startswith("to do: look for a misspelt value")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (
            "raising",
            "labelling function cleaner, row span-1:28: AttributeError: 'NoneType' object has no "
            "attribute 'endswith' (",
        ),
        (
            "invalid",
            "labelling function three_classes, row span-1:21: returned 2; a vote is one of the "
            "integers [-1, 0, 1] (ABSTAIN, NEGATIVE, POSITIVE)",
        ),
        ("broken", f"{FAULTS}.broken: cannot be imported: KeyError: 'years' ("),
    ],
)
def test_faults_that_stop_it(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], module: str, message: str
) -> None:
    assert call(raw, tmp_path, functions=f"{FAULTS}.{module}") == 2
    told = capsys.readouterr().err
    assert f"error: {message}" in told
    if module != "invalid":
        assert f"faulty_functions/{module}.py:" in told
    assert not (tmp_path / "census" / state.FILE).exists()


def test_json_is_the_report_and_html_a_page(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "pages" / "lf.html"
    assert call(raw, tmp_path, "--json", "--html", str(page)) == 0
    printed = capsys.readouterr()
    assert f"page: {page}" in printed.err
    found = LfReport.model_validate(json.loads(printed.out))
    texts = text_of(page.read_text())
    assert set(found.labels.functions) <= texts
    assert {"Findings", "Rows without a vote", "No earlier call to compare with."} <= texts
    assert [p.name for p in page.parent.iterdir()] == ["lf.html"]


def text_of(page: str) -> set[str]:
    """The texts between the tags of a page."""
    texts: set[str] = set()
    parser = HTMLParser()
    parser.handle_data = lambda data: texts.add(data.strip())  # type: ignore[method-assign]
    parser.feed(page)
    return texts


def test_it_says_what_changed(
    raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(raw, tmp_path, functions=f"{FAULTS}.judged") == 0
    assert "no earlier call to compare with" in capsys.readouterr().out
    assert call(raw, tmp_path, functions=f"{FAULTS}.judged") == 0
    assert changes(capsys.readouterr().out) == ["nothing changed"]
    few = f"{FAULTS}.few"  # they leave rows without a vote, of which always_negative left none
    assert call(raw, tmp_path, "--set", "labeling.gold_rows=90", functions=few) == 0
    told = changes(capsys.readouterr().out)
    assert "new: clerk" in told
    removed = {line.removeprefix("removed: ") for line in told if line.startswith("removed: ")}
    faults = {"always_negative", "turned", "single", "misspelt"}
    assert removed == faults | {"low_expected_pay", "couple_with_degree"}
    assert "another value: labeling.gold_rows" in told
    assert any(line.startswith("all functions: coverage -") for line in told)


def changes(out: str) -> list[str]:
    _, _, told = out.partition("since the last call")
    return [line.strip() for line in told.splitlines()[1:]]


PROBE = """
import sys
from pipeline.cli.main import main
assert main(sys.argv[1:]) == 0
heavy = {"tensorflow", "tfx", "apache_beam", "tensorflow_data_validation"} & set(sys.modules)
assert not heavy, heavy
"""


def test_all_census_rows_take_seconds_and_no_tensorflow(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "lf", "--root", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    assert "32561 rows, 200 of them gold" in done.stdout
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    assert cpu < 25, "CPU seconds; about 7 on a fast machine"
