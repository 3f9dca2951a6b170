"""Answers that people gave, as evidence: those that the served model has not learnt from."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from core.config import Config
from pipeline.ingestion.spans import part_of
from pipeline.labels import answers
from pipeline.metadata.executions import Execution, find
from pipeline.retraining.evidence import Evidence


def imports_in_use(config: Config, run_folder: Path, spans: Collection[int]) -> dict[str, int]:
    """Answers to rows of these spans by import, for each that has any; none in gold mode.

    As in a run, of several imports that answer a row alike only the first counts: one that says
    nothing new would otherwise be a reason to run for ever.

    Raises:
        InputError: a file of answers is damaged, or two contradict each other.
    """
    if config.labeling.mode == "gold":
        return {}
    parts = {part_of(span) for span in spans}
    merged = answers.merge(answers.read_all(answers.folder_of(config, run_folder)))
    return dict(
        Counter(one.id for row_id, (one, _) in merged.items() if row_id.partition(":")[0] in parts)
    )


def imports_of_run(executions: list[Execution]) -> frozenset[str] | None:
    """Ids of the imports that a run took; None where it did not come so far."""
    artifact = find(executions, "AnswerImporter", "Answers")
    if artifact is None:
        return None
    return frozenset(one["id"] for one in json.loads(str(artifact.properties["imports"])))


def of_answers(in_use: Mapping[str, int], learnt_from: frozenset[str] | None) -> Evidence:
    """Whether there are answers that the served model has not learnt from.

    Args:
        in_use: answers by import.
        learnt_from: imports that the run of the served model took; None: unknown.
    """
    if learnt_from is None:
        what = "nothing says which answers the served model has learnt from"
        return Evidence("answers", "unknown" if in_use else "quiet", what)
    new = {import_id: count for import_id, count in in_use.items() if import_id not in learnt_from}
    if not new:
        return Evidence("answers", "quiet", "no new answers")
    what = f"{sum(new.values())} answers of {', '.join(sorted(new))} not in the training data"
    return Evidence("answers", "reason", what)
