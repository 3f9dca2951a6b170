"""What earlier runs trained on, from ML Metadata, and which spans were suspected, from the log.

CsvExampleGen notes the files of a run on its Examples (`source_files`); a run trained on them when
its Trainer ended well.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from core.names import SOURCE_FILES
from core.targets import SERVER
from pipeline.ingestion.spans import part_of
from pipeline.ingestion.window import Ledger, Suspect
from pipeline.metadata.executions import Execution, find
from pipeline.metadata.store import Metadata, open_store
from pipeline.retraining import records


def read(run_folder: Path) -> Ledger:
    """The ledger of the runs under <root>/<name>; empty before the first."""
    trained: dict[int, tuple[frozenset[str], str]] = {}
    if store := open_store(run_folder):
        for run_id, files in _trained_runs(store):
            for span, sums in files.items():
                trained[span] = (sums, run_id)
    suspected = {
        suspicion.span: Suspect(frozenset(suspicion.files), suspicion.kind, suspicion.why)
        for decision in records.read(run_folder).decisions
        for suspicion in decision.suspicions
    }
    return Ledger(trained, suspected)


def _trained_runs(store: Metadata) -> Iterator[tuple[str, dict[int, frozenset[str]]]]:
    for run_id in store.run_ids():
        executions = store.executions(run_id)
        # Of a run that is known by its server version alone there is no Trainer.
        if any(find(executions, node) is not None for node in ("Trainer", SERVER.producer)):
            yield run_id, spans_of(executions)


def spans_of(executions: list[Execution]) -> dict[int, frozenset[str]]:
    """SHA-256 of the files of each span that a run read, by the Examples of CsvExampleGen."""
    examples = find(executions, "CsvExampleGen", "Examples")
    files = json.loads(str(examples.properties.get(SOURCE_FILES, "[]"))) if examples else []
    spans: dict[int, set[str]] = {}
    for name, sha256 in files:
        part = str(name).partition("/")[0]
        number = part.removeprefix("span-")
        if number.isdigit() and part == part_of(int(number)):
            spans.setdefault(int(number), set()).add(str(sha256))
    return {span: frozenset(sums) for span, sums in spans.items()}
