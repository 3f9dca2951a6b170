"""From raw columns to a model's inputs as C99: numbers, and categories whose values are listed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import InputError
from models.export.clients.c99_writer import array, literal

BUCKET = """\
/* The bucket that a number, NAN where it is missing, is in; a tiny one counts as zero. */
static int32_t bucket_of(float *x, const float *bounds, int count)
{
    int bucket = 0;
    if (*x != *x)
        return count + 1;
    *x = fabsf(*x) < 0x1p-100f ? 0.0f : *x;
    while (bucket < count && *x >= bounds[bucket])
        bucket++;
    return bucket;
}
"""
SCORE = """\
/* What a number is in the input `numeric`. */
static float score(float x, float center, float scale, float limit)
{
    return x != x ? 0.0f : fminf(fmaxf((x - center) / scale, -limit), limit);
}
"""
RANK = """\
/* What a number is in the input `numeric`: its quantile rank. */
static float rank(float x, const float *bounds, int count, int bucket)
{
    float below, above, within = 0.0f;
    if (x != x)
        return 0.5f;
    x = fminf(fmaxf(x, -0x1.fffffep127f), 0x1.fffffep127f);
    below = bounds[bucket > 0 ? bucket - 1 : 0] / 2.0f;
    above = bounds[bucket < count ? bucket : count - 1] / 2.0f;
    if (above > below)
        within = fminf(fmaxf((x / 2.0f - below) / (above - below), 0.0f), 1.0f);
    return ((float)bucket + within) / (float)(count + 1);
}
"""
LISTED = """\
/* Id of a category; NULL or "" where it is missing. `values` are one after the other, each with
   its NUL. */
static int32_t listed(const char *text, const char *values, int count, int32_t offset)
{
    if (!text || !*text)
        return offset + 1 + count;
    for (int n = 0; n < count; n++) {
        const char *one = text;
        while (*one && *one == *values) {
            one++;
            values++;
        }
        if (*one == *values)
            return offset + 1 + n;
        while (*values)
            values++;
        values++;
    }
    return offset;
}
"""
_KINDS = {"dates": "dates", "hashed": "categories of many values", "text": "texts"}


def check_columns(bundle: Mapping[str, Any]) -> None:
    """Refuses a bundle with columns that have no form in C.

    Raises:
      InputError: It has dates, categories of many values or texts; names them.
    """
    for key, kind in _KINDS.items():
        if told := bundle.get(key):
            columns = told if key == "dates" else told["columns"]
            names = ", ".join(c if isinstance(c, str) else c["column"] for c in columns)
            raise InputError(
                f"C99 takes numbers and categories whose values are listed, not {kind} ({names}): "
                "leave them out of columns, or use the runner in Python or JavaScript"
            )


def inputs_function(bundle: Mapping[str, Any]) -> str:
    """The function `student_inputs` and what it needs, for a bundle as `read_bundle` returns it."""
    numeric, categorical = bundle["numeric"], bundle["categorical"]
    scored = "limit" in bundle  # since format 3
    parts, lines = [], []
    if numeric:
        parts += [BUCKET, SCORE if scored else RANK]
        lines += ["    float x;", "    int32_t bucket;"]
    for n, column in enumerate(numeric):
        bounds = np.array(column["boundaries"], np.float32)
        parts.append(array(f"bounds_{n}", bounds))
        told = (column["center"], column["scale"], bundle["limit"]) if scored else ()
        asked = ", ".join(map(literal, told)) or f"bounds_{n}, {len(bounds)}, bucket"
        lines += [
            f"    x = numbers[{n}];",
            f"    bucket = bucket_of(&x, bounds_{n}, {len(bounds)});",
            f"    numeric[{n}] = {'score' if scored else 'rank'}(x, {asked});",
            f"    categorical[{n}] = {column['offset']} + bucket;",
        ]
    if categorical:
        parts.append(LISTED)
    for n, column in enumerate(categorical):
        values = "\n    ".join(string(f"{value}\0") for value in column["values"])
        parts.append(f"static const char values_{n}[] =\n    {values};\n")
        found = f"listed(texts[{n}], values_{n}, {len(column['values'])}, {column['offset']})"
        lines.append(f"    categorical[{len(numeric) + n}] = {found};")
    if not numeric:
        lines += ["    (void)numbers;", f"    numeric[0] = {'0.0f' if scored else '0.5f'};"]
    if not categorical:
        lines.append("    (void)texts;")
    return "\n".join(
        [
            *parts,
            "void student_inputs(const float *numbers, const char *const *texts, float *numeric,",
            "                    int32_t *categorical)",
            "{",
            *lines,
            "}\n",
        ]
    )


def string(text: str) -> str:
    """A text as C writes it: ASCII, what is not in octal bytes of its UTF-8."""
    plain = [
        chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in text.encode("utf-8")
    ]
    return f'"{"".join(plain)}"'
