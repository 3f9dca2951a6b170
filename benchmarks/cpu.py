"""CPU seconds of the pipeline, also in units of `import tensorflow` in the same environment.

    make benchmark BENCHMARK=cpu                   # (a) to (e): about ten minutes on two cores
    make benchmark BENCHMARK=cpu ARGS=--peer       # TFX's own taxi example besides
    make benchmark BENCHMARK=cpu ARGS=--quick      # (a) to (c) only

(a) smoke cold, (b) the same again, fully cached, (c) once more with one key changed, (d) census
cold (48,842 rows), (e) the same again. Roots are new, temporary and removed. CPU seconds are user
and system of the whole process tree as the kernel counts them. The import, run before, between and
after the rest, is the unit: CPU seconds mean little on another machine, their ratio much. A busy
machine makes all of them dearer, though not evenly: run this on a quiet one.

Writes cpu.md and cpu.json to benchmarks/results/.
"""

import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import measure, report
from benchmarks.measure import Cost
from benchmarks.peer import PEER, run_peer
from pipeline.report.summary import Node, Summary

IMPORTS = 2  # imports of TensorFlow before, between and after the measured commands, each
MEMORY_LIMIT = 2000.0  # MB


@dataclass(frozen=True)
class Case:
    """A run to measure; `limit` is its target in imports, if it has one."""

    name: str
    config: str
    overrides: tuple[str, ...] = ()
    limit: float | None = None


CHANGED_KEY = "distiller.temperature=3.0"
SMOKE = (
    Case("(a) smoke, cold", "smoke", limit=11),
    Case("(b) smoke, fully cached", "smoke", limit=2.9),
    Case(f"(c) smoke, {CHANGED_KEY}", "smoke", (CHANGED_KEY,)),
)
CENSUS = (
    Case("(d) census (48,842 rows), cold", "census", limit=15),
    Case("(e) census, fully cached", "census", limit=2.9),
)


@dataclass(frozen=True)
class CaseResult:
    """A measured run.

    Attributes:
      imports: Its CPU seconds, divided by the median of all imports of the benchmark.
      imports_beside: The same, divided by the median of those just before and just after it.
      limit: Target in imports, if there is one.
      tree_peak_mb: Highest resident memory of the process tree, by its summary; None for the peer.
      nodes: By id, as in its summary.
    """

    name: str
    cost: Cost
    imports: float
    imports_beside: float
    limit: float | None = None
    tree_peak_mb: float | None = None
    nodes: dict[str, Node] = field(default_factory=dict)


def main() -> int:
    """Measures, prints and writes; 1 when that made no sense."""
    parser = report.parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="only (a) to (c)")
    parser.add_argument("--peer", action="store_true", help="TFX's taxi example, too")
    options = parser.parse_args()
    cases = SMOKE if options.quick else SMOKE + CENSUS

    def measured(scratch: Path) -> tuple[str, dict[str, Any]]:
        results, imports = measure_all(cases, options.peer, scratch)
        return tables(results, imports), {
            "import_tensorflow": {"cpu_seconds": imports, "median": statistics.median(imports)},
            "results": results,
            "targets": checks(results),
        }

    return report.run("benchmarks.cpu", "cpu", options.results, measured)


def measure_all(
    cases: Sequence[Case], peer: bool, scratch: Path
) -> tuple[list[CaseResult], list[float]]:
    """Runs all; results, and CPU seconds of each import of TensorFlow in the order of time."""
    import_tensorflow()  # brings files into memory: not counted
    imports = [import_tensorflow() for _ in range(IMPORTS)]
    measured: list[tuple[Case, Cost, Summary | None]] = []

    def note(case: Case, cost: Cost, summary: Summary | None) -> None:
        measured.append((case, cost, summary))
        measure.check_same_code(summary for _, _, summary in measured if summary)
        print(f"{case.name}: {cost.cpu_seconds:.1f} CPU s, {cost.seconds:.1f} s", file=sys.stderr)
        imports.extend(import_tensorflow() for _ in range(IMPORTS))

    for case in cases:
        note(case, *measure.run_pipeline(case.config, scratch / case.config, case.overrides))
    if peer:
        note(Case(PEER, ""), run_peer(scratch / "peer"), None)
    results = []
    for place, (case, cost, summary) in enumerate(measured):
        beside = imports[place * IMPORTS : (place + 2) * IMPORTS]
        result = CaseResult(
            name=case.name,
            cost=cost,
            imports=cost.cpu_seconds / statistics.median(imports),
            imports_beside=cost.cpu_seconds / statistics.median(beside),
            limit=case.limit,
            tree_peak_mb=summary.peak_rss_mb if summary else None,
            nodes=summary.nodes if summary else {},
        )
        results.append(result)
    return results, imports


def import_tensorflow() -> float:
    """CPU seconds of a Python that imports TensorFlow and ends."""
    return measure.run([sys.executable, "-c", "import tensorflow"]).cpu_seconds


def checks(results: Iterable[CaseResult]) -> list[report.Check]:
    """Targets: imports of each run that has one, and memory of all runs of the pipeline."""
    ours = [result for result in results if result.name != PEER]
    found = [
        report.at_most(f"{r.name}: imports", r.imports, r.limit)
        for r in ours
        if r.limit is not None
    ]
    peaks = [max(result.cost.peak_mb, result.tree_peak_mb or 0.0) for result in ours]
    return [*found, report.at_most("peak memory, MB", max(peaks), MEMORY_LIMIT)]


def tables(results: Sequence[CaseResult], imports: Sequence[float]) -> str:
    """Runs, targets and nodes as Markdown."""
    unit = (
        f"`import tensorflow`: {statistics.median(imports):.2f} CPU s, median of {len(imports)} "
        f"({min(imports):.2f} to {max(imports):.2f}).\n"
    )
    header = ("run", "CPU s", "imports", "by those beside it", "s", "peak MB", "nodes that ran")
    rows = [
        (
            r.name,
            f"{r.cost.cpu_seconds:.1f}",
            f"{r.imports:.1f}",
            f"{r.imports_beside:.1f}",
            f"{r.cost.seconds:.1f}",
            f"{max(r.cost.peak_mb, r.tree_peak_mb or 0.0):.0f}",
            f"{sum(n.state == 'RAN' for n in r.nodes.values())} of {len(r.nodes)}"
            if r.nodes
            else "",
        )
        for r in results
    ]
    parts = [unit, report.table(header, rows), report.checks_table(checks(results)), nodes(results)]
    return "\n".join(parts)


def nodes(results: Iterable[CaseResult]) -> str:
    """CPU seconds of each node of each run that has nodes, and of what is around them."""
    runs = [result for result in results if result.nodes]
    names = list(dict.fromkeys(node for result in runs for node in result.nodes))
    rows = [
        (name, *(f"{r.nodes[name].cpu_seconds:.2f}" if name in r.nodes else "" for r in runs))
        for name in names
    ]
    around = [r.cost.cpu_seconds - sum(node.cpu_seconds for node in r.nodes.values()) for r in runs]
    rows.append(("imports, staging and bookkeeping", *(f"{seconds:.2f}" for seconds in around)))
    header = ("CPU s by node", *(result.name for result in runs))
    return report.table(header, rows)


if __name__ == "__main__":
    sys.exit(main())
