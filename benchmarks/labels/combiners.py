"""What each part of the combiner of votes and columns is worth, on training rows that are not gold.

    make benchmark BENCHMARK=labels.combiners                  # seeds 101 to 120, a few minutes
    make benchmark BENCHMARK=labels.combiners ARGS="--seeds 101,102"

No DAG and no end model: soft labels are made of the gold rows of a seed, 200 of the census and 100
of the other tables, and measured on the other rows of train and eval. These are the rows by which
the values of models/labels/additive/model.py were chosen; the test part is not read. `average` is
the method of that name, `before` the combiner of votes and columns without the parts below it; the
others add one after another, and the last is what the pipeline does. Of the census also: gold rows
that are chosen, and errors of both kinds alike.

Writes combiners.md and combiners.json to benchmarks/results/.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from benchmarks import curves, report
from core.answers import spread
from core.config import Config
from models.labels.additive import model
from models.labels.additive.decisions import even_shift
from models.labels.additive.majority import MajorityByColumns
from models.labels.additive.sample import taken
from models.labels.by_group.shifts import shifted
from models.labels.scores import CLIP, most_likely
from models.labels.votes import ABSTAIN, Gold, distinct
from pipeline.config.load import load
from pipeline.ingestion import staging
from pipeline.labels import analysis
from pipeline.run import environment

GOLD_ROWS = {"census": 200, "sms_spam": 100, "visual_relations": 100}
# Constants of the model, each line with those of the lines before it.
PARTS: dict[str, dict[str, float]] = {
    "before": {
        "RIDGE_OF_CONSTANT": 1e-3,
        "RIDGE_OF_COLUMNS": 100.0,
        "BY_COLUMNS": 0.0,
        "RIDGE_OF_COUNT": 1e9,
    },
    "columns are pulled half as hard": {"RIDGE_OF_COLUMNS": model.RIDGE_OF_COLUMNS},
    "the constant is pulled, too": {"RIDGE_OF_CONSTANT": model.RIDGE_OF_CONSTANT},
    "half of the majority by columns": {"BY_COLUMNS": model.BY_COLUMNS},
    "gold rows say what votes count": {"RIDGE_OF_COUNT": model.RIDGE_OF_COUNT},
}
SHARES = (0.3, 0.5)  # of an informative budget, drawn at random
EVEN_ERRORS = (0.5, 1.0)
FIGURES = ("auc", "f1", "accuracy", "log loss")
Values = dict[str, dict[str, dict[str, list[float]]]]
"""Figures by table and way, a value for each seed."""


@dataclass(frozen=True)
class SoftLabels:
    """What soft labels are of.

    Attributes:
      labels: float64 [rows] or [rows, classes].
      gold: Rows that are not measured on.
      voted: bool [rows], whether a function votes.
      truth: int8 [rows].
    """

    labels: NDArray[np.float64]
    gold: list[int]
    voted: NDArray[np.bool_]
    truth: NDArray[np.int8]

    def moved(self, share: float) -> "SoftLabels":
        """The same, as `labeling.even_errors` moves labels."""
        seen = self.labels[self.voted]
        shift = share * even_shift(seen, np.ones(len(seen)))
        return replace(self, labels=shifted(self.labels, shift))


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, tuple(range(101, 121)))
    options = parser.parse_args()

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        environment.prepare()
        found = {name: measure(name, scratch, options.seeds) for name in GOLD_ROWS}
        return tables(found, options.seeds), {"seeds": options.seeds, "results": found}

    return report.run("benchmarks.labels.combiners", "combiners", options.results, measured)


def measure(name: str, root: Path, seeds: Sequence[int]) -> dict[str, dict[str, list[float]]]:
    """Figures of each way to label a table, a value for each seed."""
    config, folder = load(name, []), root / name
    staged = staging.stage(config, folder)
    applied = analysis.apply(config, folder, staged)
    found: dict[str, dict[str, list[float]]] = {}

    def note(way: str, of: SoftLabels) -> None:
        for figure, value in figures(of).items():
            found.setdefault(way, {}).setdefault(figure, []).append(value)

    for seed in seeds:
        told = {"gold_choice": "random", "random_share": 1.0}
        drawn = curves.configured(config, seed, GOLD_ROWS[name], **told)
        rows = analysis.with_gold(applied, drawn, folder, staged)
        average = analysis.probability(rows, with_average(drawn))
        note("average", replace(labelled(rows, drawn), labels=average))
        for part in PARTS:
            with constants(part):
                made = labelled(rows, drawn)
            note(part, made)
        if name != "census":
            continue
        for share in SHARES:
            told = {"gold_choice": "informative", "random_share": share}
            chosen = curves.configured(config, seed, GOLD_ROWS[name], **told)
            made = labelled(analysis.with_gold(applied, chosen, folder, staged), chosen)
            note(f"chosen rows, {share:.0%} at random", made)
        for share in EVEN_ERRORS:
            note(f"the same, even_errors {share:g}", made.moved(share))
        print(name, seed, file=sys.stderr, flush=True)
    return found


def with_average(config: Config) -> Config:
    """The configuration with the mean of label model and combiner, as it is, for method."""
    told = {"method": "average", "even_errors": 0.0}
    return config.model_copy(update={"labeling": config.labeling.model_copy(update=told)})


@contextlib.contextmanager
def constants(part: str) -> Iterator[None]:
    """The constants of the model as they are with the parts up to one, for a while."""
    names = list(PARTS)
    wanted: dict[str, float] = {}
    for name in names[: names.index(part) + 1]:
        wanted |= PARTS[name]
    kept = {name: getattr(model, name) for name in wanted}
    try:
        for name, value in wanted.items():
            setattr(model, name, value)
        yield
    finally:
        for name, value in kept.items():
            setattr(model, name, value)


def labelled(applied: analysis.Applied, config: Config) -> SoftLabels:
    """All rows with their labels by votes and columns."""
    at, classes = list(applied.gold), len(config.columns.names)
    gold = Gold(applied.votes[at], np.array(list(applied.gold.values()), dtype=np.int8))
    columns = {name: taken(column, np.array(at)) for name, column in applied.columns.items()}
    sample, _ = analysis.sample_of(applied, config)
    majority = MajorityByColumns.of(sample.votes, sample.columns, classes)
    vectors, _, vector_of_row = distinct(applied.votes)
    fitted = model.Fitting(gold, majority, columns, classes).fit(vectors)
    labels = fitted.scores.added(fitted.probability[vector_of_row], applied.columns)
    voted = (applied.votes != ABSTAIN).any(axis=1)
    return SoftLabels(labels, at, voted, applied.table.true_labels(range(len(voted))))


def figures(of: SoftLabels) -> dict[str, float]:
    """Figures on the rows that are not gold; of more than two classes means over classes."""
    measured = np.ones(len(of.labels), dtype=bool)
    measured[of.gold] = False
    shares, truth = spread(of.labels)[measured], of.truth[measured]
    decided, two = most_likely(of.labels[measured]), shares.shape[1] == 2
    auc = metrics.roc_auc_score(truth, shares[:, 1] if two else shares, multi_class="ovr")
    right = np.clip(shares[np.arange(len(truth)), truth], CLIP, 1.0)
    return {
        "auc": float(auc),
        "f1": float(metrics.f1_score(truth, decided, average="binary" if two else "macro")),
        "accuracy": float((decided == truth).mean()),
        "log loss": float(-np.log(right).mean()),
    }


def tables(
    found: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]], seeds: Sequence[int]
) -> str:
    """A line for each way, a table for each table."""
    said = f"Soft labels, on the rows of train and eval that are not gold. {report.over(seeds)}\n"
    parts = [said]
    for name, ways in found.items():
        rows = [
            (way, *(report.with_deviation(values[figure], ".4f") for figure in FIGURES))
            for way, values in ways.items()
        ]
        parts.append(report.table((f"{name}, {GOLD_ROWS[name]} gold rows", *FIGURES), rows))
    return "\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
