"""Configuration layers: YAML files chained by `extends`, and `key.path=value` overrides on top.

A mapping that belongs to a section of the configuration is merged key by key; every other value,
free-form mappings such as thresholds included, replaces the value of the layer below.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import YAMLError

from core.errors import InputError

KeyPath = tuple[str, ...]
Layer = tuple[str, dict[str, Any]]  # where the values come from, and the values
_DEEPEST, _MOST_VALUES = 50, 100_000
_TOO_DEEP = f"nested deeper than {_DEEPEST} levels"


@dataclass(frozen=True)
class Merged:
    """Values of all layers, and for each key path the layer that set it."""

    values: dict[str, Any]
    sources: dict[KeyPath, str]

    def source(self, path: KeyPath) -> str:
        """The layer that set `path`, the nearest key above it, or the last one below it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.sources:
                return self.sources[path[:length]]
        below = [source for at, source in self.sources.items() if at[: len(path)] == path]
        return below[-1] if below else "the configuration"


class _Constructor(SafeConstructor):
    """Says of a key that is given twice where and which, and no more."""

    def check_mapping_key(
        self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any
    ) -> bool:
        try:
            return super().check_mapping_key(node, key_node, mapping, key, value)
        except DuplicateKeyError as error:
            error.problem = f"the key '{key}' is given twice"
            raise


def parse_yaml(text: str, source: str) -> Any:
    """Parses YAML 1.2; an InputError names `source`, line and column."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        values = yaml.load(text)
        _check_size(values, source)
        return values
    except RecursionError:
        raise InputError(f"{source}: not valid YAML: {_TOO_DEEP}") from None
    except (YAMLError, ValueError, IndexError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise InputError(f"{source}{place}: not valid YAML: {problem}") from error


def _check_size(values: Any, source: str) -> None:
    """Refuses what no configuration is: aliases that unfold without end, text that is no text."""
    seen = 0
    waiting = [(values, 0)]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_VALUES:
            what = _TOO_DEEP if depth > _DEEPEST else f"more than {_MOST_VALUES:,} values"
            raise InputError(f"{source}: not valid YAML: {what} (aliases unfolded)")
        if isinstance(value, dict):
            waiting += [(each, depth + 1) for pair in value.items() for each in pair]
        elif isinstance(value, list | tuple | set):
            waiting += [(each, depth + 1) for each in value]
        elif isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise InputError(f"{source}: {value!a} is no text: {error.reason}") from None


def read_chain(name_or_path: str, folder: Path) -> list[Layer]:
    """Reads a named file of `folder`, or a path, and what it extends: one file or a list of them.

    Returns:
        (file, values) pairs, the lowest layer first; `extends` itself is left out.
    """
    return _read_above(name_or_path, folder, folder, [])


def _read_above(wanted: str, beside: Path, folder: Path, above: list[Path]) -> list[Layer]:
    path = _find(wanted, beside, folder)
    if path in above:
        loop = " -> ".join(p.name for p in [*above, path])
        raise InputError(f"{path}: extends itself: {loop}")
    values = _read_mapping(path)
    extends = values.pop("extends", None) or []
    names = [extends] if isinstance(extends, str) else extends
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: extends: write the name of a file or a list, not {extends!r}")
    layers = []
    for name in names:
        layers += _read_above(name, path.parent, folder, [*above, path])
    return [*layers, (str(path), values)]


def _find(wanted: str, beside: Path, folder: Path) -> Path:
    """A path as given (relative to `beside` too), or the name of a file in `folder`."""
    named = folder / f"{wanted}.yaml"
    candidates = [named] if Path(wanted).name == wanted and not wanted.endswith(".yaml") else []
    candidates += [Path(wanted), beside / wanted]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise InputError(
        f"there is no configuration '{wanted}': looked for {candidates[0]}. "
        f"Give a path to a .yaml file or one of: {known}"
    )


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{path}: write keys and values, not {type(values).__name__}")
    return values


def merge(layers: list[Layer], overrides: list[str], model: type[BaseModel]) -> Merged:
    """Lays the layers over each other, then `key.path=value` overrides (values are YAML)."""
    merged = Merged({}, {})
    for source, values in layers:
        _lay_over(merged, merged.values, values, (), source, model)
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key.strip():
            raise InputError(f"--set {override}: write --set key.path=value")
        source = f"--set {override}"
        _set(merged, tuple(key.strip().split(".")), parse_yaml(text, source), source, model)
    return merged


def no_more_rows(values: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without the counts that are smaller in `below`: of rows, and what goes by them."""
    kept: dict[str, Any] = {}
    for key, value in values.items():
        under = below.get(key)
        if isinstance(value, dict):
            kept[key] = no_more_rows(value, under if isinstance(under, dict) else {})
        elif not (key.endswith(("rows", "buckets")) and isinstance(under, int) and under < value):
            kept[key] = value
    return kept


def _section(model: type[BaseModel] | None, key: str) -> type[BaseModel] | None:
    """The model of section `key`; None for a value."""
    if model is None:
        return None
    for name, field in model.model_fields.items():
        if (field.alias or name) == key and isinstance(field.annotation, type):
            return field.annotation if issubclass(field.annotation, BaseModel) else None
    return None


def _lay_over(
    merged: Merged,
    below: dict[str, Any],
    values: Mapping[str, Any],
    path: KeyPath,
    source: str,
    model: type[BaseModel] | None,
) -> None:
    for key, value in values.items():
        here = (*path, str(key))
        section = _section(model, str(key))
        if section is not None and isinstance(value, dict):
            if not isinstance(below.get(key), dict):
                below[key] = {}
            _lay_over(merged, below[key], value, here, source, section)
        else:
            below[str(key)] = value
            for old in [p for p in merged.sources if p[: len(here)] == here]:
                del merged.sources[old]
            merged.sources[here] = source


def _set(merged: Merged, path: KeyPath, value: Any, source: str, model: type[BaseModel]) -> None:
    """Sets one key; the mappings above it are made where they are missing."""
    below: Any = merged.values
    section: type[BaseModel] | None = model
    for depth, key in enumerate(path[:-1]):
        section = _section(section, key)
        if below.get(key) is None:
            below[key] = {}
        below = below[key]
        if not isinstance(below, dict):
            above = ".".join(path[: depth + 1])
            raise InputError(f"{source}: {above} is a value ({below!r}), not a section")
    _lay_over(merged, below, {path[-1]: value}, path[:-1], source, section)
