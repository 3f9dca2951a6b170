"""The operations of a program as C99: loops over arrays of fixed size, no memory but the stack.

Integer sums of the full-integer variant are rounded as TFLite's kernels round them; what else is
quantized is computed in float and rounded to the nearest integer, as they do.
"""

from collections.abc import Sequence

import numpy as np

from models.export.clients.program import Operation, Program, ProgramTensor

HELPERS = {
    "quantized": """\
static int8_t quantized(float real, float scale, int zero)
{
    float value = roundf(real / scale) + (float)zero;
    return (int8_t)(value < -128.0f ? -128.0f : value > 127.0f ? 127.0f : value);
}
""",
    "scaled": """\
/* sum * multiplier / 2^31 * 2^shift, as gemmlowp rounds it */
static int32_t scaled(int32_t sum, int32_t multiplier, int shift)
{
    int64_t product = (int64_t)sum * (1 << (shift > 0 ? shift : 0)) * multiplier;
    int64_t high = (product + (product < 0 ? 1 - (1 << 30) : 1 << 30)) / ((int64_t)1 << 31);
    int right = shift > 0 ? 0 : -shift;
    int64_t rest = high & (((int64_t)1 << right) - 1);
    int64_t half = ((((int64_t)1 << right) - 1) >> 1) + (high < 0);
    return (int32_t)((high >> right) + (rest > half));
}
""",
    "within": """\
static int8_t within(int32_t value, int32_t low, int32_t high)
{
    return (int8_t)(value < low ? low : value > high ? high : value);
}
""",
}
"""Functions that operations call, by their names."""

_MOVES = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")  # the same values under another shape
_UNARY = {
    "QUANTIZE": "{x}",
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
_ACTIVATED = {"": "{x}", "relu": "fmaxf({x}, 0.0f)", "relu6": "fminf(fmaxf({x}, 0.0f), 6.0f)"}
_TYPES = {"float32": "float", "int8": "int8_t", "int32": "int32_t", "int64": "int32_t"}


def literal(number: float) -> str:
    """A float32 as C writes it."""
    text = f"{np.float32(number):.9g}"
    return f"{text}f" if set(text) & set(".en") else f"{text}.0f"


def array(name: str, values: np.ndarray) -> str:
    """A constant array."""
    kind = _TYPES[str(values.dtype)]
    write = literal if values.dtype == np.float32 else str
    cells = [write(value) for value in values.ravel()]
    lines = [", ".join(cells[at : at + 12]) for at in range(0, len(cells), 12)]
    return f"static const {kind} {name}[{len(cells)}] = {{\n    " + ",\n    ".join(lines) + "\n};\n"


class Operations:
    """Writes the operations of a program."""

    def __init__(self, program: Program) -> None:
        """Takes a program whose inputs are pointers of their names."""
        self._program = program
        self._tensors = list(program.tensors)
        self._names = {number: name for name, number in program.inputs.items()}
        self.constants: dict[str, str] = {}
        self.helpers: set[str] = set()
        self.lines: list[str] = []
        for operation in program.operations:
            self._write(operation)
        answer = self._tensors[program.output]
        self._loop(answer.size, f"answer[i] = {self._real(program.output, 'i')};")

    def _write(self, operation: Operation) -> None:
        name, [first, *_] = operation.name, operation.inputs
        made = self._tensors[operation.output]
        if name in _MOVES:
            self._names[operation.output] = self._name(first)
            return
        if name == "DEQUANTIZE" and (data := self._tensors[first].data) is not None:
            self._fold(operation, data)
            return
        kind = _TYPES[np.dtype(made.dtype).name]
        self._names[operation.output] = f"t{operation.output}"
        self.lines.append(f"    {kind} t{operation.output}[{made.size}];")
        if name in _UNARY:
            self._loop(
                made.size, self._store(operation, _UNARY[name].format(x=self._real(first, "i")))
            )
        elif name == "MUL" and made.quantized:
            self._write_product(operation)
        elif name in _BINARY:
            x, y = (self._real(n, self._place(n, made)) for n in operation.inputs)
            self._loop(made.size, self._store(operation, _BINARY[name].format(x=x, y=y)))
        elif (method := getattr(self, f"_write_{name.lower()}", None)) is not None:
            method(operation)
        else:
            raise ValueError(f"operation {name} has no form in C")

    def _fold(self, operation: Operation, data: np.ndarray) -> None:
        """A constant that is stored in another type."""
        told = self._tensors[operation.inputs[0]]
        real = data.astype(np.float32)
        if told.quantized:
            real = (real - np.float32(told.zero)) * np.float32(told.scale)
        made = self._tensors[operation.output]
        self._tensors[operation.output] = ProgramTensor(
            made.shape, np.float32, real, made.scales, made.zero
        )

    def _name(self, number: int) -> str:
        """A tensor's array; that of a constant is written when it is used."""
        tensor = self._tensors[number]
        if number not in self._names:
            assert tensor.data is not None
            self._names[number] = f"w{number}"
            self.constants[f"w{number}"] = array(f"w{number}", tensor.data)
        return self._names[number]

    def _real(self, number: int, place: str) -> str:
        """The real number at a place."""
        tensor, cell = self._tensors[number], f"{self._name(number)}[{place}]"
        if not tensor.quantized:
            return cell
        return f"{literal(tensor.scale)} * (float)({cell} - ({tensor.zero}))"

    def _store(self, operation: Operation, real: str, place: str = "i") -> str:
        """Puts a real number, which the activation is applied to, at a place of the result."""
        tensor, active = self._tensors[operation.output], _ACTIVATED[operation.activation]
        real, cell = active.format(x=real), f"{self._names[operation.output]}[{place}]"
        if not tensor.quantized:
            return f"{cell} = {real};"
        self.helpers.add("quantized")
        return f"{cell} = quantized({real}, {literal(tensor.scale)}, {tensor.zero});"

    def _loop(self, count: int, *body: str, variable: str = "i", depth: int = 1) -> None:
        indent = "    " * depth
        self.lines.append(
            f"{indent}for (int {variable} = 0; {variable} < {count}; {variable}++) {{"
        )
        self.lines += [f"{indent}    {line}" for line in body]
        self.lines.append(f"{indent}}}")

    def _place(self, number: int, made: ProgramTensor) -> str:
        """Where an operand's value for the result's place i is, as broadcasting has it."""
        shape = self._tensors[number].shape
        if shape == made.shape:
            return "i"
        return _broadcast(shape, made.shape)

    def _same_scale(self, one: int, other: int) -> bool:
        a, b = self._tensors[one], self._tensors[other]
        return a.quantized == b.quantized and (
            not a.quantized or (a.scale == b.scale and a.zero == b.zero)
        )

    def _write_gather(self, operation: Operation) -> None:
        table, ids = operation.inputs[:2]
        if operation.options.get("axis") or operation.options.get("batchDims"):
            raise ValueError("operation GATHER has a form in C for the first axis only")
        if not self._same_scale(table, operation.output):
            raise ValueError("operation GATHER has no form in C that changes the scale")
        width = self._tensors[table].size // self._tensors[table].shape[0]
        out, source = self._names[operation.output], self._name(table)
        place = f"{self._name(ids)}[i / {width}] * {width} + i % {width}"
        self._loop(self._tensors[operation.output].size, f"{out}[i] = {source}[{place}];")

    def _write_concatenation(self, operation: Operation) -> None:
        made = self._tensors[operation.output]
        axis = operation.options["axis"] % len(made.shape)
        width, at = int(np.prod(made.shape[axis:])), 0
        out = self._names[operation.output]
        for number in operation.inputs:
            part = self._tensors[number]
            own = int(np.prod(part.shape[axis:]))
            place = f"{at} + i" if own == part.size else f"i / {own} * {width} + {at} + i % {own}"
            same = f"{out}[{place}] = {self._name(number)}[i];"
            moved = self._store(operation, self._real(number, "i"), place)
            self._loop(part.size, same if self._same_scale(number, operation.output) else moved)
            at += own

    def _write_fully_connected(self, operation: Operation) -> None:
        given, weights, *bias = operation.inputs
        x, w = self._tensors[given], self._tensors[weights]
        width, made = w.shape[1], self._tensors[operation.output]
        at = "j" if x.size == width else f"i / {w.shape[0]} * {width} + j"
        row = "i" if x.size == width else f"i % {w.shape[0]}"
        start = f"{self._name(bias[0])}[{row}]" if bias and bias[0] >= 0 else "0"
        x_name, w_name = self._name(given), self._name(weights)
        if not x.quantized:
            term = (
                f"{x_name}[{at}] * {'(float)' if w.quantized else ''}{w_name}[{row} * {width} + j]"
            )
            scale = f"{literal(w.scale)} * " if w.quantized else ""
            body = ["float sum = 0.0f;", *_inner(width, f"sum += {term};")]
            body += [self._store(operation, f"{scale}sum + {start}")]
            self._loop(made.size, *body)
            return
        term = f"({x_name}[{at}] - ({x.zero})) * {w_name}[{row} * {width} + j]"
        multiplier, shift = self._multipliers(operation, w, x, made)
        out = self._requantized(operation, "sum", multiplier, shift)
        self._loop(made.size, f"int32_t sum = {start};", *_inner(width, f"sum += {term};"), out)

    def _requantized(self, operation: Operation, value: str, factor: str, shift: str) -> str:
        """Puts an integer, times a factor, at place i of the result."""
        self.helpers |= {"scaled", "within"}
        made = self._tensors[operation.output]
        low = made.zero if operation.activation else -128
        six = made.zero + round(6.0 / made.scale) if operation.activation == "relu6" else 127
        scaled = f"scaled({value}, {factor}, {shift}) + ({made.zero})"
        cell = f"{self._names[operation.output]}[i]"
        return f"{cell} = within({scaled}, {low}, {min(six, 127)});"

    def _write_product(self, operation: Operation) -> None:
        made = self._tensors[operation.output]
        terms, factor = [], 1.0 / made.scale
        for number in operation.inputs:
            tensor = self._tensors[number]
            factor *= tensor.scale
            terms.append(f"({self._name(number)}[{self._place(number, made)}] - ({tensor.zero}))")
        multiplier, shift = _fixed_point(factor)
        value = " * ".join(terms)
        body = self._requantized(operation, value, str(multiplier), str(shift))
        self._loop(made.size, body)

    def _multipliers(
        self, operation: Operation, w: ProgramTensor, x: ProgramTensor, made: ProgramTensor
    ) -> tuple[str, str]:
        """Expressions for what a row's sums are scaled by."""
        factors = x.scales.astype(np.float64)[0] * w.scales.astype(np.float64) / made.scale
        pairs = [_fixed_point(factor) for factor in factors]
        if len(pairs) == 1:
            return str(pairs[0][0]), str(pairs[0][1])
        name = f"m{operation.output}"
        values = np.array(pairs, np.int32).T
        self.constants[name] = array(name, values[0]) + array(f"{name}_shift", values[1])
        return f"{name}[i % {len(pairs)}]", f"{name}_shift[i % {len(pairs)}]"

    def _write_softmax(self, operation: Operation) -> None:
        [given] = operation.inputs
        count, beta = self._tensors[given].size, literal(operation.options.get("beta", 1.0))
        if self._tensors[given].shape[-1] != count:
            raise ValueError("operation SOFTMAX has a form in C for one row only")
        total, real = f"s{operation.output}", f"{beta} * ({self._real(given, 'i')})"
        highest, parts = f"h{operation.output}", f"e{operation.output}"
        self.lines.append(f"    float {total} = 0.0f, {highest} = -INFINITY, {parts}[{count}];")
        self._loop(count, f"{highest} = fmaxf({highest}, {real});")
        self._loop(count, f"{parts}[i] = expf({real} - {highest});", f"{total} += {parts}[i];")
        self._loop(count, self._store(operation, f"{parts}[i] / {total}"))


def _inner(count: int, body: str) -> list[str]:
    return [f"for (int j = 0; j < {count}; j++) {{", f"    {body}", "}"]


def _broadcast(shape: Sequence[int], made: Sequence[int]) -> str:
    """An expression in i, a place in an array of shape `made`, for the place in one of `shape`."""
    full = [1] * (len(made) - len(shape)) + list(shape)
    terms, outer, inner = [], 1, 1
    for own, whole in zip(reversed(full), reversed(made), strict=True):
        if own != 1:
            terms.append(f"i / {outer} % {own} * {inner}")
        outer, inner = outer * whole, inner * own
    return " + ".join(terms) or "0"


def _fixed_point(factor: float) -> tuple[int, int]:
    """A factor as a multiplier of 31 bits and a power of two: TFLite's QuantizeMultiplier."""
    fraction, exponent = np.frexp(factor)
    multiplier = round(float(fraction) * 2**31)
    if multiplier == 2**31:
        return 2**30, int(exponent) + 1
    return (0, 0) if exponent < -31 else (multiplier, int(exponent))
