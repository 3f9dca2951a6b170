"""Runs in a folder that was moved, copied, restored or mounted elsewhere.

ML Metadata and TFX keep absolute paths. The store names the folder that they are in; where that is
another than the one it is read from, paths are read as if they were here, and the next verb that
writes puts them right for good. It does that before it writes anything else, in steps that can be
repeated: the name of the folder is changed last, so that a kill on the way is made up for.
"""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from core.errors import InputError
from pipeline.metadata.connection import (
    FOLDER_CONTEXT,
    SQLITE,
    note_place,
    recorded_connection,
    take_over,
)

_OUTPUT = re.compile(r"(.*)/artifacts/[^/]+/[^/]+/\d+")  # where TFX lets a node write
_AT_ONCE = 100  # records of one query
_Record = TypeVar("_Record", mlmd.Artifact, mlmd.Execution, mlmd.Context)


@dataclass(frozen=True)
class Relocation:
    """From the folders that records name to the one where they are; empty `before`: they are."""

    before: tuple[str, ...]
    now: str

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Not a part of a longer path, nor what is right already where the old folder holds the new.
        unless = [old for old in self.before if self.now.startswith(f"{old}/")]
        right = f"(?!{re.escape(self.now)}/)" if unless else ""
        folders = "|".join(map(re.escape, sorted(self.before, key=len, reverse=True)))
        return re.compile(rf"(?<![\w.-]){right}(?:{folders})/")

    def text(self, value: str) -> str:
        """A text with the folder's paths as they are now; JSON stays JSON, also inside of JSON."""
        if not self.before:
            return value
        if value[:1] in ("{", "["):
            try:
                content = json.loads(value)
            except ValueError:
                return self._plain(value)
            here = self._walk(content)
            return value if here == content else json.dumps(here)
        return self._plain(value)

    def _plain(self, value: str) -> str:
        return self._pattern.sub(lambda found: f"{self.now}/", value)

    def _walk(self, content: Any) -> Any:
        if isinstance(content, str):
            return self.text(content)
        if isinstance(content, list):
            return [self._walk(each) for each in content]
        if isinstance(content, dict):
            return {key: self._walk(each) for key, each in content.items()}
        return content

    def changed(self, records: Sequence[_Record]) -> list[_Record]:
        """Those records that name a folder of before, put right."""
        return [record for record in records if self._change(record)]

    def _change(self, record: mlmd.Artifact | mlmd.Execution | mlmd.Context) -> bool:
        before = record.SerializeToString(deterministic=True)
        if isinstance(record, mlmd.Artifact):
            record.uri = self.text(record.uri)
        for values in (record.properties, record.custom_properties):
            for value in values.values():
                if value.WhichOneof("value") == "string_value":
                    value.string_value = self.text(value.string_value)
        return record.SerializeToString(deterministic=True) != before


def relocation_of(store: MetadataStore, pipeline: mlmd.Context | None, folder: Path) -> Relocation:
    """From where a store says that its folder is to `folder`.

    Args:
        store: opened.
        pipeline: the pipeline's context; None before its first run.
        folder: <root>/<name>, where it is.
    """
    place = store.get_context_by_type_and_name(FOLDER_CONTEXT, folder.name)
    if place is not None:
        named = {place.properties["folder"].string_value}
    else:  # recorded before the folder was noted
        artifacts = store.get_artifacts_by_context(pipeline.id) if pipeline else []
        found = (_OUTPUT.fullmatch(artifact.uri) for artifact in artifacts)
        named = {match[1] for match in found if match and Path(match[1]).name == folder.name}
    return Relocation(tuple(sorted(named - {str(folder)})), str(folder))


def bring_home(
    store: MetadataStore,
    pipeline: mlmd.Context | None,
    runs: Sequence[mlmd.Context],
    relocation: Relocation,
    taking_over: bool,
) -> bool:
    """Puts the paths in a pipeline's records right for good where its folder was moved.

    Args:
        store: opened for writing; needs the folder's lock.
        pipeline: its context; None before its first run.
        runs: the contexts of its runs.
        relocation: from `relocation_of`.
        taking_over: whether records on a server, which do not move with the folder, are to be about
            this one from now on.

    Returns:
        Whether it was moved.

    Raises:
        InputError: the records are on a server, and about another folder.
    """
    folder, moved = Path(relocation.now), bool(relocation.before)
    on_server = recorded_connection(folder) is not None
    if on_server and moved and not taking_over:
        raise InputError(
            f"{folder}: its records on the server are about {relocation.before[0]}; if this is "
            "that folder, moved, run the verb `rebase` once; if it is a copy, give it another name"
        )
    if pipeline is not None and moved:
        _rebase(store, pipeline, runs, relocation)
    if on_server and moved:
        take_over(store, folder)
    elif not on_server:
        note_place(store, folder, "", replace=moved)
        if moved:
            # That no page keeps what was written there before is worth no failure on a full disk.
            with (
                suppress(sqlite3.OperationalError),
                closing(sqlite3.connect(folder / SQLITE)) as database,
            ):
                database.execute("VACUUM")
    return moved


def _rebase(
    store: MetadataStore,
    pipeline: mlmd.Context,
    runs: Sequence[mlmd.Context],
    relocation: Relocation,
) -> None:
    for contexts in _batches(relocation.changed(runs)):
        store.put_contexts(contexts)
    for executions in _batches(relocation.changed(store.get_executions_by_context(pipeline.id))):
        store.put_executions(executions)
    for artifacts in _batches(relocation.changed(store.get_artifacts_by_context(pipeline.id))):
        store.put_artifacts(artifacts)


def _batches(records: Sequence[_Record]) -> Iterator[Sequence[_Record]]:
    return (records[start : start + _AT_ONCE] for start in range(0, len(records), _AT_ONCE))
