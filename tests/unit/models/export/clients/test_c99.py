"""A bundle as C99: compiles without a warning, and answers as the interpreter does."""

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from core.errors import InputError
from models.export.clients.c99 import HEADER, SOURCE, c99_files, write_c99
from models.export.clients.c99_columns import string
from models.export.clients.c99_writer import broadcast, fixed_point, literal, strided
from models.export.device import read_bundle
from models.export.tflite import DYNAMIC_INT8, FLOAT16, FLOAT32, INT8
from models.network.layout import Preprocessing
from tests.support.edge.bundles import (
    ALL,
    PLAIN,
    THREE,
    columns_of,
    drawn_rows,
    edge_bundles,
    expected,
)

STRICT = ("-std=c99", "-pedantic", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror")
ROWS = drawn_rows()


def compiled(folder: Path) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.fail("no gcc: install one (Debian: apt-get install gcc libc6-dev)")
    library = folder / "student.so"
    command = ["gcc", *STRICT, "-shared", "-fPIC", "-o", str(library), str(folder / SOURCE), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ctypes.CDLL(str(library))


@pytest.mark.parametrize(
    ("preprocessing", "rich"),
    [(PLAIN, False), (THREE, False), (PLAIN, True)],
    ids=["two classes", "three", "more layers"],
)
@pytest.mark.parametrize("variant", [FLOAT32, FLOAT16, DYNAMIC_INT8, INT8])
def test_answers_are_the_interpreters(
    tmp_path: Path, preprocessing: Preprocessing, rich: bool, variant: str
) -> None:
    bundle = edge_bundles(preprocessing, rich)[variant]
    write_c99(bundle, tmp_path)
    student, wanted = compiled(tmp_path), expected(bundle, ROWS)
    columns, told = columns_of(ROWS), read_bundle(bundle)
    count = wanted.answers.shape[1]
    numeric = np.zeros_like(wanted.inputs["numeric"])
    ids = np.zeros(wanted.inputs["categorical"].shape, np.int32)
    answers = np.zeros_like(wanted.answers)
    for n in range(len(ROWS)):
        names = [column["column"] for column in told["numeric"]]
        numbers = (ctypes.c_float * len(names))(*[columns[name][n] for name in names])
        texts = [columns[c["column"]][n].encode() for c in told["categorical"]]
        cells = (ctypes.c_char_p * len(texts))(*[text or (None, b"")[n % 2] for text in texts])
        row = numeric[n].ctypes, ids[n].ctypes, answers[n].ctypes
        pointers = [ctypes.c_void_p(one.data) for one in row]
        student.student_inputs(numbers, cells, *pointers[:2])
        student.student_answer(*pointers)
        chosen = np.argmax(answers[n]) if count > 1 else answers[n][0] > 0.5
        assert student.student_decide(pointers[2]) == chosen
    np.testing.assert_array_equal(numeric, wanted.inputs["numeric"])
    np.testing.assert_array_equal(ids, wanted.inputs["categorical"])
    # What is no sum of products TFLite rounds in between.
    bound = 1e-6 if variant != INT8 else 8 / 256 if rich else 0.0
    np.testing.assert_allclose(answers, wanted.answers, rtol=0, atol=bound)


def test_the_file_needs_math_alone_and_no_memory(tmp_path: Path) -> None:
    bundle = edge_bundles(PLAIN)[INT8]
    write_c99(bundle, tmp_path)
    source = (tmp_path / SOURCE).read_text()
    assert "malloc" not in source
    included = [line for line in source.splitlines() if line.startswith("#include")]
    assert included == [f'#include "{HEADER}"', "#include <math.h>"]
    assert "STUDENT_CAPITAL_GAIN" in (tmp_path / HEADER).read_text()
    again = c99_files(read_bundle(bundle), (bundle / "tflite").read_bytes())
    assert again == (source, (tmp_path / HEADER).read_text())


def test_places_of_columns_are_names_of_their_own() -> None:
    bundle = edge_bundles(PLAIN)[INT8]
    told = read_bundle(bundle)
    names = iter(["numbers", "answers", "a b", "a-b"])
    told["numeric"] = [{**column, "column": next(names)} for column in told["numeric"]]
    told["categorical"] = [{**column, "column": next(names)} for column in told["categorical"]]
    header = c99_files(told, (bundle / "tflite").read_bytes())[1]
    assert "{ STUDENT_NUMBERS_1, STUDENT_ANSWERS_1, STUDENT_A_B, STUDENT_NUMBERS };" in header
    assert "{ STUDENT_A_B_1, STUDENT_TEXTS };" in header


def test_columns_that_have_no_form_in_c_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not dates \(day, stamp, instant, epoch\)"):
        write_c99(edge_bundles(ALL)[INT8], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_how_c_writes_numbers_and_texts() -> None:
    assert [literal(x) for x in (1, 0.1, 2e9, -2)] == ["1.0f", "0.100000001f", "2e+09f", "-2.0f"]
    assert string('Z\u00fc "a"?') == r'"Z\303\274 \042a\042\077"'
    assert fixed_point(0.75) == (int(0.75 * 2**31), 0)
    assert fixed_point(1 - 2**-40) == (2**30, 1)
    assert broadcast((3,), (1, 3)) == "i % 3"
    assert broadcast((), (1, 3)) == "0"
    assert strided((2, 3), (1, 2)) == "i / 3 + (i % 3) * 2"
