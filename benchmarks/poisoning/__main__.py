"""Poisons a delivery in many ways, and says what `retrain` let through.

    make benchmark BENCHMARK=poisoning                            # the table
    make benchmark BENCHMARK=poisoning ARGS="--only 'gold 1800'"  # cases whose name has that text
    make benchmark BENCHMARK=poisoning ARGS="--clean 100"         # clean deliveries, trained on
    make benchmark BENCHMARK=poisoning ARGS="--draws 250"         # clean ones, judged alone

Two clean spans of 1,800 census rows are trained on, then a third one arrives and `retrain` looks.
Whatever is served after that answers 12,281 rows that the pipeline never saw, and is compared with
what was served before and with what the same delivery without the poison came to. With `--root DIR`
what is done is kept there, and a second call goes on where the first one ended.

Writes poisoning.md and poisoning.json (poisoning_clean with `--clean`) to benchmarks/results/.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import report
from benchmarks.demo_retrain import CONFIG, outcome, why
from benchmarks.measure import MeasurementError
from benchmarks.poisoning.deliveries import LARGE, POISONS, SMALL, Poison, World
from benchmarks.report import Check
from core.config import Config
from core.files import write_atomically
from pipeline.config.load import load
from pipeline.retraining.judged_rows import Judged
from pipeline.retraining.retrain import RetrainRequest, RetrainResult, retrain
from pipeline.run.environment import prepare
from pipeline.run.run import RunRequest, build_dag
from pipeline.versions.served import live

prepare()
from benchmarks.poisoning.false_alarms import (  # noqa: E402 - loads TensorFlow
    held_back,
    judged,
    repeats,
)
from benchmarks.poisoning.served import falls, served, unseen  # noqa: E402 - loads TensorFlow
from models.export.server import load_server_model  # noqa: E402 - loads TensorFlow

SEED = 3
ALARM_SEEDS = (11, 12, 13, 14)
QUALITY_BOUND, RECALL_BOUND = 0.02, 0.08
RECALLS = ("tpr", "tnr")
START = datetime(2026, 1, 1, 3, tzinfo=UTC)
Case = dict[str, Any]
"""What came of a delivery: decision, why, outcome, quality by target of what is live after it."""


class Trials:
    """Deliveries to one world in one mode, each to the same state of things before."""

    def __init__(self, root: Path, mode: str, seed: int) -> None:
        """Trains on the two clean spans, if that is not done yet."""
        self._folder = root / f"{mode}-{seed}" / "now"
        self._before = root / f"{mode}-{seed}" / "before"
        self.world = World(self._folder, seed)
        self._mode = mode
        self.config = self._load()
        self.rows = unseen(self.world.unseen, self.config)
        if not self._before.is_dir():
            shutil.rmtree(self._folder, ignore_errors=True)
            self.world.begin()
            if (begun := self._look(1)).exit_code:
                raise MeasurementError(f"nothing to begin with: {begun.run and begun.run.failure}")
            shutil.copytree(self._folder, self._before)
        self._restore()
        self.before = served(self.rows, self._folder / "runs" / CONFIG, CONFIG)

    def _load(self) -> Config:
        keys = [f"data.folder={self.world.spans}", f"schema={self.world.contract}"]
        if not self.world.contract.is_file():
            self.world.begin()
        return load(CONFIG, [*keys, f"labeling.mode={self._mode}"])

    def _restore(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._before, self._folder)  # to the same path: nothing is out of place

    def _look(self, month: int) -> RetrainResult:
        request = RunRequest(CONFIG, self.config, self._folder / "runs", "benchmarks.poisoning")
        now = START + timedelta(days=30 * month)
        quiet: Any = lambda _: None  # noqa: E731
        return retrain(RetrainRequest(request, now, dry_run=False), build_dag, quiet, quiet, quiet)

    def judge(self, table: pd.DataFrame) -> Judged:
        """Rows beside what the served server model says of them."""
        rows = unseen(table, self.config)
        version = live(self._folder / "runs" / CONFIG, CONFIG, "server")
        assert version is not None
        answers = load_server_model(str(version.path))(rows.rows.examples)
        return judged(rows, answers, self.config)

    def deliver(self, rows: pd.DataFrame) -> Case:
        """What came of a third span of these rows."""
        self._restore()
        self.world.deliver("span-3", rows)
        result = self._look(2)
        after = served(self.rows, self._folder / "runs" / CONFIG, CONFIG)
        return {
            "decision": result.decision.action,
            "why": why(result.decision),
            "outcome": outcome(result),
            "exit_code": result.exit_code,
            "served": after,
            "falls": falls(self.before, after),
        }


def remembered(path: Path, make: Any) -> Case:
    """A case from its file, or made and written there."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(make()))
    found: Case = json.loads(path.read_text(encoding="utf-8"))
    return found


def poisoned(root: Path, only: str) -> tuple[str, Mapping[str, Any]]:
    """Tries each poison; its table and values."""
    trials: dict[str, Trials] = {}
    rows, values = [], {}
    for poison in (p for p in POISONS if only in p.name):
        here = trials.setdefault(poison.mode, Trials(root, poison.mode, SEED))
        clean = here.world.third(poison.rows)
        kept = root / "cases"
        control = remembered(
            kept / f"{poison.mode} {poison.rows} clean.json", partial(here.deliver, clean)
        )
        name = poison.name.replace("/", " ")
        case = remembered(
            kept / f"{name}.json",
            partial(lambda p, c, h: h.deliver(p.change(c, h.world)), poison, clean, here),
        )
        worse = falls(control["served"], case["served"])
        worst = {key: max(worse[key], case["falls"][key]) for key in worse}
        values[poison.name] = {**case, "worst": worst}
        rows.append(_row(poison, case, worst))
        print(" | ".join(map(str, rows[-1])), flush=True)
    head = ("delivery", "rows", "poison", "what came of it", "auc, accuracy", "recall", "harmless")
    harmless = sum(row[-1] == "yes" for row in rows)
    check = Check("poisons that leave something worse served", len(rows) - harmless, "<= 0",
                  harmless == len(rows))  # fmt: skip
    return report.table(head, rows), {"cases": values, "checks": [check]}


def _row(poison: Poison, case: Case, worst: Mapping[str, float]) -> tuple[Any, ...]:
    quality = max(v for k, v in worst.items() if k.split()[1] in ("auc", "accuracy"))
    recall = max(v for k, v in worst.items() if k.split()[1] in RECALLS)
    harmless = quality <= QUALITY_BOUND and recall <= RECALL_BOUND
    came = case["outcome"].partition("; exit code")[0]
    if case["decision"] == "blocked":
        came = f"held back: {case['why'].partition(' in span')[0]}"
    return (
        poison.mode,
        str(poison.rows),
        poison.what,
        came,
        f"{quality:+.3f}",
        f"{recall:+.3f}",
        "yes" if harmless else "no",
    )


def clean(root: Path, count: int) -> tuple[str, Mapping[str, Any]]:
    """Looks at clean deliveries; how many were held back or refused."""
    kinds = [(mode, size) for mode in ("gold", "weak") for size in (SMALL, LARGE)]
    cases: dict[tuple[str, int], list[Case]] = {kind: [] for kind in kinds}
    trials: dict[str, Trials] = {}
    for draw in range(1, count // len(kinds) + 1):
        for mode, size in kinds:
            path = root / "cases" / f"{mode} {size} clean {draw}.json"
            if not path.is_file() and mode not in trials:
                trials[mode] = Trials(root, mode, SEED)
            rows = partial(lambda m, s, d: trials[m].world.third(s, d), mode, size, draw)
            case = remembered(path, partial(lambda m, r: trials[m].deliver(r()), mode, rows))
            cases[mode, size].append(case)
            print(path.stem, case["why"], case["outcome"], sep=": ", flush=True)
    table = [_clean_row(*kind, found) for kind, found in cases.items()]
    head = ("mode", "rows", "clean deliveries", "held back or refused", "largest fall of a recall")
    return report.table(head, table), {"cases": {str(k): v for k, v in cases.items()}}


def _clean_row(mode: str, size: int, found: Sequence[Case]) -> tuple[str, ...]:
    refused = sum(case["exit_code"] != 0 for case in found)
    falls_ = [v for case in found for k, v in case["falls"].items() if k.split()[1] in RECALLS]
    return (mode, str(size), str(len(found)), str(refused), f"{max(falls_, default=0.0):+.3f}")


def alarms(root: Path, draws: int) -> tuple[str, Mapping[str, Any]]:
    """Judges clean spans without training on them; how many would be held back."""
    table: list[tuple[str, ...]] = []
    counts: dict[str, dict[str, int]] = {}
    for mode in ("gold", "weak"):
        for seed in ALARM_SEEDS:
            here = Trials(root, mode, seed)
            world, config = here.world, here.config
            earlier = pd.concat([world.earlier(1), world.earlier(2)], ignore_index=True)
            pool, before, test = (here.judge(t) for t in (world.pool, earlier, world.test))
            for size in (SMALL, LARGE):
                labels = held_back(pool, size, before, test, config, draws)
                again = repeats(world, size, draws // 10)
                counts[f"{mode} {seed} {size}"] = {"labels": labels, "repeats": again}
                table.append((mode, str(seed), str(size), str(draws), str(labels),
                              str(draws // 10), str(again)))  # fmt: skip
                print(*table[-1], flush=True)
    total = [sum(int(row[column]) for row in table) for column in (3, 4, 5, 6)]
    table.append(("all", "", "", *map(str, total)))
    head = ("mode", "world", "rows", "clean spans", "labels doubted", "looked at for repeats",
            "repeats found")  # fmt: skip
    return report.table(head, table), {"alarms": counts}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints and writes."""
    parser = report.parser(__doc__)
    parser.add_argument("--root", type=Path, metavar="DIR", help="where runs and cases are kept")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name has this text")
    parser.add_argument("--clean", type=int, metavar="N", help="look at N clean deliveries")
    parser.add_argument("--draws", type=int, metavar="N", help="judge N clean spans of each kind")
    options = parser.parse_args(arguments)

    def measured(scratch: Path) -> tuple[str, Mapping[str, Any]]:
        root = (options.root or Path(tempfile.mkdtemp(dir=scratch))).resolve()
        if options.draws:
            return alarms(root, options.draws)
        if options.clean:
            return clean(root, options.clean)
        return poisoned(root, options.only)

    name = "poisoning_clean" if options.clean else "poisoning"
    name = "poisoning_alarms" if options.draws else name
    return report.run("benchmarks.poisoning", name, options.results, measured)


if __name__ == "__main__":
    sys.exit(main())
