"""Which spans a run takes: whole, damaged, doubled, changed, late, suspected, accepted ones."""

import hashlib
import os
from pathlib import Path

import pytest

from core.errors import InputError
from core.sections.data import DataSection
from pipeline.config.load import load
from pipeline.ingestion.spans import SourceFile
from pipeline.ingestion.window import Ledger, Suspect, Window, find_window
from tests.support.small_census import ROWS, write_raw
from tests.support.small_census import settings as census_settings

RUN = "20260102T030405Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Spans 1 to 3 and a test part, each of one file."""
    for part in ("span-1", "span-2", "span-3", "test"):
        write(tmp_path, part, f"rows of {part}")
    return tmp_path


def write(folder: Path, part: str, content: str, name: str = "data.csv") -> None:
    (folder / part).mkdir(exist_ok=True)
    (folder / part / name).write_text(content)


def look(folder: Path, ledger: Ledger | None = None, *overrides: str) -> Window:
    return find_window(folder, settings(*overrides), ledger or Ledger())


def settings(*overrides: str) -> DataSection:
    return load("census", list(overrides)).data


def sums(window: Window, span: int) -> frozenset[str]:
    return frozenset(file.sha256 for file in window.files_of(span))


def trained(window: Window, *spans: int) -> Ledger:
    return Ledger({span: (sums(window, span), RUN) for span in spans})


def held(window: Window) -> dict[int, str]:
    return {finding.span: finding.kind for finding in window.held_back}


def told(window: Window) -> dict[int, str]:
    return {finding.span: finding.kind for finding in window.reported}


def test_whole_spans_are_taken_with_their_checksums(folder: Path) -> None:
    window = look(folder)
    assert window.spans == (1, 2, 3)
    assert (window.held_back, window.reported) == ((), ())
    assert [file.name for file in window.files] == [
        "span-1/data.csv", "span-2/data.csv", "span-3/data.csv", "test/data.csv"
    ]  # fmt: skip
    assert window.files[0].sha256 == hashlib.sha256(b"rows of span-1").hexdigest()


def test_the_window_holds_the_newest_spans_and_no_more_than_there_are(folder: Path) -> None:
    assert look(folder, None, "data.window=2").spans == (2, 3)
    assert look(folder, None, "data.window=9").spans == (1, 2, 3)


def test_a_span_without_its_marker_waits(folder: Path) -> None:
    for part in ("span-1", "span-3"):
        write(folder, part, "", "_SUCCESS")
    window = look(folder, None, "data.completion_marker=_SUCCESS", "data.window=2")
    assert (window.spans, held(window)) == ((1, 3), {2: "incomplete"})
    assert window.held_back[0].message == f"{folder}/span-2/_SUCCESS is not there yet"
    write(folder, "span-2", "", "_SUCCESS")
    assert look(folder, None, "data.completion_marker=_SUCCESS").spans == (1, 2, 3)


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (f"{digest('rows of span-2')}  data.csv\n", None),
        (f"{digest('rows of span-2').upper()} *./data.csv\n\n", None),
        (f"{digest('half')}  data.csv\n", "data.csv has another SHA-256 than SHA256SUMS says"),
        (f"{digest('rows of span-2')}  data.csv\n{digest('b')}  b.csv\n", "b.csv is listed in"),
        ("", "data.csv is not listed in SHA256SUMS"),
        ("data.csv\n", "line 1 is not '<SHA-256>  <file>'"),
    ],
)
def test_checksums_are_verified(folder: Path, lines: str, fault: str | None) -> None:
    write(folder, "span-2", lines, "SHA256SUMS")
    window = look(folder)
    assert held(window) == ({} if fault is None else {2: "damaged"})
    if fault is not None:
        assert fault in window.held_back[0].message
        assert window.held_back[0].message.endswith("deliver the span again")


def test_the_same_content_counts_once(folder: Path) -> None:
    write(folder, "span-4", "rows of span-2")
    window = look(folder)
    assert (window.spans, held(window)) == ((1, 2, 3), {4: "duplicate"})
    assert "span-4/data.csv has the content of a file of span 2" in window.held_back[0].message
    accepted = look(folder, None, "data.accept_spans=[4]")
    assert (accepted.spans, told(accepted)) == ((1, 2, 3, 4), {4: "accepted"})


def test_content_that_a_run_trained_on_counts_once_though_its_folder_is_gone(folder: Path) -> None:
    ledger = trained(look(folder), 1, 2, 3)
    (folder / "span-1").rename(folder / "span-7")
    window = look(folder, ledger)
    assert (window.spans, held(window)) == ((2, 3), {7: "duplicate"})


def test_one_doubled_file_is_left_out_and_the_others_are_taken(folder: Path) -> None:
    write(folder, "span-3", "rows of span-1", "again.csv")
    window = look(folder)
    assert told(window) == {3: "duplicate file"}
    assert [file.name for file in window.files_of(3)] == ["span-3/data.csv"]


def test_a_file_of_the_test_part_is_not_trained_on(folder: Path) -> None:
    write(folder, "span-3", "rows of test")
    window = look(folder)
    assert held(window) == {3: "duplicate"}
    assert "is a file of the test part" in window.held_back[0].message


def test_a_span_that_changed_after_a_run_trained_on_it_waits(folder: Path) -> None:
    ledger = trained(look(folder), 1, 2, 3)
    write(folder, "span-2", "other rows")
    window = look(folder, ledger)
    assert (window.spans, held(window)) == ((1, 3), {2: "changed"})
    assert RUN in window.held_back[0].message
    assert "--set data.accept_spans=[2]" in window.held_back[0].message
    accepted = look(folder, ledger, "data.accept_spans=[2]")
    assert (accepted.spans, told(accepted)) == ((1, 2, 3), {2: "accepted"})
    assert look(folder, trained(accepted, 1, 2, 3)).spans == (1, 2, 3), "until a run has taken it"


def test_a_span_that_no_run_trained_on_may_be_delivered_again(folder: Path) -> None:
    ledger = trained(look(folder), 1, 2)
    write(folder, "span-3", "corrected rows")
    assert look(folder, ledger).spans == (1, 2, 3)


def test_a_late_span_is_taken_within_the_window_and_named(folder: Path) -> None:
    ledger = trained(look(folder), 1, 3)
    assert told(look(folder, ledger)) == {2: "late"}
    assert look(folder, ledger).spans == (1, 2, 3)
    outside = look(folder, ledger, "data.window=1")
    assert (outside.spans, told(outside)) == ((3,), {2: "late"})
    assert outside.reported[0].message.endswith("it is older than the window: not used")


def test_spans_older_than_the_first_window_are_not_late(folder: Path) -> None:
    assert told(look(folder, trained(look(folder), 3))) == {}


def test_suspected_labels_wait_until_they_are_corrected_accepted_or_ruled_out(
    folder: Path,
) -> None:
    suspected = Ledger(
        {}, {3: Suspect(sums(look(folder), 3), "suspicious labels", "labels agree in 60%")}
    )
    window = look(folder, suspected)
    assert (window.spans, held(window)) == ((1, 2), {3: "suspicious labels"})
    assert look(folder, suspected, "data.accept_spans=[3]").spans == (1, 2, 3)
    assert held(look(folder, suspected, "data.hold_back_spans=[3]")) == {3: "configuration"}
    write(folder, "span-3", "corrected rows")
    assert look(folder, suspected).spans == (1, 2, 3)


def test_two_folders_of_one_number_are_refused(folder: Path) -> None:
    write(folder, "span-03", "rows")
    with pytest.raises(InputError, match=r"span-03 and .*span-3 have the same number"):
        look(folder)


def test_nothing_to_take_is_an_error_with_every_reason(folder: Path) -> None:
    window = look(folder, None, "data.completion_marker=_SUCCESS")
    with pytest.raises(InputError) as error:
        window.check()
    for span in (1, 2, 3):
        assert f"span {span}: {folder}/span-{span}/_SUCCESS is not there yet" in str(error.value)


def test_a_span_that_grows_while_it_is_read_stops_the_staging(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.ingestion import staging

    window = look(folder)
    write(folder, "span-3", "rows of span-3 and more")
    with pytest.raises(InputError, match=r"span-3/data.csv: changed while it was read"):
        staging.stage(load("census"), tmp_path / "run", window)


def test_a_span_that_arrives_after_the_window_was_fixed_waits_for_the_next_look(
    tmp_path: Path,
) -> None:
    from pipeline.ingestion import staging

    raw = write_raw(tmp_path / "raw")
    config = load("census", census_settings(raw))
    window = find_window(raw, config.data, Ledger())
    lines = (raw / "span-1" / "data.csv").read_text().splitlines()
    write(raw, "span-2", "\n".join([lines[0], *lines[100:300]]) + "\n")

    staged = staging.stage(config, tmp_path / "run", window)
    assert staged.spans == (1,)
    assert staged.rows["train"] + staged.rows["eval"] == ROWS
    assert find_window(raw, config.data, Ledger()).spans == (1, 2)


def test_a_name_is_the_part_and_the_file() -> None:
    assert SourceFile("span-1", "/data/span-0001/a.csv", "0").name == "span-1/a.csv"


@pytest.mark.parametrize("name", ["span_4", "Span-4", "span-4 (copy)", "span4", "SPAN - 4"])
def test_a_folder_called_nearly_like_a_span_is_named(folder: Path, name: str) -> None:
    write(folder, name, "rows")
    with pytest.raises(InputError, match="a span is called span-<number>; rename it"):
        look(folder)


def test_folders_of_other_names_are_left_alone(folder: Path) -> None:
    for name in ("spanish", "notes", ".span-4", "span-"):
        write(folder, name, "rows")
    assert look(folder).spans == (1, 2, 3)


def test_what_is_no_file_of_a_span_is_named(folder: Path) -> None:
    (folder / "span-2" / "more.csv").mkdir()
    with pytest.raises(InputError, match=r"span-2/more\.csv: a folder, not a file"):
        look(folder)
    (folder / "span-2" / "more.csv").rmdir()
    (folder / "span-2" / "more.csv").symlink_to(folder / "nowhere.csv")
    with pytest.raises(InputError, match=r"span-2/more\.csv: a link that leads nowhere"):
        look(folder)
    (folder / "span-2" / "more.csv").unlink()
    (folder / "span-2" / os.fsdecode(b"caf\xe9.csv")).write_text("rows")
    with pytest.raises(InputError, match="its name cannot be written as text; rename it"):
        look(folder)
