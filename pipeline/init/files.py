"""The files that describe a new data set, as text."""

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from models.labels.votes import POSITIVE
from pipeline.init.columns import LEFT_OUT
from pipeline.init.example import HAS_WORD, Example
from pipeline.init.names import safe_names
from pipeline.init.proposal import RAW, Proposal

TEMPLATES = Path(__file__).parent / "templates"
_WIDTH = 100
_PLAIN_YAML = re.compile(r"[A-Za-z_][A-Za-z0-9_. -]*[A-Za-z0-9_]|[A-Za-z_]", re.ASCII)
_YAML_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True)
class Origin:
    """When and with which command the data set was described."""

    date: str
    command: str


def render(
    proposal: Proposal, schema: str, example: Example, content: bytes, origin: Origin
) -> dict[str, bytes]:
    """Content by path, relative to the repository; the configuration comes last."""
    name = proposal.request.name
    values = _values(proposal, example, origin) | {"schema": schema}
    texts = {
        f"data/{name}/__init__.py": "",
        f"data/{name}/README.md": _render("README.md.j2", values),
        f"data/{name}/spans.py": _render("spans.py.j2", values),
        f"data/{name}/labeling_functions.py": _render("labeling_functions.py.j2", values),
        f"schema/{name}/schema.pbtxt": _render("schema.pbtxt.j2", values),
        f"schema/{name}/CHANGELOG.md": _render("CHANGELOG.md.j2", values),
        f"configs/{name}.yaml": _render("config.yaml.j2", values),
    }
    encoded = {path: text.encode() for path, text in texts.items()}
    return {f"data/{name}/{RAW}": content, **encoded}


def _values(proposal: Proposal, example: Example, origin: Origin) -> dict[str, Any]:
    source = proposal.source
    taken = {column.header: column.name for column in source.columns}
    taken[source.label.header] = source.label.name
    table = [
        {
            "header": each.header,
            "name": taken.get(each.header, ""),
            "kind": each.kind,
            "why": f"{each.why} ({each.advice})" if each.kind == LEFT_OUT and each.advice
            else each.why,
        }
        for each in proposal.seen
    ]  # fmt: skip
    return {
        "name": proposal.request.name,
        "file": proposal.request.csv.name,
        "raw": source.file,
        "total": sum(proposal.rows.values()),
        "rows": proposal.rows,
        "labelled": proposal.labelled,
        "label": source.label,
        "label_why": proposal.label_why,
        "renamed": any(header != name for header, name in taken.items()),
        "columns": source.columns,
        "numeric": proposal.numeric,
        "categorical": proposal.categorical,
        "text": proposal.text,
        "slices": proposal.slices,
        "gold_rows": proposal.gold_rows,
        "batch_size": proposal.batch_size,
        "sha256": source.sha256,
        "delimiter": source.delimiter,
        "missing": source.missing,
        "test_fraction": source.test_fraction,
        "seed": source.seed,
        "table": table,
        "example": example,
        "function": function_name(example),
        "docstring": _docstring(example),
        "vote": "POSITIVE" if example.vote == POSITIVE else "NEGATIVE",
        "date": origin.date,
        "command": origin.command,
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
        else f"no more than chance would have ({example.chance:.0%}): replace it"
    )
    text = f"{example.right} of the {example.gold} gold rows it holds for are {kind}; {verdict}."
    lines = textwrap.wrap(text, _WIDTH - 10)
    return "\n    ".join(lines if len(lines) == 1 else [*lines, ""])


def _render(template: str, values: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    filters = {
        "yaml": yaml_text,
        "yaml_list": _yaml_list,
        "python": python_text,
        "docstring": _in_docstring,
        "cell": _cell,
        "one_line": _one_line,
    }
    environment.filters.update(filters)
    return environment.get_template(template).render(values)


def yaml_text(value: str) -> str:
    """A text as YAML, quoted where it has to be."""
    if _PLAIN_YAML.fullmatch(value) and value.lower() not in _YAML_WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _yaml_list(values: Sequence[str]) -> str:
    """A list after its key, on one line or a line for as many as fit."""
    one_line = f" [{', '.join(map(yaml_text, values))}]"
    if len(one_line) <= 80:
        return one_line
    filled = textwrap.wrap(
        f"{', '.join(map(yaml_text, values))}]", _WIDTH - 6, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
    return "\n    [" + "\n     ".join(filled)


def python_text(value: Any) -> str:
    """A value as Python source, as a formatter leaves it: whole numbers have no point."""
    if isinstance(value, str):
        quoted = json.dumps(value, ensure_ascii=False)
        if value.count('"') <= value.count("'"):
            return quoted
        inner = quoted[1:-1].replace('\\"', '"').replace("'", "\\'")
        return f"'{inner}'"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return repr(value)


def _in_docstring(value: str) -> str:
    return value.replace("\\", "/").replace('"""', "'''")


def _one_line(value: str) -> str:
    return " ".join(value.split())


def _cell(value: str) -> str:
    """A text in a cell of a Markdown table."""
    return _one_line(value).replace("|", "\\|").replace("`", "'")
