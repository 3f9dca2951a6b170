"""Writes operations as C99: loops over arrays of fixed size, no memory but the stack."""

from collections.abc import Sequence

import numpy as np

from models.export.clients.program import Operation, Program, ProgramTensor

HELPERS = {
    "nearest": """\
/* As TFLite's QUANTIZE makes integers. */
static int8_t nearest(float real, float scale, int zero)
{
    float value = rintf(real * (1.0f / scale)) + (float)zero;
    return (int8_t)(value < -128.0f ? -128.0f : value > 127.0f ? 127.0f : value);
}
""",
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


class Writer:
    """Writes the body of a function, and the constants and functions that it needs.

    Attributes:
      constants: Definitions of arrays by their names.
      helpers: Names of HELPERS.
      lines: Of the body.
    """

    def __init__(self, program: Program) -> None:
        """Takes a program whose inputs are pointers of their names."""
        self.tensors = program.tensors
        self.constants: dict[str, str] = {}
        self.helpers: set[str] = set()
        self.lines: list[str] = []
        self._names = {number: name for name, number in program.inputs.items()}
        for name, number in program.inputs.items():
            if (given := program.tensors[number]).quantized:  # floats are rounded to integers here
                self._names[number] = f"t{number}"
                self.helpers.add("nearest")
                self.lines.append(f"    int8_t t{number}[{given.size}];")
                rounded = f"nearest({name}[i], {literal(given.scale)}, {given.zero})"
                self.loop(given.size, f"t{number}[i] = {rounded};")

    def name(self, number: int) -> str:
        """A tensor's array; that of a constant is written when it is used."""
        if number not in self._names:
            data = self.tensors[number].data
            assert data is not None
            self._names[number] = f"w{number}"
            self.constants[f"w{number}"] = array(f"w{number}", data)
        return self._names[number]

    def alias(self, operation: Operation) -> None:
        """The result is the first input under another shape."""
        self._names[operation.output] = self.name(operation.inputs[0])

    def declare(self, operation: Operation) -> ProgramTensor:
        """An array for the result, which is returned."""
        made = self.tensors[operation.output]
        self._names[operation.output] = f"t{operation.output}"
        kind = _TYPES[np.dtype(made.dtype).name]
        self.lines.append(f"    {kind} t{operation.output}[{made.size}];")
        return made

    def loop(self, count: int, *body: str) -> None:
        """Lines for each i below a count."""
        self.lines.append(f"    for (int i = 0; i < {count}; i++) {{")
        self.lines += [f"        {line}" for line in body]
        self.lines.append("    }")

    def real(self, number: int, place: str) -> str:
        """The real number at a place."""
        tensor, cell = self.tensors[number], f"{self.name(number)}[{place}]"
        if not tensor.quantized:
            return cell
        return f"{literal(tensor.scale)} * (float)({cell} - ({tensor.zero}))"

    def integer(self, number: int, place: str) -> str:
        """The integer at a place, from the zero point on."""
        return f"({self.name(number)}[{place}] - ({self.tensors[number].zero}))"

    def store(self, operation: Operation, real: str, place: str = "i") -> str:
        """Puts a real number, which the activation is applied to, at a place of the result."""
        tensor, active = self.tensors[operation.output], _ACTIVATED[operation.activation]
        real, cell = active.format(x=real), f"{self.name(operation.output)}[{place}]"
        if not tensor.quantized:
            return f"{cell} = {real};"
        self.helpers.add("quantized")
        return f"{cell} = quantized({real}, {literal(tensor.scale)}, {tensor.zero});"

    def store_scaled(self, operation: Operation, value: str, factor: str, shift: str) -> str:
        """Puts an integer, times a factor of fixed point, at place i of the result."""
        self.helpers |= {"scaled", "within"}
        made = self.tensors[operation.output]
        low = made.zero if operation.activation else -128
        six = made.zero + round(6.0 / made.scale) if operation.activation == "relu6" else 127
        scaled = f"scaled({value}, {factor}, {shift}) + ({made.zero})"
        return f"{self.name(operation.output)}[i] = within({scaled}, {low}, {min(six, 127)});"

    def place(self, number: int, shape: Sequence[int]) -> str:
        """Where an operand's value for place i of a result is, as broadcasting has it."""
        own = self.tensors[number].shape
        return "i" if tuple(own) == tuple(shape) else broadcast(own, shape)

    def same_scale(self, one: int, other: int) -> bool:
        """Whether integers of two tensors stand for the same numbers, or both are no integers."""
        a, b = self.tensors[one], self.tensors[other]
        return a.quantized == b.quantized and (
            not a.quantized or (a.scale == b.scale and a.zero == b.zero)
        )


def broadcast(shape: Sequence[int], made: Sequence[int]) -> str:
    """An expression in i, a place in an array of shape `made`, for the place in one of `shape`."""
    full = [1] * (len(made) - len(shape)) + list(shape)
    strides = [int(np.prod(full[axis + 1 :])) for axis in range(len(full))]
    return strided(made, [0 if n == 1 else s for n, s in zip(full, strides, strict=True)])


def strided(made: Sequence[int], strides: Sequence[int]) -> str:
    """The same for an array with a step for each axis of `made`."""
    terms = []
    for axis, (size, stride) in enumerate(zip(made, strides, strict=True)):
        if stride and size != 1:
            outer = int(np.prod(made[axis + 1 :]))
            index = f"i / {outer}" if outer != 1 else "i"
            index = index if axis == 0 else f"{index} % {size}"
            terms.append(index if stride == 1 else f"({index}) * {stride}")
    return " + ".join(terms) or "0"


def fixed_point(factor: float) -> tuple[int, int]:
    """A factor as a multiplier of 31 bits and a power of two: TFLite's QuantizeMultiplier."""
    fraction, exponent = np.frexp(factor)
    multiplier = round(float(fraction) * 2**31)
    if multiplier == 2**31:
        return 2**30, int(exponent) + 1
    return (0, 0) if exponent < -31 else (multiplier, int(exponent))
