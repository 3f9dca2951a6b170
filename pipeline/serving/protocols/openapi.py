"""The OpenAPI description of what is served, made from the contract and the live version."""

from typing import Any

from core.names import COLUMNS_SIGNATURE
from models.explain.single import SCALE
from pipeline.explaining.served import MOST_COUNTERFACTUALS
from pipeline.serving.contract import ServedColumn
from pipeline.serving.outputs import CLASS, CLASSES, PROBABILITIES
from pipeline.serving.protocols.payloads import BY_OUTPUT, BY_ROW
from pipeline.serving.service import Service

_ERROR = {
    "description": "refused; `error` says why",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["error"],
                "properties": {"error": {"type": "string"}},
            }
        }
    },
}
_ROW = "#/components/schemas/Row"


def describe(service: Service) -> dict[str, Any]:
    """The description, as JSON values."""
    live = service.served.find(service.config.name)
    columns = live.checker.columns()
    model, version = f"/v1/models/{service.config.name}", {"live": live.version}
    v2 = f"/v2/models/{service.config.name}"
    examples = {"$ref": "#/components/schemas/Examples"}
    told = "probabilities of the positive class"
    if live.model.classes is not None:
        told = "the probability of each class, and the most probable one"
    paths: dict[str, Any] = {
        model: _get("state of each version"),
        f"{model}/metadata": _get("signatures of the live version"),
        f"{model}:predict": _post(told, _predict(columns), _predictions(live.model.classes)),
        f"{model}:classify": _post("classes with their probabilities", examples),
        f"{model}:regress": _post(told, examples),
        f"{model}:explain": _post(
            "what each column adds to the answer, and what would change it",
            _explain(columns, service.classes),
            _explanations(columns, live.model.classes),
        ),
        v2: _get("inputs and outputs"),
        f"{v2}/ready": _get("whether the model answers"),
        f"{v2}/infer": _post(told, _infer(columns)),
        "/v2": _get("what serves"),
        "/v2/health/live": _get("whether the server is up"),
        "/v2/health/ready": _get("whether a version answers"),
        "/healthz": _get("whether the server is up"),
        "/readyz": _get("whether a version answers"),
        "/compare": _post("what each target answers for one row", {"$ref": _ROW}),
    }
    if live.model.classes is not None:
        del paths[f"{model}:regress"]  # answers one number a row
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{service.config.name}, {service.target} target",
            "version": str(version["live"]),
            "description": "TensorFlow Serving's REST API and the Open Inference Protocol.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Row": {
                    "type": "object",
                    "required": [column.name for column in columns],
                    "additionalProperties": False,
                    "properties": {column.name: _cell(column) for column in columns},
                },
                "Examples": {
                    "type": "object",
                    "required": ["examples"],
                    "properties": {
                        "examples": {"type": "array", "minItems": 1, "items": {"$ref": _ROW}}
                    },
                },
            }
        },
        "security": [] if service.token_free else [{"bearer": []}],
    }


def _cell(column: ServedColumn) -> dict[str, Any]:
    if column.kind == "BYTES":
        values = [*(column.values or ())]
        text: dict[str, Any] = {"type": "string"}
        if values:
            text["enum"] = values if column.required else ["", *values]
        elif column.required:
            text["minLength"] = 1
        if column.date is not None:
            text["description"] = f"a date or time: {column.date.format}"
        return text
    number: dict[str, Any] = {"type": "integer" if column.kind == "INT" else "number"}
    number |= {"minimum": column.low} if column.low > -(2.0**63) else {}
    number |= {"maximum": column.high} if column.high < 2.0**63 else {}
    return number


def _predict(columns: tuple[ServedColumn, ...]) -> dict[str, Any]:
    signature = {"const": COLUMNS_SIGNATURE}
    arrays = {c.name: {"type": "array", "minItems": 1, "items": _cell(c)} for c in columns}
    rows = {"type": "array", "minItems": 1, "items": {"$ref": _ROW}}
    return {
        "oneOf": [
            {
                "type": "object",
                "required": ["signature_name", "instances"],
                "additionalProperties": False,
                "properties": {"signature_name": signature, "instances": rows},
            },
            {
                "type": "object",
                "required": ["signature_name", "inputs"],
                "additionalProperties": False,
                "properties": {
                    "signature_name": signature,
                    "inputs": {
                        "type": "object",
                        "required": [*arrays],
                        "properties": arrays,
                        "description": "columns of one length",
                    },
                },
            },
        ]
    }


def _explain(columns: tuple[ServedColumn, ...], classes: tuple[str, ...]) -> dict[str, Any]:
    """As `_predict`, with what is asked for besides."""
    more = {
        "counterfactuals": {
            "type": "integer",
            "minimum": 0,
            "maximum": MOST_COUNTERFACTUALS,
            "description": "of each row: smallest changes that change the decision",
        },
        "class": {"enum": [*classes], "description": "that these are to reach; any other without"},
    }
    [rows, arrays] = _predict(columns)["oneOf"]
    return {
        "oneOf": [{**one, "properties": {**one["properties"], **more}} for one in (rows, arrays)]
    }


def _explanations(
    columns: tuple[ServedColumn, ...], classes: tuple[str, ...] | None
) -> dict[str, Any]:
    """Answers of `:explain`; with more than two classes each number is one of each class."""
    number: dict[str, Any] = {"type": "number"}
    if classes is not None:
        number = {"type": "object", "properties": {name: {"type": "number"} for name in classes}}
    by_column = {"type": "object", "properties": {column.name: number for column in columns}}
    change = {"type": "object", "properties": {"from": {}, "to": {}}}
    found = {
        "changes": {"type": "object", "additionalProperties": change},
        "class": {"type": "string"},
        "answer": number,
        "distance": {"type": "number"},
    }
    one = {
        "class": {"type": "string"},
        "answer": number,
        "base_value": number,
        "attributions": by_column,
        "counterfactuals": {"type": "array", "items": {"type": "object", "properties": found}},
    }
    explained = {"type": "array", "items": {"type": "object", "properties": one}}
    scale = {"const": SCALE}
    told = {"version": {"type": "integer"}, "scale": scale, "explanations": explained}
    return {"type": "object", "required": [*told], "properties": told}


def _infer(columns: tuple[ServedColumn, ...]) -> dict[str, Any]:
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"enum": [column.name for column in columns]},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "datatype": {"enum": ["FP32", "INT64", "BYTES"]},
            "data": {"type": "array"},
        },
    }
    inputs = {"type": "array", "items": tensor, "minItems": len(columns)}
    properties = {"id": {"type": "string"}, "inputs": inputs}
    return {"type": "object", "required": ["inputs"], "properties": properties}


def _predictions(classes: tuple[str, ...] | None) -> dict[str, Any]:
    """Answers of `:predict`; with more than two classes their outputs by name."""
    if classes is None:
        return {"type": "object"}
    shares = {"type": "array", "items": {"type": "number"}, "minItems": len(classes)}
    names = {"type": "array", "items": {"enum": [*classes]}, "minItems": len(classes)}
    one = {PROBABILITIES: shares, CLASSES: names, CLASS: {"enum": [*classes]}}
    row = {"type": "object", "required": [*one], "properties": one}
    columns = {name: {"type": "array", "items": schema} for name, schema in one.items()}
    outputs = {"type": "object", "required": [*one], "properties": columns}
    return {
        "type": "object",
        "properties": {BY_ROW: {"type": "array", "items": row}, BY_OUTPUT: outputs},
    }


def _responses(what: str, schema: dict[str, Any]) -> dict[str, Any]:
    answer = {"description": what, "content": {"application/json": {"schema": schema}}}
    return {"200": answer, **dict.fromkeys(("400", "401", "404", "503"), _ERROR)}


def _get(what: str) -> dict[str, Any]:
    return {"get": {"summary": what, "responses": _responses(what, {"type": "object"})}}


def _post(
    what: str, schema: dict[str, Any], answer: dict[str, Any] | None = None
) -> dict[str, Any]:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    responses = _responses(what, answer or {"type": "object"})
    return {"post": {"summary": what, "requestBody": body, "responses": responses}}
