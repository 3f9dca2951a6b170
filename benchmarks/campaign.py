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
import csv
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import end_model, measure, plot, report
from benchmarks.end_model import METRICS, Prepared
from core.config import Config

START, STEP, ROUNDS = 100, 100, 4
STRATEGIES = {"random": 1.0, "informed": None}  # share of random rows; None: as configured


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=report.seeds, default=(11, 12, 13), metavar="11,12,13")
    parser.add_argument("--root", type=Path, metavar="DIR", help="take the rows of its last run")
    parser.add_argument("--results", type=Path, default=report.RESULTS, metavar="DIR")
    parser.add_argument("--images", type=Path, default=plot.IMAGES, metavar="DIR")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            root = options.root or Path(scratch)
            prepared = end_model.prepare(root, finished=options.root is not None)
            points = [
                point
                for seed in options.seeds
                for strategy in STRATEGIES
                for point in campaign(prepared, strategy, seed)
            ]
    except measure.MeasurementError as error:
        print(error, file=sys.stderr)
        return 1
    values = {**report.origin("benchmarks.campaign"), "seeds": options.seeds, "points": points}
    report.write(options.results, "campaign", tables(points), values)
    path = options.images / "campaign.svg"
    plot.curves(points, "gold_rows", "gold rows", False, path)
    return 0


def campaign(prepared: Prepared, strategy: str, seed: int) -> list[dict[str, Any]]:
    """One campaign; AUC and F1 at its start and after each round."""
    from pipeline.labels import analysis, importing, to_label

    config = configured(prepared.config, strategy, seed)
    folder = prepared.folder.parent / f"{strategy}-{seed}"
    applied = analysis.with_gold(prepared.applied, config, folder, prepared.staged)
    points = []
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
        points.append(
            {"series": strategy, "seed": seed, "gold_rows": len(applied.gold)}
            | {metric: found[metric] for metric in METRICS}
        )
        print(points[-1], file=sys.stderr, flush=True)
    shutil.rmtree(folder)
    return points


def configured(config: Config, strategy: str, seed: int) -> Config:
    """The configuration of a campaign: its seed, 100 gold rows, the share of random rows."""
    share = STRATEGIES[strategy]
    changes: dict[str, Any] = {"gold_rows": START}
    if share is not None:
        changes["random_share"] = share
    labeling = config.labeling.model_copy(update=changes)
    return config.model_copy(update={"seed": seed, "labeling": labeling})


def answer(prepared: Prepared, path: Path) -> None:
    """Fills in a file of `to-label` with the hidden true labels."""
    columns, table = prepared.config.columns, prepared.applied.table
    names = {0: columns.negative, 1: columns.positive}
    truth = dict(zip(table.row_ids, prepared.truth.tolist(), strict=True))
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows({**line, "answer": names[truth[line["row_id"]]]} for line in lines)


def tables(points: Sequence[Mapping[str, Any]]) -> str:
    """A row for each number of gold rows; then the gain of the whole campaign."""
    seeds = sorted({point["seed"] for point in points})
    drawn = ", ".join(map(str, seeds))
    text = f"On `test` (16,281 rows). Mean ± sample standard deviation over seeds {drawn}.\n"
    header = ["gold rows", *(f"{m}, {s}" for m in METRICS for s in STRATEGIES)]
    sizes = sorted({point["gold_rows"] for point in points})
    rows = [
        [
            f"{size:,}",
            *(
                report.with_deviation(_at(points, s, size, m), ".4f")
                for m in METRICS
                for s in STRATEGIES
            ),
        ]
        for size in sizes
    ]
    gains = [
        [
            strategy,
            *(report.with_deviation(_gains(points, strategy, sizes, m), "+.4f") for m in METRICS),
        ]
        for strategy in STRATEGIES
    ]
    gained = report.table(("gain per 100 answers", *METRICS), gains)
    return "\n".join([text, report.table(header, rows), gained])


def _at(points: Sequence[Mapping[str, Any]], strategy: str, size: int, metric: str) -> list[float]:
    return [p[metric] for p in points if (p["series"], p["gold_rows"]) == (strategy, size)]


def _gains(
    points: Sequence[Mapping[str, Any]], strategy: str, sizes: Sequence[int], metric: str
) -> list[float]:
    """From start to end, per 100 answers, of each seed."""
    first, last = (_at(points, strategy, size, metric) for size in (sizes[0], sizes[-1]))
    hundreds = (sizes[-1] - sizes[0]) / 100
    return [(b - a) / hundreds for a, b in zip(first, last, strict=True)]


if __name__ == "__main__":
    sys.exit(main())
