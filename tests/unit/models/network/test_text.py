"""Lower-casing in the graph: as Python's, in a process of any language."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from core.files import REPOSITORY
from models.network.text import _lower

# Letters and sequences whose lower case depends on a language or on what is beside them.
TEXTS = [
    "I", "\u0130", "I\u0307", "\u0130stanbul ISTANBUL \u0131stanbul istanbul", "\u012e\u0303",
    "J\u0301", "I\u0300", "\u00cc \u00cd \u0128", "\u012e", "Stra\u00dfe STRASSE \u1e9e",
    "\u039f\u03a3", "\u039f\u03a3 \u039f\u03a3\u0391", "\u03a3", "\u039f\u03a3.",
    "\u039f\u03a3\u0301", "\u039f\u00ad\u03a3", "E\u0301 \u00c9", "\u01c4\u01c5",
    "\u212a \u212b \u2126",
    "\u2167", "\u13a0 \u1c90", "\U00010400 \U0001e900", "\u0415\u0401",
]  # fmt: skip
IN_UNICODE_13 = [chr(c) for c in range(0x20, 0x1F000) if not 0xD800 <= c < 0xE000]

# TensorFlow asks for the language once in a process: each child asks anew.
CHILDREN = """
import json, os, sys
import tensorflow as tf
from models.network.text import _lower
texts = json.load(sys.stdin)
for line in sys.argv[1:]:
    if (child := os.fork()) == 0:
        os.environ.update(json.loads(line))
        lowered = [text.decode() for text in _lower(tf.constant(texts)).numpy()]
        print(json.dumps(lowered), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""
LANGUAGES = [
    {"LANG": "tr_TR.UTF-8", "LC_ALL": ""},
    {"LC_ALL": "az_AZ.UTF-8"},
    {"LC_ALL": "lt_LT.UTF-8"},
    {"LC_ALL": "C"},
    {"LC_ALL": "el_GR.UTF-8"},
]


def assigned_later() -> set[str]:
    """Letters of Unicode 14, which Python 3.11 knows and TensorFlow does not."""
    later = [0x2C2F, 0xA7C0, 0xA7D0, 0xA7D6, 0xA7D8, *range(0x10570, 0x10596)]
    return {chr(c) for c in later}


def test_every_letter_is_lower_cased_as_python_does() -> None:
    letters = [letter for letter in IN_UNICODE_13 if letter not in assigned_later()]
    lowered = _lower(tf.constant([*letters, *TEXTS])).numpy()
    for text, low in zip([*letters, *TEXTS], lowered, strict=True):
        assert low.decode() == text.lower(), ascii(text)


@pytest.fixture(scope="module")
def by_language() -> dict[str, list[str]]:
    arguments = [json.dumps(language) for language in LANGUAGES]
    done = subprocess.run(
        [sys.executable, "-c", CHILDREN, *arguments],
        input=json.dumps(TEXTS), capture_output=True, text=True, check=True, cwd=REPOSITORY,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    return dict(zip(arguments, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
def test_lower_case_is_that_of_no_language(
    by_language: dict[str, list[str]], language: dict[str, str]
) -> None:
    assert by_language[json.dumps(language)] == [text.lower() for text in TEXTS]
