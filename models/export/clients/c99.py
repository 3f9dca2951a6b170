"""A bundle's model as one C99 file: `student.c` and its header, which need math.h alone."""

import hashlib
import itertools
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import InputError
from core.files import write_atomically
from core.names import EDGE_MODEL_FILE
from models.bundle.manifest import damaged
from models.export.clients.c99_columns import check_columns, inputs_function, string
from models.export.clients.c99_operations import write_operations
from models.export.clients.c99_writer import HELPERS
from models.export.clients.program import read_program
from models.export.device import read_bundle

SOURCE, HEADER = "student.c", "student.h"

_HEADER = """\
/* A student as C99, made of the .tflite file with SHA-256
   {sha256}.
   Every function may be called by many threads at once, and none allocates memory. */
#ifndef STUDENT_H
#define STUDENT_H

#include <stdint.h>

enum {{
    STUDENT_NUMERIC = {numeric},
    STUDENT_CATEGORICAL = {categorical},
    STUDENT_ANSWERS = {answers},
    STUDENT_CLASSES = {classes}
}};

/* Places in `numbers`; a number is NAN where it is missing. */
enum {{ {numbers} }};

/* Places in `texts`, UTF-8; a text is NULL or "" where it is missing. */
enum {{ {texts} }};

extern const char *const student_classes[STUDENT_CLASSES];

/* From a raw record to the model's inputs. */
void student_inputs(const float *numbers, const char *const *texts, float *numeric,
                    int32_t *categorical);

/* From the model's inputs to its answer: the probability of class 1 of two, or of each of more. */
void student_answer(const float *numeric, const int32_t *categorical, float *answer);

/* The class that an answer decides for. */
int student_decide(const float *answer);

#endif
"""
_TAKEN = set(re.findall("STUDENT_[A-Z]+", _HEADER)) | {"STUDENT_NUMBERS", "STUDENT_TEXTS"}
_ONE = "    return answer[0] > {threshold!r};"
_MANY = """\
    int best = 0;
    for (int i = 1; i < STUDENT_ANSWERS; i++)
        if (answer[i] > answer[best])
            best = i;
    return best;"""


def write_c99(bundle: Path, folder: Path) -> None:
    """Writes SOURCE and HEADER.

    Args:
      bundle: Folder of an edge bundle.
      folder: Where they go; it is there.

    Raises:
      InputError: The bundle has columns, or its model operations, that have no form here.
    """
    told, content = read_bundle(bundle), (bundle / EDGE_MODEL_FILE).read_bytes()
    check_columns(told)
    try:
        source, header = c99_files(told, content)
    except struct.error as error:
        raise InputError(damaged(bundle / EDGE_MODEL_FILE, f"it ends early ({error})")) from error
    except ValueError as error:
        raise InputError(f"{bundle / EDGE_MODEL_FILE}: {error}") from error
    write_atomically(folder / SOURCE, source)
    write_atomically(folder / HEADER, header)


def c99_files(bundle: Mapping[str, Any], content: bytes) -> tuple[str, str]:
    """Source and header of a model.

    Args:
      bundle: As `read_bundle` returns it, without columns that `check_columns` refuses.
      content: The `.tflite` file.

    Raises:
      ValueError: An operation has no form here.
    """
    program = read_program(content)
    written = write_operations(program)
    width = {name: program.tensors[number].size for name, number in program.inputs.items()}
    classes = bundle["classes"]
    numbers, texts = _places(
        [c["column"] for c in bundle["numeric"]], [c["column"] for c in bundle["categorical"]]
    )
    header = _HEADER.format(
        sha256=hashlib.sha256(content).hexdigest(),
        numeric=width.get("numeric", 1),
        categorical=width.get("categorical", 1),
        answers=program.tensors[program.output].size,
        classes=len(classes),
        numbers=", ".join([*numbers, "STUDENT_NUMBERS"]),
        texts=", ".join([*texts, "STUDENT_TEXTS"]),
    )
    threshold = bundle.get("threshold")
    unused = [f"    (void){name};" for name in ("numeric", "categorical") if name not in width]
    parts = [
        f'#include "{HEADER}"\n\n#include <math.h>\n',
        f"const char *const student_classes[] = {{{', '.join(map(string, classes))}}};\n",
        inputs_function(bundle),
        *(HELPERS[name] for name in sorted(written.helpers)),
        *written.constants.values(),
        "void student_answer(const float *numeric, const int32_t *categorical, float *answer)\n{",
        *unused,
        *written.lines,
        "}\n",
        "int student_decide(const float *answer)\n{",
        _MANY if threshold is None else _ONE.format(threshold=threshold),
        "}\n",
    ]
    return "\n".join(parts), header


def _places(numbers: Sequence[str], texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names for the places of columns, each once in the file; `capital-gain`: CAPITAL_GAIN."""
    found: list[str] = []
    for column in (*numbers, *texts):
        name = f"STUDENT_{re.sub('[^A-Z0-9]+', '_', column.upper())}"
        others = (f"{name}_{n}" for n in itertools.count(1))
        taken = {*_TAKEN, *found}
        found.append(next(each for each in itertools.chain([name], others) if each not in taken))
    return found[: len(numbers)], found[len(numbers) :]
