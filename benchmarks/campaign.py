"""A simulated campaign: what 100 more answers bring, chosen to inform or drawn at random.

    make benchmark BENCHMARK=campaign                     # seeds 11, 12, 13
    make benchmark BENCHMARK=campaign ARGS="--seeds 21"   # one of them

Starts from 100 gold rows of the census. A round is a file of `to-label`, answered with the hidden
true labels, and its `labels import`; both are the code of those verbs. Then the label model is
fitted and the end model trained (benchmarks/end_model.py). `random` draws all rows of each file,
`informed` the configured share of them.

Writes campaign.md and campaign.json to benchmarks/results/, and docs/images/campaign.svg.
"""

import argparse
import itertools
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import curves, end_model, report
from benchmarks.curves import Point
from benchmarks.end_model import METRICS, Prepared
from pipeline.labels import analysis, importing, to_label

START, STEP, ROUNDS = 100, 100, 4
# Keys of `labeling`; informed is as configured.
STRATEGIES: dict[str, dict[str, Any]] = {
    "random": {"gold_choice": "random", "random_share": 1.0},
    "informed": {"gold_choice": "random"},
}


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__, (11, 12, 13))
    return curves.main("campaign", parser, log=False, measured=measured, tables=tables)


def measured(prepared: Prepared, options: argparse.Namespace) -> Iterator[Point]:
    """AUC and F1 of a campaign for each seed and strategy, at its start and after each round."""
    for seed, strategy in itertools.product(options.seeds, STRATEGIES):
        config = curves.configured(prepared.config, seed, START, **STRATEGIES[strategy])
        folder = prepared.folder.parent / f"{strategy}-{seed}"
        applied = analysis.with_gold(prepared.applied, config, folder, prepared.staged)
        for number in range(ROUNDS + 1):
            if number:
                path = folder / f"round-{number}.csv"
                to_label.write(config, prepared.staged, applied, STEP, path)
                answer(prepared, path)
                now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)
                importing.import_file(config, folder, path, "simulation", now)
                applied = analysis.with_gold(applied, config, folder, prepared.staged)
            rows = end_model.weak_labels(prepared, applied, seed)
            found = end_model.train(prepared, rows, seed)
            yield curves.point(strategy, seed, len(applied.gold), found)
        shutil.rmtree(folder)


def answer(prepared: Prepared, path: Path) -> None:
    """Fills in a file of `to-label` with the hidden true labels."""
    columns, table = prepared.config.columns, prepared.applied.table
    names = dict(enumerate(columns.names))
    truth = dict(zip(table.row_ids, prepared.truth.tolist(), strict=True))
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["answer"] = [names[truth[row_id]] for row_id in rows["row_id"]]
    rows.to_csv(path, index=False)


def tables(points: Sequence[Point]) -> str:
    """A row for each number of gold rows; then the gain of the whole campaign."""
    text = f"On `test` (16,281 rows). {report.over(sorted({p['seed'] for p in points}))}\n"
    columns = [(metric, strategy) for metric in METRICS for strategy in STRATEGIES]
    header = ["gold rows", *(f"{metric}, {strategy}" for metric, strategy in columns)]
    rows = [
        [
            f"{size:,}",
            *(report.with_deviation(curves.at(points, s, size, m), ".4f") for m, s in columns),
        ]
        for size in curves.sizes(points)
    ]
    gains = [
        [strategy, *(report.with_deviation(_gains(points, strategy, m), "+.4f") for m in METRICS)]
        for strategy in STRATEGIES
    ]
    gained = report.table(("gain per 100 answers", *METRICS), gains)
    return "\n".join([text, report.table(header, rows), gained])


def _gains(points: Sequence[Point], strategy: str, metric: str) -> list[float]:
    """From start to end, per 100 answers, of each seed."""
    sizes = curves.sizes(points)
    first, last = (curves.at(points, strategy, size, metric) for size in (sizes[0], sizes[-1]))
    hundreds = (sizes[-1] - sizes[0]) / 100
    return [(b - a) / hundreds for a, b in zip(first, last, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
