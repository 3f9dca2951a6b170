"""Explanations on the census: what the node costs, whether attributions add up, counterfactuals.

    make benchmark BENCHMARK=explain                          # one run, 500 rows for each target
    make benchmark BENCHMARK=explain ARGS="--rows 200 --root DIR"  # the run is kept in DIR

Runs the DAG once in gold mode; seconds and attributions are those of its summary and of its
explanation.json. Counterfactuals are looked for as `explain` does it, for test rows of the staged
data that a target's pushed model decides negatively, by sets of columns that may be changed; each
is asked again of a model that is loaded anew. `possible` is the share of the rows for which any
combination of the same values changes the decision: all of them are tried.

Writes explain.md and explain.json to benchmarks/results/.
"""

import sys
from pathlib import Path

from benchmarks import report
from benchmarks.explain.study import measured


def main() -> int:
    """Measures, prints and writes; 1 when a run failed."""
    parser = report.parser(__doc__)
    parser.add_argument("--rows", type=int, default=500, help="refused rows for each target")
    parser.add_argument("--root", type=Path, help="where the run is kept")
    options = parser.parse_args()
    return report.run(
        "benchmarks.explain", "explain", options.results, lambda scratch: measured(options, scratch)
    )


if __name__ == "__main__":
    sys.exit(main())
