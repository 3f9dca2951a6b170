"""What was made of what, down to the checksums of files."""

import json
from collections.abc import Iterable, Iterator, Mapping

from markupsafe import Markup

from core.names import FILES_SHA256
from pipeline.metadata.executions import Artifact, Execution
from pipeline.metadata.lineage import facts
from pipeline.report.page import html
from pipeline.report.page.part import Part, RunRecord


def lineage(record: RunRecord) -> Part | None:
    """The part; None of a run that read no file and came to no node."""
    data = record.summary.data
    if not data.files and not record.executions:
        return None
    said = (
        "Each node with what it read and made, by the ids of ML Metadata, and the SHA-256 of every "
        "file. The raw files come first: all else was made of them."
    )
    pieces: list[html.Text | None] = [
        html.paragraph(said),
        _sources(record),
        _steps(record),
        html.fold("The files that were made", _files(record)) if record.executions else None,
    ]
    return Part("lineage", "Lineage", html.join(pieces))


def _sources(record: RunRecord) -> Markup:
    summary = record.summary
    rows: list[list[html.Text]] = [
        [f"raw file {name}", html.digest(sha)] for name, sha in summary.data.files.items()
    ]
    for what, sha in (
        ("the contract", summary.data.contract_sha256),
        ("the configuration", summary.config_sha256),
        ("the code", summary.code_sha256),
    ):
        rows.append([what, html.digest(sha) if sha else ""])
    return html.table("What the run was made of", ("what", "SHA-256"), rows)


def _steps(record: RunRecord) -> Markup | None:
    if not record.executions:
        return None
    columns = ("node", "execution", "state", "read", "made", "told")
    rows = [_step(execution, record) for execution in record.executions]
    table = html.table("Executions in ML Metadata", columns, rows, ("execution",))
    return html.fold(f"The {len(rows)} executions", table)


def _step(execution: Execution, record: RunRecord) -> list[html.Text]:
    told = html.join(
        (
            Markup("{} {}").format(key, html.digest(str(value)))
            for key, value in facts(execution).items()
            if _short(str(value), record)
        ),
        "; ",
    )
    return [
        execution.node,
        str(execution.id),
        execution.state.lower(),
        _artifacts(execution.inputs),
        _artifacts(execution.outputs),
        told,
    ]


def _short(text: str, record: RunRecord) -> bool:
    """Paths of this machine say nothing elsewhere."""
    return str(record.folder) not in text


def _artifacts(by_key: Mapping[str, Iterable[Artifact]]) -> Markup:
    named = (
        Markup('{} <span class="unit">{}</span>').format(
            key, ", ".join(f"#{artifact.id}" for artifact in found)
        )
        for key, found in by_key.items()
    )
    return html.join(named, ", ")


def _files(record: RunRecord) -> Markup:
    columns = ("artifact", "type", "node", "file", "SHA-256")
    rows = [row for execution in record.executions for row in _artifact_rows(execution, record)]
    return html.table("Files by artifact", columns, rows)


def _artifact_rows(execution: Execution, record: RunRecord) -> Iterator[list[html.Text]]:
    for artifact in execution.made:
        digests = _digests(artifact)
        place = artifact.uri.removeprefix(f"{record.folder}/")
        gone = Markup(" {}").format(html.badge("removed", "warn")) if artifact.deleted else ""
        for name, sha in digests.items() or [("", "")]:
            yield [
                Markup("#{}{}").format(artifact.id, gone),
                artifact.type_name,
                execution.node,
                html.code(f"{place}/{name}" if name else place),
                html.digest(sha) if sha else "",
            ]


def _digests(artifact: Artifact) -> dict[str, str]:
    try:
        found = json.loads(str(artifact.properties.get(FILES_SHA256) or "{}"))
    except json.JSONDecodeError:
        return {}
    return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
