"""What the search finds against the default values, on evaluation and on test rows.

    make benchmark BENCHMARK=search                  # 3 tables, automl, 12 trials, seeds 1 to 3
    make benchmark BENCHMARK=search ARGS="--tables xor --strategies random,bayesian --trials 20"

`init` describes each table in a copy of the repository, in gold mode, and one short run of the DAG
transforms its rows (of the census at most 10,000). On these each search runs as the Tuner runs it.
Then best trial and default are trained anew as the Trainer trains, twice each with seeds that the
search did not see, and measured on the eval rows, by which everything was chosen, and on the test
rows, by which nothing was.

Writes search.md and search.json to benchmarks/results/.
"""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from benchmarks.search.study import Found, tables
from benchmarks.tables.described import NAMES, describe, repository_in, table_of

_SHORT = (
    "data.rows=10000", "tuner.enabled=false", "trainer.epochs=1", "trainer.pruning_epochs=1",
    "distiller.epochs=1", "distiller.pruning_epochs=1", "explain.enabled=false",
    "reference.enabled=false",
)  # fmt: skip
STRATEGIES = ("random", "hyperband", "bayesian", "automl")


def run(name: str, asked: dict[str, Any], folder: Path) -> list[Found]:
    """All searches on one table."""
    copy = repository_in(folder)
    called = describe(name, table_of(name, 1), copy, "--mode", "gold")
    short = [word for key in _SHORT for word in ("--set", key)]
    measure.run([sys.executable, "-m", "pipeline", "run", "--config", called, *short], copy)
    command = [sys.executable, "-m", "benchmarks.search.nodes", called]
    found = folder / "found.json"
    legacy = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    told = [str(copy / "runs" / called), json.dumps(asked), str(found)]
    measure.run([*command, *told], copy, legacy)
    return [Found.model_validate(each) for each in json.loads(found.read_text("utf-8"))]


def measured(
    names: Sequence[str], asked: dict[str, Any], folder: Path
) -> tuple[str, dict[str, Any]]:
    """All searches: the tables, and the values."""
    found = {}
    for name in names:
        (folder / name).mkdir()
        found[name] = run(name, asked, folder / name)
        shutil.rmtree(folder / name)
        print(tables({name: found[name]})[0], *(each.reason for each in found[name]), sep="\n")
        sys.stdout.flush()
    text, checks = tables(found)
    seeds = report.over(asked["seeds"])
    return f"{text}\n{seeds} {asked['trials']} trials.", {"found": found, "checks": checks}


def main() -> int:
    """Entry point."""
    parser = report.parser(__doc__, (1, 2, 3))
    parser.add_argument("--tables", type=report.listed, default=["crossed", "census", "german"])
    parser.add_argument("--strategies", type=report.listed, default=["automl"])
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--name", default="search", help="of the files that are written")
    arguments = parser.parse_args()
    report.check_known(parser, arguments.tables, NAMES)
    report.check_known(parser, arguments.strategies, STRATEGIES)
    asked = {
        "strategies": arguments.strategies,
        "seeds": arguments.seeds,
        "trials": arguments.trials,
    }
    return report.run(
        "benchmarks.search",
        arguments.name,
        arguments.results,
        lambda folder: measured(arguments.tables, asked, folder),
    )


if __name__ == "__main__":
    sys.exit(main())
