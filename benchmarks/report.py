"""Statistics, tables and files of the benchmarks."""

import argparse
import json
import shlex
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from benchmarks import measure

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Check:
    """A target, the value that was measured, and whether the one reaches the other.

    Attributes:
      target: What is asked for, in words.
      bound: "<= x" or ">= x".
    """

    target: str
    value: float
    bound: str
    passed: bool


def parser(doc: str | None, default_seeds: Sequence[int] = ()) -> argparse.ArgumentParser:
    """A command line with `--results`, and with `--seeds` where there are any."""
    made = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--results", type=Path, default=RESULTS, metavar="DIR")
    if default_seeds:
        example = ",".join(map(str, default_seeds))
        made.add_argument("--seeds", type=seeds, default=tuple(default_seeds), metavar=example)
    return made


def run(
    module: str, name: str, folder: Path, measured: Callable[[Path], tuple[str, Mapping[str, Any]]]
) -> int:
    """Measures, prints and writes; the exit code: 1 when that failed.

    Args:
      module: Of the benchmark.
      name: Of the files that are written.
      folder: Where to.
      measured: From an empty folder, removed afterwards, to tables and values.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            tables, values = measured(Path(scratch))
    except measure.MeasurementError as error:
        print(error, file=sys.stderr)
        return 1
    write(folder, name, tables, {**origin(module), **values})
    return 0


def seeds(text: str) -> tuple[int, ...]:
    """`1,2,3` as numbers."""
    return tuple(int(seed) for seed in text.split(","))


def listed(text: str) -> list[str]:
    """`a,b` as names."""
    return [part for part in text.split(",") if part]


def check_known(
    parser: argparse.ArgumentParser, asked: Iterable[str], known: Sequence[str]
) -> None:
    """Ends the program with a message where something is asked for that there is not."""
    if unknown := {*asked} - {*known}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(known)}")


def at_most(target: str, value: float, limit: float) -> Check:
    """Checks that `value` is `limit` or less."""
    return Check(target, value, f"<= {limit:g}", value <= limit)


def at_least(target: str, value: float, limit: float) -> Check:
    """Checks that `value` is `limit` or more."""
    return Check(target, value, f">= {limit:g}", value >= limit)


def with_deviation(values: Sequence[float], form: str) -> str:
    """`mean ± sample standard deviation`, or the value when there is one."""
    mean = format(statistics.fmean(values), form)
    if len(values) == 1:
        return mean
    return f"{mean} ± {format(statistics.stdev(values), form.lstrip('+'))}"


def over(drawn: Iterable[int]) -> str:
    """What cells of `with_deviation` say."""
    return f"Mean ± sample standard deviation over seeds {', '.join(map(str, drawn))}."


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table that also reads as plain text; all but the first column to the right.

    Raises:
      ValueError: A row has more or fewer cells than the header.
    """
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [cells[0].ljust(widths[0]), *map(str.rjust, cells[1:], widths[1:])]
        for cells in (lines[0], rule, *lines[1:])
    ]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in padded)


def checks_table(checks: Iterable[Check]) -> str:
    """A line for each target: value, bound, PASS or FAIL."""
    rows = [(c.target, f"{c.value:.4g}", c.bound, "PASS" if c.passed else "FAIL") for c in checks]
    return table(("target", "measured", "asked for", "verdict"), rows)


def origin(module: str) -> dict[str, Any]:
    """Where numbers come from: command, date, machine, versions."""
    return {
        "command": shlex.join([".venv/bin/python", "-m", module, *sys.argv[1:]]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": measure.machine(),
        "versions": measure.versions(),
    }


def write(folder: Path, name: str, tables: str, values: Mapping[str, Any]) -> None:
    """Writes <name>.md and <name>.json, and prints the tables.

    Args:
      folder: Made when it is not there.
      name: Of both files.
      tables: Markdown that follows the origin.
      values: With the keys of `origin`; dataclasses and pydantic models are written as objects.
    """
    machine, versions = values["machine"], values["versions"]
    page = (
        f"# Results: {name}\n\n"
        f"`{values['command']}`, {values['date']}, {machine['cores']} cores of "
        f"{machine['cpu']}, {machine['memory_gb']} GB; "
        f"{', '.join(f'{package} {version}' for package, version in versions.items())}.\n\n"
        f"{tables}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(page, encoding="utf-8")
    text = json.dumps(values, indent=2, allow_nan=False, default=to_jsonable_python)
    (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")
    print(tables)
    print(f"written to {folder}/{name}.md and {name}.json")
