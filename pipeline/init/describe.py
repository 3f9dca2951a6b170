"""Describes a new data set from a CSV file: everything is made and checked, then put in place."""

import importlib
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core import raw_table
from core.errors import InputError
from core.files import REPOSITORY
from core.raw_table import NUMBERS
from models.labels import functions as labeling
from models.labels.votes import NEGATIVE, POSITIVE
from pipeline.config import overlay
from pipeline.config.load import CONFIGS, SMOKE, load
from pipeline.ingestion import staging
from pipeline.init import example, files, leaks, names, proposal
from pipeline.init.example import Example, Value
from pipeline.init.files import InitOrigin
from pipeline.init.gold_budget import SEED
from pipeline.init.proposal import InitRequest, Proposal
from pipeline.run.environment import prepare


@dataclass(frozen=True)
class Described:
    """A new data set: what was decided, the labelling function, the files that were written."""

    proposal: Proposal
    example: Example
    written: tuple[str, ...]


def describe(request: InitRequest, origin: InitOrigin) -> Described:
    """Writes configuration, contract and data folder of a new data set, or nothing.

    Raises:
        InputError: the name is taken, or the file or its label cannot be used; says which.
    """
    names.check_data_set(request.name, REPOSITORY)
    try:
        content = request.csv.read_bytes()
    except OSError as error:
        raise InputError(f"--csv {request.csv}: cannot be read: {error.strerror}") from error
    found = proposal.read(content, str(request.csv))
    [(_, smoke)] = overlay.read_chain(str(SMOKE), CONFIGS)
    proposed = proposal.propose(request, found, smoke)
    parts = dict(raw_table.parts(proposed.source, found.header, found.rows, str(request.csv)))
    values, gold = _gold_rows(proposed, parts["span-1"])
    proposed = _with_leaks(proposed, leaks.find(values, gold))
    chosen = example.find(values, gold, proposed.text)
    if chosen is None:
        raise InputError(
            f"{request.csv}: no column has a value, a word or a range that holds for "
            f"{example.RARE_COVERAGE:.0%} to {example.MOST_COVERAGE:.0%} of the rows, which a "
            "labelling function needs to begin with; bring more columns or more rows"
        )
    contents = files.render(proposed, _contract(proposed, parts, smoke), chosen, content, origin)
    _put(contents, request.name)
    return Described(proposed, chosen, tuple(contents))


def _gold_rows(
    proposed: Proposal, training: Mapping[str, list[str]]
) -> tuple[dict[str, list[Value | None]], dict[int, int]]:
    """Values by column, and the gold rows that a run will draw: row number and class."""
    label = proposed.label
    cells = training[label.name]
    labeled = [n for n, cell in enumerate(cells) if cell]
    ids = [f"span-1:{n + 1}" for n in labeled]
    drawn = [labeled[n] for _, n in labeling.draw(SEED, ids, proposed.gold_rows)]
    gold = {n: POSITIVE if cells[n] == label.positive else NEGATIVE for n in drawn}
    values: dict[str, list[Value | None]] = {
        column.name: [
            None if not cell else float(cell) if column.kind in NUMBERS else cell
            for cell in training[column.name]
        ]
        for column in proposed.columns
    }
    return values, gold


def _with_leaks(proposed: Proposal, found: list[tuple[str, float]]) -> Proposal:
    headers = {column.name: column.header for column in proposed.columns}
    notes = [
        f"{name} alone tells the label of the gold rows (AUC {auc:.2f}): is it known when a "
        f"prediction is asked for? If not, start again with --kind '{headers[name]}=leave-out'"
        for name, auc in found
    ]
    return replace(proposed, notes=(*proposed.notes, *notes))


def _contract(
    proposed: Proposal, parts: Mapping[str, Mapping[str, list[str]]], smoke: Mapping[str, Any]
) -> str:
    """The contract as text."""
    prepare()
    from pipeline.init import contract  # loads TensorFlow

    total = sum(proposed.rows.values())
    share = min(1.0, smoke["data"]["rows"] / total)
    smallest = int(min(proposed.rows["test"], proposed.rows["span-1"] * 0.2) * share)
    schema = contract.infer(parts, proposed, smallest)
    if problems := contract.anomalies(parts, proposed, schema):
        raise InputError(
            f"{proposed.request.csv}: the contract does not fit its own rows: {'; '.join(problems)}"
        )
    return contract.render(schema)


def _put(contents: Mapping[str, bytes], name: str) -> None:
    """Writes beside the final places, moves there, and checks what is there; or undoes it all."""
    places = [Path("data") / name, Path("schema") / name, Path("configs") / f"{name}.yaml"]
    scratch = Path(tempfile.mkdtemp(prefix=f".init-{name}-", dir=REPOSITORY))
    moved: list[Path] = []
    try:
        for path, content in contents.items():
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (scratch / path).write_bytes(content)
        for place in places:
            (scratch / place).rename(REPOSITORY / place)
            moved.append(REPOSITORY / place)
        _check(name, scratch)
    except BaseException:
        for place in reversed(moved):
            shutil.rmtree(place) if place.is_dir() else place.unlink()
        raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check(name: str, scratch: Path) -> None:
    """Stages the data as a run would, and loads the labelling functions.

    Raises:
        InputError: a run would fail.
    """
    importlib.invalidate_caches()
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # what is put in place is what was written, and nothing else
    try:
        config = load(name)
        staging.stage(config, scratch / "run")
        assert config.labeling.functions is not None
        labeling.load(config.labeling.functions)
    finally:
        sys.dont_write_bytecode = before
