"""What `lf` remembers of the last call, in <root>/<name>/lf/last.npz, and what changed since."""

import io
import zipfile
from pathlib import Path

import numpy as np

from core.files import write_atomically
from models.labels import analysis as label_analysis
from pipeline.labels.analysis import Analysis
from pipeline.labels.report import Change, Changes, FunctionsReport, LfReport

FILE = Path("lf") / "last.npz"


def last(run_folder: Path) -> Analysis | None:
    """The last call; None if there is none, or it was remembered in another format."""
    try:
        with np.load(run_folder / FILE) as stored:
            report = LfReport.model_validate_json(stored["report"].tobytes())
            return Analysis(report, stored["votes"])
    except (FileNotFoundError, EOFError, zipfile.BadZipFile, KeyError, ValueError):
        return None


def remember(analysis: Analysis, run_folder: Path) -> None:
    """Stores a call; who reads meanwhile finds the one before or this one, never a part."""
    path = run_folder / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    report = np.frombuffer(analysis.report.model_dump_json().encode(), dtype=np.uint8)
    content = io.BytesIO()
    np.savez_compressed(content, report=report, votes=analysis.votes)
    write_atomically(path, content.getvalue())


def with_changes(analysis: Analysis, before: Analysis | None) -> Analysis:
    """The analysis with what changed since the call before, if there was one."""
    if before is None:
        return analysis
    old, new = before.report.labels, analysis.report.labels
    found = label_analysis.compare(
        {name: row.model_dump() for name, row in old.functions.items()},
        {name: row.model_dump() for name, row in new.functions.items()},
        _changed_votes(before, analysis),
    )
    total = label_analysis.differences(old.model_dump(), new.model_dump())
    changes = Changes(
        since=before.report.created,
        settings=_settings(before.report, analysis.report),
        new=found["new"],
        removed=found["removed"],
        functions={name: Change(**row) for name, row in found["functions"].items()},
        total=Change(changed_votes=None, weight=None, **total),
    )
    report = analysis.report.model_copy(update={"changes": changes})
    return Analysis(report, analysis.votes)


def _settings(before: LfReport, after: LfReport) -> list[str]:
    """What else but the functions differs, in the words of the configuration."""
    old, new = before.labels, after.labels
    by_group = [(d.column, d.rate) if (d := each.by_group) else None for each in (old, new)]
    pairs = {
        "data": (before.data_sha256, after.data_sha256),
        "seed": (before.seed, after.seed),
        "labeling.gold_rows": (_budget(old), _budget(new)),
        "answers of people": (old.gold_rows_answered, new.gold_rows_answered),
        "labeling.epochs": (before.epochs, after.epochs),
        "fairness": (by_group[0], by_group[1]),
        "columns.classes": (before.classes or after.classes, after.classes),
    }
    return [name for name, (one, other) in pairs.items() if one != other]


def _budget(labels: FunctionsReport) -> int:
    """Gold rows that the configuration gives; those that people answered are besides."""
    return labels.gold_rows - labels.gold_rows_answered


def _changed_votes(before: Analysis, after: Analysis) -> dict[str, int]:
    """Rows on which each function of both calls votes otherwise.

    Empty if the rows differ, or the classes that the votes are codes of.
    """
    classes = before.report.classes, after.report.classes
    if before.report.data_sha256 != after.report.data_sha256 or (
        classes[0] and classes[0] != classes[1]
    ):
        return {}
    columns = {name: n for n, name in enumerate(before.report.labels.functions)}
    return {
        name: int((before.votes[:, columns[name]] != after.votes[:, n]).sum())
        for n, name in enumerate(after.report.labels.functions)
        if name in columns
    }
