"""Rolling back: what is moved, in which order, what is refused, and what a reader sees."""

import json
import multiprocessing
import os
import pwd
import signal
import time
from pathlib import Path

import pytest

from core import lock
from core.errors import InputError
from core.lock import LockHeldError
from core.targets import TARGETS
from core.version_record import version_folders, withdrawn_folder
from models.cards.document import HISTORY_BEGIN, HISTORY_END
from pipeline.cli.main import main
from pipeline.versions import rollback
from pipeline.versions.rollback import Rollback, make_plan, roll_back
from pipeline.versions.served import live, versions
from tests.support.records.versions import NAME, make_version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """<root>/<name> with versions 1, 2 and 3 of the server model."""
    for number in (1, 2, 3):
        make_version(tmp_path / NAME, number)
    return tmp_path / NAME


def statuses(folder: Path) -> dict[int, str]:
    return {version.version: version.status for version in versions(folder, NAME, "server")}


@pytest.mark.parametrize(
    ("served", "withdrawn", "wanted", "plan"),
    [
        ([1, 2, 3], [], None, Rollback("server", 3, 2, (), (3,))),
        ([1, 2, 3], [], 1, Rollback("server", 3, 1, (), (2, 3))),
        ([1, 2], [3], 3, Rollback("server", 2, 3, (3,), ())),
        ([1, 4], [2, 3], 2, Rollback("server", 4, 2, (2,), (4,))),
        ([], [1], 1, Rollback("server", None, 1, (1,), ())),
    ],
)
def test_what_is_moved(
    served: list[int], withdrawn: list[int], wanted: int | None, plan: Rollback
) -> None:
    assert make_plan("server", served, withdrawn, wanted) == plan


@pytest.mark.parametrize(
    ("served", "withdrawn", "wanted", "message"),
    [
        ([1], [2], None, "server: there is no version before the live one; served are 1, rolled"),
        ([], [], None, "no version before the live one; served are none, rolled back are none"),
        ([1, 2], [3], 7, "there is no version 7; served are 1, 2, rolled back are 3"),
        ([1, 2], [], 2, "version 2 is live already"),
    ],
)
def test_nonsense_is_refused(
    served: list[int], withdrawn: list[int], wanted: int | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make_plan("server", served, withdrawn, wanted)


def test_back_and_forth_is_recorded(folder: Path) -> None:
    done = roll_back(folder, NAME, "server", None, "answers too slowly")
    assert (done.before, done.live, done.withdrawn) == (3, 2, (3,))
    assert statuses(folder) == {3: "rolled back", 2: "live", 1: "previous"}
    [event] = versions(folder, NAME, "server")[0].events
    assert (event.what, event.reason, event.live) == ("rolled back", "answers too slowly", 2)
    assert "@" in event.by
    roll_back(folder, NAME, "server", 1, None)
    assert statuses(folder) == {3: "rolled back", 2: "rolled back", 1: "live"}
    roll_back(folder, NAME, "server", 3, "it was the network")
    assert statuses(folder) == {3: "live", 2: "rolled back", 1: "previous"}
    whats = [event.what for event in versions(folder, NAME, "server")[0].events]
    assert whats == ["rolled back", "restored"]


def test_the_card_says_who_rolled_back_what_and_stays_with_its_version(folder: Path) -> None:
    card = TARGETS["server"].served(folder, NAME) / "3" / "model_card.md"
    card.write_text(f"numbers\n{HISTORY_BEGIN}\nnone yet\n{HISTORY_END}\nsources\n")
    roll_back(folder, NAME, "server", 2, "drains *the* battery")
    moved = withdrawn_folder(card.parents[1]) / "3" / card.name
    text = moved.read_text(encoding="utf-8")
    assert text.startswith("numbers\n")
    assert text.endswith("sources\n")
    assert "| rolled back | " in text
    assert " | drains \\*the\\* battery | 2 |" in text
    roll_back(folder, NAME, "server", 3, None)
    assert "| restored | " in card.read_text(encoding="utf-8")
    card.write_bytes(b"\xff")  # no text: a rollback does not fail for it
    roll_back(folder, NAME, "server", 2, None)
    assert moved.read_bytes() == b"\xff"


def test_it_is_refused_while_a_run_is_under_way(folder: Path) -> None:
    with lock.hold(folder / lock.FILE), pytest.raises(LockHeldError, match="a run is under way"):
        roll_back(folder, NAME, "server", None, None)
    assert statuses(folder)[3] == "live"


def test_a_target_without_versions(folder: Path) -> None:
    with pytest.raises(InputError, match="edge: no version was pushed to"):
        roll_back(folder, NAME, "edge", None, None)


def move_between(folder: Path, times: int) -> None:
    for _ in range(times):
        for version in (3, 1, 2, 3, 1):
            roll_back(folder, NAME, "server", version, None)


def test_a_reader_sees_the_version_before_or_the_wanted_one(folder: Path) -> None:
    roll_back(folder, NAME, "server", 1, None)
    process = multiprocessing.get_context("fork").Process(target=move_between, args=(folder, 40))
    process.start()
    seen: list[int] = []
    while process.is_alive():
        if (found := live(folder, NAME, "server")) is None:
            continue
        try:
            content = (found.path / "saved_model.pb").read_text()
        except FileNotFoundError:
            continue  # withdrawn between the two looks, as a server may find it, too
        assert content == f"graph {found.version}"
        if not seen or seen[-1] != found.version:
            seen.append(found.version)
    process.join()
    assert process.exitcode == 0
    assert len(seen) > 3
    assert live(folder, NAME, "server") is not None


def test_killed_between_two_renames_a_whole_version_is_live(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename
    renamed: list[Path] = []

    def kill(path: Path, target: Path) -> None:
        if renamed:
            os.kill(os.getpid(), signal.SIGKILL)
        renamed.append(path)
        rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", kill)
        child = os.fork()
        if child == 0:
            roll_back(folder, NAME, "server", 1, None)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert statuses(folder) == {3: "live", 2: "rolled back", 1: "previous"}
    assert roll_back(folder, NAME, "server", 1, None).withdrawn == (3,)
    assert statuses(folder)[1] == "live"


def test_the_verbs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--config", "census", "--root", str(folder.parent)]
    started = time.monotonic()
    assert main(["rollback", "server", *where, "--reason", "bad"]) == 0
    assert time.monotonic() - started < 1
    out = capsys.readouterr().out
    assert "server: version 2 is live (before: 3)" in out
    undo = f"python -m pipeline rollback server 3 --config=census --root={folder.parent}"
    assert f"to undo: {undo}" in out
    assert main(["models", "--json", *where]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["version"], row["status"]) for row in rows] == [
        (3, "rolled back"),
        (2, "live"),
        (1, "previous"),
    ]
    assert rows[0]["events"][0]["reason"] == "bad"
    assert rows[1]["path"] == "serving/census/2"
    assert main(["models", *where]) == 0
    assert "rolled back" in capsys.readouterr().out
    assert main(["rollback", "server", "9", *where]) == 2
    assert "there is no version 9" in capsys.readouterr().err
    assert main(["models", "--root", str(folder / "nowhere")]) == 0
    assert "no versions under" in capsys.readouterr().out


def test_a_reason_steers_no_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--config", "census", "--root", str(folder.parent))
    reason = "\x1b]0;pwned\x07[bold]too slow[/]"
    assert main(["rollback", "server", *where, "--reason", reason]) == 0
    assert main(["models", *where]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert "[bold]too" in printed


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert rollback._user().startswith(f"{os.getuid()}@")


def test_the_hidden_folder_is_beside_the_served_one(folder: Path) -> None:
    roll_back(folder, NAME, "server", None, None)
    served = folder / "serving" / NAME
    assert {path.name for path in served.iterdir()} == {"1", "2"}
    assert list(version_folders(withdrawn_folder(served))) == [3]
