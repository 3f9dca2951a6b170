"""The configuration, what is another since the run before, and how to make the run again."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from core.files import REPOSITORY
from pipeline.report import config_file
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord

_MISSING = object()


def configuration(record: RunRecord) -> Part:
    """The part."""
    if record.settings is None:
        said = "The run left no config.yaml: its configuration is known by its digest alone."
        pieces = [html.paragraph(said), html.paragraph(html.code(record.summary.config_sha256))]
        return Part("configuration", "Configuration", html.join(pieces))
    values = flat(record.settings)
    before = record.previous
    pieces = [_since(values, before)]
    rows = [[html.code(key), html.code(shown(value))] for key, value in values.items()]
    table = html.table("Every value", ("key", "value"), rows)
    pieces.append(html.fold(f"All {len(rows)} values", table))
    return Part("configuration", "Configuration", html.join(pieces))


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Values by key path, `data.rows`; lists are values."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{path}.")
        else:
            found[path] = value
    return found


def differences(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Keys whose values are not the same, with both; the keys of `values` first."""
    keys = [*values, *(key for key in others if key not in values)]
    pairs = {key: (values.get(key, _MISSING), others.get(key, _MISSING)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def shown(value: Any) -> str:
    """A value as it would stand in `--set`; `-` where the key is not there."""
    if value is _MISSING:
        return html.NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def differences_table(
    found: Mapping[str, tuple[Any, Any]], caption: str, first: str, second: str
) -> Markup:
    """A row for each key, with both values."""
    rows = [
        [html.code(key), html.code(shown(one)), html.code(shown(other))]
        for key, (one, other) in found.items()
    ]
    return html.table(caption, ("key", first, second), rows)


def _since(values: Mapping[str, Any], before: RunRecord | None) -> Markup:
    if before is None:
        return html.paragraph("There is no run before it to compare with.")
    run = before.summary.run_id
    if before.settings is None:
        return html.paragraph(f"The run before, {run}, left no configuration to compare with.")
    found = differences(values, flat(before.settings))
    if not found:
        return html.paragraph(f"Every value is as it was in the run before, {run}.")
    caption = f"{len(found)} value{'s' * (len(found) > 1)} that the run before, {run}, did not have"
    return differences_table(found, caption, "this run", "the run before")


def again(record: RunRecord) -> Part:
    """How to make the run again, and what has to be the same for it to come out the same."""
    summary, folder = record.summary, record.folder
    where = ["--root", _here(folder.parent)]
    pieces: list[html.Text] = []
    said = "It left no configuration. With that of its name as it is now:"
    if record.settings is not None:
        said = "With the configuration as it was, every value of it:"
    pieces += [html.paragraph(said), html.command(command_again(record))]
    same = (
        "It comes out the same with the same code, environment/lock.txt, seed and raw files, whose "
        "digests stand under Lineage; times and the numbers of versions are new each time. "
        "Nodes for which nothing of these has changed are taken from the cache."
    )
    pieces.append(html.paragraph(same))
    pieces.append(html.paragraph("This page, and this run beside another one:"))
    config = _here(config_file.path_of(folder, summary.run_id))
    name = ["--config", config if record.settings is not None else summary.config]
    other = record.previous.summary.run_id if record.previous else "RUN"
    page = [summary.run_id, *name, *where]
    pieces.append(html.command(_line(["report", *page])))
    pieces.append(html.command(_line(["report", *page, "--against", other])))
    return Part("again", "How to make it again", html.join(pieces))


def command_again(record: RunRecord) -> str:
    """The command that makes a run again, with its configuration as it was where that is kept."""
    name = record.summary.config
    if record.settings is not None:
        name = _here(config_file.path_of(record.folder, record.summary.run_id))
    return _line(["run", "--config", name, "--root", _here(record.folder.parent)])


def _line(words: list[str]) -> str:
    return shlex.join([".venv/bin/python", "-m", "pipeline", *words])


def _here(path: Path) -> str:
    """A path relative to the repository where it lies inside."""
    return str(path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path)
