"""A `.tflite` file as a list of operations on tensors, for what runs it without an interpreter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}
_NAMES = {code: name for name, code in vars(schema.BuiltinOperator).items() if name.isupper()}
_ACTIVATIONS = {
    schema.ActivationFunctionType.NONE: "",
    schema.ActivationFunctionType.RELU: "relu",
    schema.ActivationFunctionType.RELU6: "relu6",
}


@dataclass(frozen=True)
class ProgramTensor:
    """A tensor of one row.

    Attributes:
      shape: Of the tensor.
      dtype: float32, float16, int8, int32 or int64.
      data: Its values where it is a constant.
      scales: float32, of a quantized tensor: one, or one for each row of a weight matrix.
      zero: Zero point of a quantized tensor.
    """

    shape: tuple[int, ...]
    dtype: Any
    data: np.ndarray | None
    scales: np.ndarray
    zero: int

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def scale(self) -> float:
        """The only scale."""
        return float(self.scales[0])

    @property
    def quantized(self) -> bool:
        """Whether its integers stand for real numbers."""
        return self.dtype == np.int8 and len(self.scales) > 0


@dataclass(frozen=True)
class Operation:
    """An operation.

    Attributes:
      name: TFLite's name: FULLY_CONNECTED.
      inputs: Numbers of tensors; -1 for none.
      output: Number of a tensor.
      activation: Of its result: "", "relu" or "relu6".
      options: TFLite's options by name.
    """

    name: str
    inputs: tuple[int, ...]
    output: int
    activation: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Program:
    """What a model computes.

    Attributes:
      tensors: By number.
      operations: In the order in which they run.
      inputs: Number of the tensor of each input, by the signature's names.
      output: Number of the tensor of the answer.
    """

    tensors: tuple[ProgramTensor, ...]
    operations: tuple[Operation, ...]
    inputs: Mapping[str, int]
    output: int


def read_program(content: bytes) -> Program:
    """The operations of a `.tflite` file with one graph and one signature of one output.

    Raises:
      ValueError: An operation or a type of a tensor that nothing here knows.
    """
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    [graph], [signature] = model.subgraphs, model.signatureDefs
    tensors = [_tensor(tensor, model.buffers[tensor.buffer].data) for tensor in graph.tensors]
    operations = [
        _operation(operator, model.operatorCodes[operator.opcodeIndex])
        for operator in graph.operators
    ]
    tensors, operations = _folded(tensors, operations)
    inputs = {entry.name.decode(): int(entry.tensorIndex) for entry in signature.inputs}
    [output] = signature.outputs
    return Program(tuple(tensors), tuple(operations), inputs, int(output.tensorIndex))


def _folded(
    tensors: list[ProgramTensor], operations: list[Operation]
) -> tuple[list[ProgramTensor], list[Operation]]:
    """Without what is the same for every row: shapes, which are known, and types of constants."""
    left = []
    for operation in operations:
        made = tensors[operation.output]
        data = tensors[operation.inputs[0]].data
        if made.dtype in (np.int32, np.int64):
            continue  # arithmetic on shapes
        if operation.name == "FILL":
            value = tensors[operation.inputs[1]].data
            assert value is not None
            tensors[operation.output] = replace(made, data=np.full(made.shape, value, made.dtype))
        elif operation.name == "DEQUANTIZE" and data is not None:
            told, real = tensors[operation.inputs[0]], data.astype(np.float32)
            if told.quantized:
                real = (real - np.float32(told.zero)) * np.float32(told.scale)
            tensors[operation.output] = replace(made, data=real)
        else:
            left.append(operation)
    return tensors, left


def _tensor(tensor: Any, content: Any) -> ProgramTensor:
    if tensor.type not in _DTYPES:
        raise ValueError(f"tensor {tensor.name.decode()}: type {tensor.type} is not supported")
    dtype, shape = _DTYPES[tensor.type], tuple(int(n) for n in tensor.shape)
    data = None
    if content is not None and len(content):
        data = np.frombuffer(bytes(content), dtype).reshape(shape)
    told = tensor.quantization
    scales = np.array([] if told is None or told.scale is None else told.scale, np.float32)
    zeros = [0] if told is None or told.zeroPoint is None else told.zeroPoint
    return ProgramTensor(shape, dtype, data, scales, int(zeros[0]))


def _operation(operator: Any, code: Any) -> Operation:
    name = _NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
    options = dict(vars(operator.builtinOptions)) if operator.builtinOptions else {}
    activation = options.get("fusedActivationFunction", 0)
    if activation not in _ACTIVATIONS:
        raise ValueError(f"{name}: activation {activation} is not supported")
    [output] = operator.outputs
    inputs = tuple(int(number) for number in operator.inputs)
    return Operation(name, inputs, int(output), _ACTIVATIONS[activation], options)
