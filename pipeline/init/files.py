"""The files that describe a new data set, as text."""

import io
import json
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from ruamel.yaml import YAML

from core.raw_table import Label
from pipeline.init.example import HAS_WORD, Example
from pipeline.init.names import safe_names
from pipeline.init.proposal import Proposal

TEMPLATES = Path(__file__).parent / "templates"
_WIDTH = 90  # of text that is indented afterwards


@dataclass(frozen=True)
class InitOrigin:
    """When and with which command the data set was described."""

    date: str
    command: str


def render(
    proposal: Proposal, schema: str, examples: Sequence[Example], origin: InitOrigin
) -> dict[str, bytes]:
    """Content by path, relative to the repository, but for the data; the configuration is last."""
    name, label = proposal.request.name, proposal.label
    columns = {
        "label": label.name,
        "classes": list(label.names),
        **({"positive": label.positive} if label.positive is not None else {}),
        "numeric": proposal.numeric,
        "categorical": proposal.categorical,
        **({"dates": proposal.dates} if proposal.dates else {}),
        **({"text": proposal.text} if proposal.text else {}),
        **({"groups": _groups(proposal)} if proposal.slices.groups else {}),
    }
    values = {
        "name": name,
        "proposal": proposal,
        "source": proposal.source,
        "label": label,
        "columns": columns,
        "bounds": _bounds(proposal),
        "total": sum(proposal.rows.values()),
        "renamed": any(header != taken for header, taken in proposal.names.items()),
        "schema": schema,
        "functions": _functions(examples, label),
        "origin": origin,
    }
    places = {
        f"data/{name}": ("README.md", "spans.py", "labeling_functions.py"),
        f"schema/{name}": ("schema.pbtxt", "CHANGELOG.md"),
    }
    environment = _environment()
    written = {
        f"{folder}/{file}": environment.get_template(f"{file}.j2").render(values).encode()
        for folder, files in places.items()
        for file in files
        if examples or file != "labeling_functions.py"
    }
    config = environment.get_template("config.yaml.j2").render(values).encode()
    return {
        f"data/{name}/__init__.py": b"",
        **written,
        f"configs/{name}.yaml": config,
    }


def _bounds(proposal: Proposal) -> dict[str, dict[str, float]]:
    """What a first model has to keep to: more than chance.

    Of more classes than two, what guessing by the shares of the classes would have: an accuracy of
    the sum of their squares, and a macro F1 of one by their number.
    """
    if len(proposal.label.names) == 2:
        return {"min": {"auc": 0.5}, "max_drop": {"auc": 0.05}}
    guessed = sum(share**2 for share in proposal.shares), 1 / len(proposal.shares)
    accuracy, macro_f1 = (math.floor(value * 100) / 100 for value in guessed)
    return {
        "min": {"accuracy": accuracy, "macro_f1": macro_f1},
        "max_drop": {"accuracy": 0.05, "macro_f1": 0.05},
    }


def _groups(proposal: Proposal) -> dict[str, Any]:
    return {
        name: {
            "column": group.column,
            "bounds": [int(each) if each.is_integer() else each for each in group.bounds],
        }
        for name, group in proposal.slices.groups.items()
    }


def _functions(examples: Sequence[Example], label: Label) -> list[dict[str, Any]]:
    """The labelling functions as the template takes them; names differ."""
    found: dict[str, dict[str, Any]] = {}
    for example in examples:
        name = function_name(example)
        while name in found:  # the same condition for another class
            name += "_too"
        vote = ("NEGATIVE", "POSITIVE")[example.vote] if label.positive is not None else None
        found[name] = {
            "name": name,
            "example": example,
            "docstring": _docstring(example, label),
            "vote": vote or python_text(label.names[example.vote]),
        }
    return list(found.values())


def class_word(example: Example, label: Label) -> str:
    """What the class that a condition votes for is called."""
    if label.positive is not None:
        return ("negative", "positive")[example.vote]
    return f"'{label.names[example.vote]}'"


def function_name(example: Example) -> str:
    """`company_is_yellow_cab`, `fare_at_least_20`."""
    words = {"==": "is", ">=": "at_least", "<=": "at_most", HAS_WORD: "says"}[example.operator]
    value = f"{example.value:g}" if isinstance(example.value, float) else str(example.value)
    [safe] = safe_names([f"{example.column} {words} {value.replace('-', 'minus ')[:40]} "]).values()
    return re.sub(r"[^a-z0-9_]", "_", f"{'f_' if safe[0].isdigit() else ''}{safe.lower()}")


def _docstring(example: Example, label: Label) -> str:
    """What the gold rows say of the example, wrapped."""
    kind = class_word(example, label)
    verdict = (
        f"of all gold rows {example.chance:.0%} are"
        if example.above_chance
        else f"no more than chance would have ({example.chance:.0%}): replace it before a run"
    )
    text = f"{example.right} of the {example.gold} gold rows it holds for are {kind}; {verdict}."
    escaped = text.replace("\\", "/").replace('"""', "'''")
    lines = textwrap.wrap(" ".join(escaped.split()), _WIDTH)
    return "\n    ".join(lines if len(lines) == 1 else [*lines, ""])


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {
        "yaml": yaml_text,
        "python": python_text,
        "docstring": lambda text: text.replace("\\", "/").replace('"""', "'''"),
        "one_line": lambda text: " ".join(text.split()),
    }
    return environment


def yaml_text(value: Any) -> str:
    """A value as YAML; lists of texts on one line, or a line for as many as fit."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = _WIDTH
    text = io.StringIO()
    yaml.dump(value, text)
    lines = text.getvalue().removesuffix("...\n").splitlines()
    return "\n".join(line.rstrip() for line in lines)


def python_text(value: Any) -> str:
    """A value as Python source, as a formatter leaves it: whole numbers have no point."""
    if isinstance(value, str) and value.count('"') <= value.count("'"):
        return json.dumps(value, ensure_ascii=False)
    return repr(int(value) if isinstance(value, float) and value.is_integer() else value)
