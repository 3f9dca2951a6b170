"""What explanations of the census cost, whether they add up, and what counterfactuals find."""

import argparse
import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure, report
from benchmarks.report import Check, at_least, at_most
from core.config import Config
from core.names import EXPLANATION
from core.targets import TARGETS
from models.explain.coding import Cells, CodedModel, Coding
from models.explain.shapley import by_permutations
from models.explain.single import RowExplainer
from pipeline.config.load import load
from pipeline.explaining.row_files import NamedRows, checked
from pipeline.explaining.version import cells_of_rows, load_explainer
from pipeline.metadata.store import open_store
from pipeline.report.findings import read_report
from pipeline.report.summary import Summary
from pipeline.serving.contract import read_columns
from pipeline.serving.rows import RowChecker
from pipeline.versions.served import to_be_asked

CONFIG, MODE = "census", "labeling.mode=gold"
EDUCATION = ("education", "education-num")  # say the same, and change together
SETS = {
    "education, occupation, hours-per-week": (*EDUCATION, "occupation", "hours-per-week"),
    "occupation, hours-per-week, capital-gain": ("occupation", "hours-per-week", "capital-gain"),
    "education, hours-per-week, capital-gain": (*EDUCATION, "hours-per-week", "capital-gain"),
}
WITH_GAIN = [name for name in SETS if "capital-gain" in name]
NODE_SECONDS, ADDITIVE, FOUND = 15.0, 1e-5, 0.9
_CONVERGED = 100  # permutations
_CONVERGED_ROWS = 50


@dataclass(frozen=True)
class CounterfactualShare:
    """Counterfactuals of refused rows of a target.

    Attributes:
      target, columns: Of which model, and what may be changed.
      rows: Refused rows.
      found: Share with a counterfactual.
      possible: Share with any combination of values that changes the decision.
      verified: Share of the counterfactuals that hold when another process' model is asked.
      changes: How many there are of one action, of two, and so on.
      cpu_seconds: Of the search for all rows.
    """

    target: str
    columns: str
    rows: int
    found: float
    possible: float
    verified: float
    changes: list[int]
    cpu_seconds: float


def measured(options: argparse.Namespace, scratch: Path) -> tuple[str, dict[str, Any]]:
    """Tables and values of one run."""
    root = options.root or scratch
    cost, summary = measure.run_pipeline(CONFIG, root, [MODE])
    node = summary.nodes[EXPLANATION.node]
    if node.state != "RAN":
        raise measure.MeasurementError(f"{root}: has such a run already; name an empty --root")
    folder, config = root / CONFIG, load(CONFIG, [MODE])
    explained = explanation_of(folder, summary)
    found, agreement = [], {}
    for target in TARGETS:
        explainer, refused = refused_rows(config, folder, target, options.rows)
        agreement[target] = agreement_of(explainer, refused)
        for name, columns in SETS.items():
            allowed = replace(explainer, actionable=columns)
            anew, _ = refused_rows(config, folder, target, 1)
            found.append(share_of(target, name, allowed, anew, refused))
    run_seconds = summary.cpu_seconds
    checks = checks_of(node.cpu_seconds, explained, found)
    tables = [
        "On the census, gold labels, one run; CPU seconds of the node as its summary has them.\n",
        cost_table(node.cpu_seconds, run_seconds, explained),
        f"Attributions of single rows (5 permutations): correlation with {_CONVERGED} "
        "permutations " + ", ".join(f"{t} {r:.4f}" for t, r in agreement.items()) + ".\n",
        "Counterfactuals of test rows that are decided negatively. `education` changes together "
        "with `education-num`, which says the same.\n",
        share_table(found),
        report.checks_table(checks),
    ]
    values = {
        "node": {"state": node.state, "cpu_seconds": node.cpu_seconds},
        "run": {"cpu_seconds": run_seconds, "wall_seconds": cost.seconds},
        "agreement": agreement,
        "additivity": {target: found["additivity"] for target, found in explained.items()},
        "counterfactuals": found,
        "checks": checks,
    }
    return "\n".join(tables), values


def explanation_of(folder: Path, summary: Summary) -> dict[str, Any]:
    """What the Explainer of a run wrote, by target."""
    store = open_store(folder)
    if store is None:
        raise measure.MeasurementError(f"{folder}: no metadata")
    written = read_report(store.executions(summary.run_id), EXPLANATION)
    targets: dict[str, Any] = written["targets"]
    return targets


def refused_rows(
    config: Config, folder: Path, target: str, count: int
) -> tuple[RowExplainer, Cells]:
    """What explains a target's live version, and test rows that it decides negatively."""
    version = to_be_asked(folder, config.name, target, None)
    contract = read_columns(config.schema_path, config.columns.dates)
    explainer = load_explainer(target, version.path, contract, config)
    model = explainer.model
    checker = RowChecker(contract, model.numbers, model.texts, False, 10**6)
    [path] = folder.glob("staged/*/test/data.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = tuple(csv.DictReader(file))
    names = tuple(row["row_id"] for row in rows)
    added = ("row_id", *config.columns.groups)
    cells = cells_of_rows(
        checked(NamedRows(str(path), names, rows, True), checker, contract, added), model
    )
    refused = np.flatnonzero(model.answer(cells.numbers, cells.texts) <= 0.5)
    drawn = np.random.default_rng(config.seed).permutation(refused)[:count]
    return explainer, cells.take(np.sort(drawn))


def agreement_of(explainer: RowExplainer, rows: Cells) -> float:
    """Correlation of attributions with those of many permutations."""
    first = rows.take(np.arange(min(_CONVERGED_ROWS, rows.count)))
    background = explainer.training.rows_for(first.number_names, first.text_names)
    coding = Coding([first, background])
    ask = CodedModel(explainer.model, coding)
    codes = coding.encode(first), coding.encode(background)
    converged = by_permutations(ask, *codes, _CONVERGED, 7).values
    return float(np.corrcoef(explainer.attributions(first).values.ravel(), converged.ravel())[0, 1])


def share_of(
    target: str, name: str, explainer: RowExplainer, anew: RowExplainer, rows: Cells
) -> CounterfactualShare:
    """Looks for counterfactuals of rows; `anew` is asked whether they hold."""
    began = time.process_time()
    found = explainer.counterfactuals(rows, 1)
    seconds = time.process_time() - began
    changes = [0] * len(explainer.changeable)
    holds = []
    for n, of_row in enumerate(found):
        for one in of_row:
            actions = len({"education" if c in EDUCATION else c for c in one["changes"]})
            changes[actions - 1] += 1
            holds.append(is_turned(anew, rows.take(np.array([n])), one["changes"]))
    with_one = sum(map(bool, found)) / len(found)
    possible = float(np.mean([*any_combination(explainer, rows)]))
    verified = float(np.mean(holds)) if holds else 0.0
    return CounterfactualShare(
        target, name, rows.count, with_one, possible, verified, changes, seconds
    )


def is_turned(anew: RowExplainer, row: Cells, changes: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a row with changes is decided positively, and was not before."""
    model = anew.model
    before = model.answer(row.numbers, row.texts)[0]
    numbers, texts = row.numbers.copy(), row.texts.copy()
    for name, change in changes.items():
        if name in model.numbers:
            numbers[0, model.numbers.index(name)] = change["to"]
        else:
            texts[0, model.texts.index(name)] = change["to"]
    return bool(before <= 0.5 < model.answer(numbers, texts)[0])


def any_combination(explainer: RowExplainer, rows: Cells) -> Iterator[bool]:
    """For each row whether any combination of the values that may be had turns the decision."""
    coding, actions = explainer.changes_of(rows)
    ask = CodedModel(explainer.model, coding)
    for row in coding.encode(rows):
        options = [[row[list(a.columns)], *a.choices] for a in actions]
        places = np.indices([len(option) for option in options]).reshape(len(options), -1)
        made = np.repeat(row[np.newaxis], places.shape[1], axis=0)
        for action, option, at in zip(actions, options, places, strict=True):
            made[:, list(action.columns)] = np.stack(option)[at]
        yield bool((ask(made) > 0.5).any())


def checks_of(
    node_seconds: float, explained: Mapping[str, Any], found: Sequence[CounterfactualShare]
) -> list[Check]:
    """The targets."""
    rows = max(found["rows"] for found in explained.values())
    checks = [at_most(f"CPU s of the node, {rows} rows, both targets", node_seconds, NODE_SECONDS)]
    checks += [
        at_most(f"{target}: largest miss of the sum", one["additivity"], ADDITIVE)
        for target, one in explained.items()
    ]
    for one in found:
        said = f"{one.target}: {one.columns}"
        if one.columns in WITH_GAIN:
            checks.append(at_least(f"{said}: found", one.found, FOUND))
        share = one.found / one.possible if one.possible else 1.0
        checks.append(at_least(f"{said}: found of what is possible", share, 0.99))
        checks.append(at_least(f"{said}: verified", one.verified, 1.0))
    return checks


def cost_table(node_seconds: float, run_seconds: float, explained: Mapping[str, Any]) -> str:
    """What the node costs, and what it explains."""
    rows = [
        ("CPU s of the node", f"{node_seconds:.2f}"),
        ("CPU s of the run", f"{run_seconds:.1f}"),
        ("share of the run", f"{node_seconds / run_seconds:.1%}"),
    ]
    for target, found in explained.items():
        rows.append((f"{target}: rows explained", str(found["rows"])))
        rows.append((f"{target}: largest miss of the sum", f"{found['additivity']:.1e}"))
    return report.table(("", "measured"), rows)


def share_table(found: Sequence[CounterfactualShare]) -> str:
    """A line for each target and set of columns."""
    rows = [
        (
            f"{one.target}: {one.columns}",
            str(one.rows),
            f"{one.found:.1%}",
            f"{one.possible:.1%}",
            f"{one.verified:.1%}",
            " / ".join(str(count) for count in one.changes[:3]),
            f"{one.cpu_seconds:.2f}",
        )
        for one in found
    ]
    header = (
        "may be changed", "rows", "found", "possible", "verified", "1 / 2 / 3 changes", "CPU s",
    )  # fmt: skip
    return report.table(header, rows)
