"""The operations of a program as C99.

Integer sums of the full-integer variants are rounded as TFLite's kernels round them; what else is
quantized is computed in float and rounded to the nearest integer, as they do.
"""

from collections.abc import Callable

import numpy as np

from models.export.clients.c99_writer import (
    Writer,
    array,
    broadcast,
    fixed_point,
    literal,
    strided,
)
from models.export.clients.program import Operation, Program

_MOVES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")  # the same values under another shape
_UNARY = {
    "DEQUANTIZE": "{x}",
    "LOGISTIC": "1.0f / (1.0f + expf(-({x})))",
    "TANH": "tanhf({x})",
    "RELU": "fmaxf({x}, 0.0f)",
    "RELU6": "fminf(fmaxf({x}, 0.0f), 6.0f)",
    "NEG": "-({x})",
    "ABS": "fabsf({x})",
    "EXP": "expf({x})",
    "LOG": "logf({x})",
    "SQRT": "sqrtf({x})",
    "RSQRT": "1.0f / sqrtf({x})",
    "SQUARE": "powf({x}, 2.0f)",
    "SIN": "sinf({x})",
    "COS": "cosf({x})",
}
_BINARY = {
    "ADD": "({x}) + ({y})",
    "SUB": "({x}) - ({y})",
    "MUL": "({x}) * ({y})",
    "DIV": "({x}) / ({y})",
    "MAXIMUM": "fmaxf({x}, {y})",
    "MINIMUM": "fminf({x}, {y})",
    "SQUARED_DIFFERENCE": "powf(({x}) - ({y}), 2.0f)",
}
# What a sum starts with, how a number joins it, and what becomes of it.
_REDUCTIONS = {
    "SUM": ("0.0f", "{sum} + {x}", "{sum}"),
    "MEAN": ("0.0f", "{sum} + {x}", "{sum} / {count}"),
    "REDUCE_MAX": ("-INFINITY", "fmaxf({sum}, {x})", "{sum}"),
}
_ADD_BITS = 20  # by which TFLite's integer sums are finer than their operands


def write_operations(program: Program) -> Writer:
    """Writes a program whose inputs are pointers of their names, and whose result is `answer`.

    Raises:
      ValueError: An operation has no form here.
    """
    writer = Writer(program)
    for operation in program.operations:
        name = operation.name
        if name in _MOVES:
            writer.alias(operation)
            continue
        made = writer.declare(operation)
        if name in ("ADD", "SUB") and made.quantized:
            _write_integer_sum(writer, operation)
        elif name == "MUL" and made.quantized:
            _write_integer_product(writer, operation)
        elif name == "QUANTIZE":
            _write_quantize(writer, operation)
        elif name in _UNARY:
            x = writer.real(operation.inputs[0], "i")
            writer.loop(made.size, writer.store(operation, _UNARY[name].format(x=x)))
        elif name in _BINARY:
            x, y = (writer.real(n, writer.place(n, made.shape)) for n in operation.inputs)
            writer.loop(made.size, writer.store(operation, _BINARY[name].format(x=x, y=y)))
        elif name in _REDUCTIONS:
            _write_reduction(writer, operation)
        elif name in _WRITERS:
            _WRITERS[name](writer, operation)
        else:
            raise ValueError(f"operation {name} has no form in C")
    size = program.tensors[program.output].size
    writer.loop(size, f"answer[i] = {writer.real(program.output, 'i')};")
    return writer


def _write_quantize(writer: Writer, operation: Operation) -> None:
    made, x = writer.tensors[operation.output], writer.real(operation.inputs[0], "i")
    writer.helpers.add("nearest")
    rounded = f"nearest({x}, {literal(made.scale)}, {made.zero})"
    writer.loop(made.size, f"{writer.name(operation.output)}[i] = {rounded};")


def _write_integer_sum(writer: Writer, operation: Operation) -> None:
    """As TFLite's ADD and SUB: both operands at a common finer scale."""
    made = writer.tensors[operation.output]
    whole = 2.0 * max(writer.tensors[n].scale for n in operation.inputs)
    terms = []
    for number in operation.inputs:
        factor, shift = fixed_point(writer.tensors[number].scale / whole)
        value = writer.integer(number, writer.place(number, made.shape))
        terms.append(f"scaled({value} * (1 << {_ADD_BITS}), {factor}, {shift})")
    factor, shift = fixed_point(whole / (2.0**_ADD_BITS * made.scale))
    value = (" - " if operation.name == "SUB" else " + ").join(terms)
    writer.loop(made.size, writer.store_scaled(operation, value, str(factor), str(shift)))


def _write_integer_product(writer: Writer, operation: Operation) -> None:
    made = writer.tensors[operation.output]
    scales = [writer.tensors[n].scale for n in operation.inputs]
    factor, shift = fixed_point(float(np.prod(scales)) / made.scale)
    value = " * ".join(writer.integer(n, writer.place(n, made.shape)) for n in operation.inputs)
    writer.loop(made.size, writer.store_scaled(operation, value, str(factor), str(shift)))


def _write_reduction(writer: Writer, operation: Operation) -> None:
    start, join, end = _REDUCTIONS[operation.name]
    given, axes = operation.inputs
    x, made, told = writer.tensors[given], writer.tensors[operation.output], writer.tensors[axes]
    assert told.data is not None
    reduced = {int(axis) % len(x.shape) for axis in told.data.ravel()}
    kept = [1 if axis in reduced else n for axis, n in enumerate(x.shape)]
    total, at = f"s{operation.output}", broadcast(kept, x.shape)
    writer.lines.append(f"    float {total}[{made.size}];")
    writer.loop(made.size, f"{total}[i] = {start};")
    cell = f"{total}[{at}]"
    writer.loop(x.size, f"{cell} = {join.format(sum=cell, x=writer.real(given, 'i'))};")
    count = literal(x.size / made.size)
    found = end.format(sum=f"{total}[i]", count=count)
    writer.loop(made.size, writer.store(operation, found))


def _write_gather(writer: Writer, operation: Operation) -> None:
    table, ids = operation.inputs[:2]
    if operation.options.get("axis") or operation.options.get("batchDims"):
        raise ValueError("operation GATHER has a form in C for the first axis only")
    width = writer.tensors[table].size // writer.tensors[table].shape[0]
    place = f"{writer.name(ids)}[i / {width}] * {width} + i % {width}"
    out = writer.name(operation.output)
    if writer.same_scale(table, operation.output):
        body = f"{out}[i] = {writer.name(table)}[{place}];"
    else:
        body = writer.store(operation, writer.real(table, place))
    writer.loop(writer.tensors[operation.output].size, body)


def _write_transpose(writer: Writer, operation: Operation) -> None:
    given, order = operation.inputs
    x, made, told = writer.tensors[given], writer.tensors[operation.output], writer.tensors[order]
    assert told.data is not None
    strides = [int(np.prod(x.shape[axis + 1 :])) for axis in told.data]
    place = strided(made.shape, strides)
    out = writer.name(operation.output)
    writer.loop(made.size, f"{out}[i] = {writer.name(given)}[{place}];")


def _write_concatenation(writer: Writer, operation: Operation) -> None:
    made = writer.tensors[operation.output]
    axis = operation.options["axis"] % len(made.shape)
    width, at = int(np.prod(made.shape[axis:])), 0
    out = writer.name(operation.output)
    for number in operation.inputs:
        part = writer.tensors[number]
        own = int(np.prod(part.shape[axis:]))
        place = f"{at} + i" if own == part.size else f"i / {own} * {width} + {at} + i % {own}"
        if writer.same_scale(number, operation.output):
            body = f"{out}[{place}] = {writer.name(number)}[i];"
        else:
            body = writer.store(operation, writer.real(number, "i"), place)
        writer.loop(part.size, body)
        at += own


def _write_fully_connected(writer: Writer, operation: Operation) -> None:
    given, weights, *bias = operation.inputs
    units, width = writer.tensors[weights].shape
    one = writer.tensors[given].size == width
    at = "j" if one else f"i / {units} * {width} + j"
    row = "i" if one else f"i % {units}"
    start = f"{writer.name(bias[0])}[{row}]" if bias and bias[0] >= 0 else ""
    _write_sums(writer, operation, width, at, f"{row} * {width} + j", start)


def _write_batch_matmul(writer: Writer, operation: Operation) -> None:
    given, other = operation.inputs
    x, y = writer.tensors[given].shape, writer.tensors[other].shape
    if writer.tensors[given].size // (x[-1] * x[-2]) != writer.tensors[other].size // (
        y[-1] * y[-2]
    ):
        raise ValueError("operation BATCH_MATMUL has no form in C that broadcasts")
    rows, inner = (x[-1], x[-2]) if operation.options["adjX"] else (x[-2], x[-1])
    columns = y[-2] if operation.options["adjY"] else y[-1]
    batch, row, column = f"i / {rows * columns}", f"i / {columns} % {rows}", f"i % {columns}"
    left = f"j * {rows} + {row}" if operation.options["adjX"] else f"({row}) * {inner} + j"
    right = f"{column} * {inner} + j" if operation.options["adjY"] else f"j * {columns} + {column}"
    at, place = f"{batch} * {rows * inner} + {left}", f"{batch} * {inner * columns} + {right}"
    _write_sums(writer, operation, inner, at, place, "")


def _write_sums(
    writer: Writer, operation: Operation, count: int, at: str, place: str, start: str
) -> None:
    """For each place i of the result the sum of products over j, and what it starts with."""
    given, weights = operation.inputs[:2]
    x, w, made = (writer.tensors[n] for n in (given, weights, operation.output))
    inner = f"for (int j = 0; j < {count}; j++)"
    if x.quantized:
        term = f"    sum += {writer.integer(given, at)} * {writer.integer(weights, place)};"
        factor, shift = _factors(writer, operation)
        out = writer.store_scaled(operation, "sum", factor, shift)
        writer.loop(made.size, f"int32_t sum = {start or '0'};", inner, term, out)
        return
    scale = ""
    if w.quantized:
        scale = f"{literal(w.scale)} * "
        if len(w.scales) > 1:
            name = f"m{operation.output}"
            writer.constants[name] = array(name, w.scales)
            scale = f"{name}[i % {len(w.scales)}] * "
    cell = writer.integer(weights, place) if w.quantized else f"{writer.name(weights)}[{place}]"
    cast = "(float)" if w.quantized else ""
    term = f"    sum += {writer.name(given)}[{at}] * {cast}{cell};"
    total = writer.store(operation, f"{scale}sum{f' + {start}' if start else ''}")
    writer.loop(made.size, "float sum = 0.0f;", inner, term, total)


def _factors(writer: Writer, operation: Operation) -> tuple[str, str]:
    """Expressions for what the sums are scaled by: one for all, or one for each unit."""
    x, w, made = (writer.tensors[n] for n in (*operation.inputs[:2], operation.output))
    pairs = [fixed_point(float(x.scale) * float(scale) / made.scale) for scale in w.scales]
    if len(pairs) == 1:
        return str(pairs[0][0]), str(pairs[0][1])
    name, values = f"m{operation.output}", np.array(pairs, np.int32).T
    writer.constants[name] = array(name, values[0]) + array(f"{name}_shift", values[1])
    return f"{name}[i % {len(pairs)}]", f"{name}_shift[i % {len(pairs)}]"


def _write_softmax(writer: Writer, operation: Operation) -> None:
    [given] = operation.inputs
    count, beta = writer.tensors[given].size, literal(operation.options.get("beta", 1.0))
    if writer.tensors[given].shape[-1] != count:
        raise ValueError("operation SOFTMAX has a form in C for one row only")
    total, highest, parts = (f"{letter}{operation.output}" for letter in "she")
    real = f"{beta} * ({writer.real(given, 'i')})"
    writer.lines.append(f"    float {total} = 0.0f, {highest} = -INFINITY, {parts}[{count}];")
    writer.loop(count, f"{highest} = fmaxf({highest}, {real});")
    writer.loop(count, f"{parts}[i] = expf({real} - {highest});", f"{total} += {parts}[i];")
    writer.loop(count, writer.store(operation, f"{parts}[i] / {total}"))


_WRITERS: dict[str, Callable[[Writer, Operation], None]] = {
    "BATCH_MATMUL": _write_batch_matmul,
    "CONCATENATION": _write_concatenation,
    "FULLY_CONNECTED": _write_fully_connected,
    "GATHER": _write_gather,
    "SOFTMAX": _write_softmax,
    "TRANSPOSE": _write_transpose,
}
