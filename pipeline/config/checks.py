"""Says what is wrong with a configuration: key, value, what is allowed, the nearest valid key."""

import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from core.config import Config
from core.targets import TARGETS
from models.metrics.registry import QUALITY_BY_CLASS, RATES_BY_CLASS, Metric, metrics_of
from pipeline.config.card_checks import check_cards
from pipeline.config.column_checks import (
    GAP_BOUNDS,
    check_columns,
    check_evaluation,
    check_explain,
    check_features,
)
from pipeline.config.compression_checks import check_compression
from pipeline.config.fairness_checks import check_fairness, check_labels_by_group
from pipeline.config.operation_checks import check_operations
from pipeline.config.overlay import KeyPath, Merged

Problem = tuple[KeyPath, str]
_RANGE_WORDS = {
    "minimum": ">=",
    "exclusiveMinimum": ">",
    "maximum": "<=",
    "exclusiveMaximum": "<",
}
_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys and values",
    "null": "null",
}


def describe_errors(error: ValidationError, merged: Merged, schema: dict[str, Any]) -> list[str]:
    """One line for each problem that pydantic found.

    Args:
        error: what `Config.model_validate_json` raised.
        merged: the values with the layer that each came from.
        schema: the JSON schema of the configuration.
    """
    found: dict[KeyPath, str] = {}
    for problem in error.errors(include_url=False):
        path = _existing(problem["loc"], merged.values, schema)
        allowed = _describe(_node(path, schema), schema)
        if problem["loc"][-1] == "[key]":
            found[path] = _no_such_key(".".join(path[:-1]))
        elif problem["type"] == "extra_forbidden":
            found[path] = _no_such_key(nearest_key(path, schema))
        elif problem["type"] == "missing":
            found[path] = f"missing; give {allowed}"
        else:
            value = json.dumps(_value(path, merged.values), default=str)
            found.setdefault(path, f"{value} is not allowed; give {allowed}")
    return [
        f"{merged.source(path)}: {'.'.join(path)}: {what}"
        for path, what in found.items()
        if not any(other[: len(path)] == path for other in found if other != path)
    ]


def _no_such_key(nearest: str) -> str:
    return f"there is no such key; the nearest is '{nearest}'"


def _closest(name: str, names: list[str]) -> list[str]:
    return difflib.get_close_matches(name, names, 1, 0)


def _existing(loc: tuple[int | str, ...], values: Any, schema: dict[str, Any]) -> KeyPath:
    """A location without the names of union members that pydantic puts in between."""
    path: list[str] = []
    for step in loc:
        known = isinstance(values, dict) and step in values
        listed = isinstance(values, list) and isinstance(step, int) and step < len(values)
        if known or listed:
            values = values[step]
            path.append(str(step))
        elif str(step) in _properties(_node(tuple(path), schema), schema):
            path.append(str(step))
            break
    return tuple(path)


def _value(path: KeyPath, values: Any) -> Any:
    for step in path:
        values = values[int(step)] if isinstance(values, list) else values[step]
    return values


def _resolve(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        elif len(node.get("allOf", ())) == 1:
            node = node["allOf"][0]
        else:
            return node


def _properties(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return dict(_resolve(node, schema).get("properties", {}))


def _node(path: KeyPath, schema: dict[str, Any]) -> dict[str, Any]:
    """The part of the JSON schema that describes `path`; empty when nothing does."""
    node = schema
    for step in path:
        node = _resolve(node, schema)
        if step in node.get("properties", {}):
            node = node["properties"][step]
        elif "additionalProperties" in node and node["additionalProperties"] is not False:
            node = node["additionalProperties"]
        elif "patternProperties" in node:
            node = next(iter(node["patternProperties"].values()))
        elif "items" in node:
            node = node["items"]
        else:
            return {}
    return _resolve(node, schema)


def _describe(node: dict[str, Any], schema: dict[str, Any]) -> str:
    """The allowed values in words: `a number >= 0 and < 1`."""
    node = _resolve(node, schema)
    if "anyOf" in node:
        return " or ".join(_describe(option, schema) for option in node["anyOf"])
    if "enum" in node:
        values = ", ".join(str(value) for value in node["enum"])
        return f"one of {values}" if len(node["enum"]) > 1 else values
    words = _TYPE_WORDS.get(str(node.get("type")), "another value")
    limits = [f"{sign} {node[key]:g}" for key, sign in _RANGE_WORDS.items() if key in node]
    if limits:
        words += " " + " and ".join(limits)
    if node.get("type") == "array" and "items" in node:
        words += f" of: {_describe(node['items'], schema)}"
    if node.get("minLength") or node.get("minItems"):
        words += ", not empty"
    if "pattern" in node:
        words += f" like {node['pattern']}"
    return words


def _key_paths(node: dict[str, Any], schema: dict[str, Any], above: str = "") -> Iterator[str]:
    for key, child in _properties(node, schema).items():
        yield above + key
        yield from _key_paths(child, schema, f"{above}{key}.")


def nearest_key(path: KeyPath, schema: dict[str, Any]) -> str:
    """The valid key that reads most like `path`: a sibling, or the same key elsewhere."""
    for name, target in TARGETS.items():
        if path == ("selection", name, "variant"):
            return target.variant_key
    above = _node(path[:-1], schema)
    prefix = ".".join(path[:-1]) + "." if path[:-1] else ""
    siblings = list(_properties(above, schema))
    if close := difflib.get_close_matches(path[-1], siblings, 1, 0.6):
        return prefix + close[0]
    everywhere = list(_key_paths(schema, schema))
    same = [key for key in everywhere if key.rsplit(".", 1)[-1] == path[-1]]
    if same:
        return _closest(".".join(path), same)[0]
    if siblings:
        return prefix + _closest(path[-1], siblings)[0]
    return _closest(".".join(path), everywhere)[0]


def cross_check(config: Config, repository: Path) -> list[Problem]:
    """What no single key shows: keys that contradict each other, files that are not there."""
    return [
        *_check_metrics(config),
        *check_columns(config),
        *check_features(config),
        *check_evaluation(config, repository),
        *check_fairness(config, repository),
        *check_labels_by_group(config),
        *check_explain(config, repository),
        *check_compression(config),
        *_check_files(config, repository),
        *check_cards(config, repository),
        *check_operations(config),
    ]


def _check_metrics(config: Config) -> Iterator[Problem]:
    """Bounds on metrics that nobody measures, or out of their range."""
    count = len(config.columns.classes)
    if count < 2:
        return
    known = metrics_of(config.columns.names)
    by_class: Mapping[str, Metric] = {}
    rates = known.rates
    if known.kinds:
        by_class = {kind: known.quality[known.kinds[kind][0]] for kind in QUALITY_BY_CLASS}
        rates = {kind: known.rates[known.kinds[kind][0]] for kind in RATES_BY_CLASS}
    quality, compared = {**known.quality, **by_class}, {**known.compared, **by_class}
    named: list[tuple[KeyPath, Mapping[str, float], Mapping[str, Metric]]] = [
        (("retrain", "max_quality_drop"), config.retrain.max_quality_drop, quality),
        *(
            (("pusher", key), getattr(config.pusher, key), compared)
            for key in ("max_regression", "max_regression_by_slice")
        ),
    ]
    for target in TARGETS:
        bounds, above = config.evaluation.bounds_of(target), ("evaluation", target)
        for key in ("min", "min_by_slice", "max_drop"):
            named.append(((*above, key), getattr(bounds, key), known.quality))
        from_teacher = bounds.max_drop_from_teacher
        named.append(((*above, "max_drop_from_teacher"), from_teacher, known.together))
        least = bounds.min_over_reference
        named.append(((*above, "min_over_reference"), least, known.together))
        named.append(((*above, "min_by_class"), bounds.min_by_class, by_class))
        for key in GAP_BOUNDS:
            for column, of_column in getattr(bounds, key).items():
                named.append(((*above, key, column), of_column, rates))
    for path, bounds_by_name, metrics in named:
        for name, bound in bounds_by_name.items():
            if name not in metrics:
                yield (*path, name), _no_metric(name, path, metrics, count)
            elif bound > metrics[name].bounded:
                yield (*path, name), f"{bound:g} is not allowed; give a number >= 0 and <= 1"


def _no_metric(name: str, path: KeyPath, known: Mapping[str, Metric], classes: int) -> str:
    """There is no such metric for so many classes: the nearest, and all there are."""
    if not known:
        return "bounds each class where there are more than two; of two, tpr and fpr are theirs"
    nearest = ".".join([*path, *_closest(name, list(known))])
    listed = [each for each, metric in known.items() if "[" not in each]
    return f"{_no_such_key(nearest)}; with {classes} classes there are {', '.join(listed)}"


def _check_files(config: Config, repository: Path) -> Iterator[Problem]:
    if config.data.folder is None and config.data.loader is None:
        yield ("data", "loader"), "give data.folder (your CSV files) or data.loader (a module)"
    if config.data.source is not None and config.data.loader is None:
        yield ("data", "source"), "is for the module data.loader to read, which is not set"
    if not (repository / config.contract).is_file():
        yield ("schema",), f"there is no file {repository / config.contract}"
    modules = {("data", "loader"): config.data.loader}
    if config.labeling.mode == "weak":
        modules["labeling", "functions"] = config.labeling.functions
        if config.labeling.functions is None:
            yield ("labeling", "functions"), "labeling.mode=weak needs a module; or set mode=gold"
    for path, module in modules.items():
        if module is not None:
            file = repository.joinpath(*module.split("."))
            if not file.with_suffix(".py").is_file() and not (file / "__init__.py").is_file():
                yield path, f"there is no module {module}: looked for {file}.py"
