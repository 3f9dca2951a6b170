"""TensorFlow Serving's gRPC API by its public stubs: Predict, GetModelMetadata, GetModelStatus."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from core.names import DEFAULT_SIGNATURE, EXAMPLES_INPUT
from pipeline.serving.canary import Header
from pipeline.serving.errors import CellError, RequestError
from pipeline.serving.outputs import names_of, outputs_of
from pipeline.serving.protocols.payloads import check_lengths
from pipeline.serving.rows import RequestRows
from pipeline.serving.service import Service
from pipeline.serving.versions import Servable

_PROTOCOL = "grpc"
_SIGNATURE_DEF = "signature_def"
_NUMPY = {
    types_pb2.DT_FLOAT: np.float32,
    types_pb2.DT_DOUBLE: np.float64,
    types_pb2.DT_INT64: np.int64,
}
_VALUES = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_STRING: "string_val",
}


async def start(
    service: Service, address: str, token: Callable[[str | None], bool]
) -> grpc.aio.Server:
    """Starts a gRPC server in the event loop.

    Args:
      service: What answers.
      address: host:port; the port is shared by the processes of one server.
      token: Whether an `authorization` is the right one.

    Raises:
      OSError: The address is taken.
    """
    most, shared = service.config.serving.max_body_bytes, service.config.serving.workers > 1
    options = [("grpc.max_receive_message_length", most), ("grpc.so_reuseport", shared)]
    server = grpc.aio.server(options=options)
    api = _Api(service, token)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(api), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Model(api), server)
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise OSError(f"gRPC cannot listen on {address}: is another server there?")
    await server.start()
    return server


class _Api:
    """What the two services share."""

    def __init__(self, service: Service, token: Callable[[str | None], bool]) -> None:
        self.service, self._token = service, token

    async def call(
        self, method: str, context: Any, answer: Callable[[str, float], Awaitable[Any]]
    ) -> Any:
        """Answers a call, counts it, and turns refusals into statuses."""
        began, code = time.perf_counter(), "OK"
        metadata = dict(context.invocation_metadata() or ())
        request = self.service.request_id(str(metadata.get("x-request-id", "")).encode())
        try:
            if not self._token(metadata.get("authorization")):
                raise RequestError(
                    "a token is asked for: authorization: Bearer ...", "UNAUTHENTICATED"
                )
            return await answer(request, began)
        except RequestError as error:
            code = error.code
            await context.abort(grpc.StatusCode[error.code], error.message)
        finally:
            self.service.metrics.request(_PROTOCOL, method, code, time.perf_counter() - began)


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, api: _Api) -> None:
        self._api = api

    async def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        async def answer(number: str, began: float) -> Any:
            servable = _find(self._api.service, request.model_spec)
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            rows = tensor_rows(request, name, servable)
            spec = request.model_spec
            any_version = not (spec.HasField("version") or spec.version_label)
            headers = _headers(context) if any_version else None
            servable, answers = await self._api.service.answer(
                servable, rows, number, began, headers
            )
            return _response(request, name, servable, answers)

        return await self._api.call("predict", context, answer)

    async def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        async def answer(number: str, began: float) -> Any:
            _check_metadata_fields(request)
            servable = _find(self._api.service, request.model_spec)
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.CopyFrom(_spec(request, servable, ""))
            signatures = get_model_metadata_pb2.SignatureDefMap(
                signature_def=servable.model.signatures
            )
            response.metadata[_SIGNATURE_DEF].Pack(signatures)
            return response

        return await self._api.call("metadata", context, answer)


class _Model(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, api: _Api) -> None:
        self._api = api

    async def GetModelStatus(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        async def answer(number: str, began: float) -> Any:
            states = self._api.service.served.status(**_asked(request))
            response = get_model_status_pb2.GetModelStatusResponse()
            for version, state in states.items():
                status = response.model_version_status.add(version=version)
                status.state = get_model_status_pb2.ModelVersionStatus.State.Value(state.state)
                status.status.error_code = 2 if state.error else 0  # UNKNOWN, OK
                status.status.error_message = state.error
            return response

        return await self._api.call("status", context, answer)


def _headers(context: Any) -> Header:
    """A call's metadata by name, texts alone."""

    def header(name: str) -> str | None:
        found = dict(context.invocation_metadata() or ()).get(name)
        return found if isinstance(found, str) else None

    return header


def _asked(request: Any) -> dict[str, Any]:
    if not request.HasField("model_spec"):
        raise RequestError("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    return {"name": spec.name, "version": version, "label": spec.version_label or None}


def _find(service: Service, spec: Any) -> Servable:
    version = spec.version.value if spec.HasField("version") else None
    return service.served.find(spec.name, version, spec.version_label or None)


def _check_metadata_fields(request: Any) -> None:
    if not request.HasField("model_spec"):
        raise RequestError("Missing ModelSpec")
    if not request.metadata_field:
        raise RequestError("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURE_DEF:
            raise RequestError(f"Metadata field {field} is not supported")


def tensor_rows(request: predict_pb2.PredictRequest, name: str, servable: Servable) -> RequestRows:
    """The rows of a PredictRequest.

    Raises:
      RequestError: Signature, inputs or values are not as they should be.
    """
    signature = servable.model.signatures.get(name)
    if signature is None or not signature.inputs:
        raise RequestError(f'Serving signature key "{name}" not found.', "FAILED_PRECONDITION")
    sent, wanted = {*request.inputs}, {*signature.inputs}
    if sent != wanted:
        raise RequestError(
            f"input size does not match signature: {len(sent)}!={len(wanted)}. Sent extra: "
            f"{{{','.join(sorted(sent - wanted))}}}. Missing but required: "
            f"{{{','.join(sorted(wanted - sent))}}}."
        )
    outputs = names_of(servable.model.classes)
    for alias in request.output_filter:
        if alias not in outputs:
            raise RequestError(
                f"output tensor alias not found in signature: {alias} Outputs expected to be in "
                f"the set {{{','.join(outputs)}}}."
            )
    columns = {
        alias: tensor_values(alias, request.inputs[alias], signature.inputs[alias].dtype)
        for alias in sorted(wanted)
    }
    check_lengths(columns)
    servable.checker.check_count(len(next(iter(columns.values()))))
    try:
        if name == DEFAULT_SIGNATURE:
            return servable.checker.of_examples(columns[EXAMPLES_INPUT])
        return servable.checker.of_columns(columns)
    except CellError as error:
        raise RequestError(str(error)) from error


def tensor_values(name: str, tensor: tensor_pb2.TensorProto, dtype: int) -> list[Any]:
    """The values of a tensor of shape [rows] or [rows, 1].

    Raises:
      RequestError: It is of another type or shape, or has too few values.
    """
    if tensor.dtype != dtype:
        given, wanted = (types_pb2.DataType.Name(d) for d in (tensor.dtype, dtype))
        raise RequestError(f"input '{name}': expected to be {wanted} but {given} is provided")
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if not shape or [*shape[1:]] not in ([], [1]) or shape[0] < 0:
        raise RequestError(f"input '{name}': shape {shape} is not [rows, 1]")
    count = math.prod(shape)
    if tensor.tensor_content:
        if dtype not in _NUMPY:
            raise RequestError(f"input '{name}': tensor_content holds numbers alone")
        width = np.dtype(_NUMPY[dtype]).itemsize
        if len(tensor.tensor_content) != count * width:
            raise RequestError(f"input '{name}': tensor_content does not fit shape {shape}")
        values: list[Any] = np.frombuffer(tensor.tensor_content, _NUMPY[dtype]).tolist()
        return values
    values = list(getattr(tensor, _VALUES[dtype]))
    if len(values) == 1 < count <= 2**20:  # TensorFlow's short form of values that are all alike
        values *= count
    if len(values) != count:
        raise RequestError(f"input '{name}': shape {shape}, but {len(values)} values")
    return values


def _spec(request: Any, servable: Servable, signature: str) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=request.model_spec.name, signature_name=signature)
    spec.version.value = servable.version
    return spec


def _response(request: Any, name: str, servable: Servable, answers: np.ndarray) -> Any:
    response = predict_pb2.PredictResponse(model_spec=_spec(request, servable, name))
    for output in outputs_of(answers, servable.model.classes):
        if request.output_filter and output.name not in request.output_filter:
            continue
        tensor = response.outputs[output.name]
        for size in (len(answers), output.width):
            tensor.tensor_shape.dim.add(size=size)
        if output.is_text:
            tensor.dtype = types_pb2.DT_STRING
            tensor.string_val.extend(text.encode() for text in output.values)
        else:
            tensor.dtype = types_pb2.DT_FLOAT
            tensor.float_val.extend(output.values.tolist())
    return response
