"""The files that describe a new data set, as text."""

import io
import json
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from ruamel.yaml import YAML

from models.labels.votes import POSITIVE
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
    proposal: Proposal, schema: str, example: Example, origin: InitOrigin
) -> dict[str, bytes]:
    """Content by path, relative to the repository, but for the data; the configuration is last."""
    name, label = proposal.request.name, proposal.label
    columns = {
        "label": label.name,
        "positive": label.positive,
        "negative": label.negative,
        "numeric": proposal.numeric,
        "categorical": proposal.categorical,
        **({"text": proposal.text} if proposal.text else {}),
    }
    values = {
        "name": name,
        "proposal": proposal,
        "source": proposal.source,
        "label": label,
        "columns": columns,
        "total": sum(proposal.rows.values()),
        "renamed": any(header != taken for header, taken in proposal.names.items()),
        "schema": schema,
        "example": example,
        "function": function_name(example),
        "docstring": _docstring(example),
        "vote": "POSITIVE" if example.vote == POSITIVE else "NEGATIVE",
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
    }
    config = environment.get_template("config.yaml.j2").render(values).encode()
    return {
        f"data/{name}/__init__.py": b"",
        **written,
        f"configs/{name}.yaml": config,
    }


def function_name(example: Example) -> str:
    """`company_is_yellow_cab`, `fare_at_least_20`."""
    words = {"==": "is", ">=": "at_least", "<=": "at_most", HAS_WORD: "says"}[example.operator]
    value = f"{example.value:g}" if isinstance(example.value, float) else str(example.value)
    [safe] = safe_names([f"{example.column} {words} {value.replace('-', 'minus ')[:40]} "]).values()
    return re.sub(r"[^a-z0-9_]", "_", f"{'f_' if safe[0].isdigit() else ''}{safe.lower()}")


def _docstring(example: Example) -> str:
    """What the gold rows say of the example, wrapped."""
    kind = "positive" if example.vote == POSITIVE else "negative"
    verdict = (
        f"of all gold rows {example.chance:.0%} are"
        if example.above_chance
        else f"no more than chance would have ({example.chance:.0%}): replace it before a run"
    )
    text = f"{example.right} of the {example.gold} gold rows it holds for are {kind}; {verdict}."
    lines = textwrap.wrap(text, _WIDTH)
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
