"""What was found, and its tables."""

import statistics
from collections.abc import Sequence

from benchmarks import report
from benchmarks.report import Check, at_least
from core.sections.section import Section

_MARGIN = 0.005


class Found(Section):
    """One search on one table.

    Attributes:
      strategy: `tuner.search`.
      seed: Of the search.
      rows: Of train, eval and test.
      seconds: That it took, with the comparison.
      is_default: Whether no trial was better than the default.
      taken: Whether the best trial's values were taken, because it is better beyond chance.
      reason: In words.
      best: Values of the best trial.
      in_every_training: Whether it had the lower evaluation loss in each training of the search's
        own comparison.
      difference: Evaluation loss of the best minus the default's, mean of these.
      eval_auc: Of `best` and `default`, trained anew with seeds that the search did not see.
      test_auc: The same on rows that nothing was chosen by.
    """

    strategy: str
    seed: int
    rows: list[int]
    seconds: float
    is_default: bool
    taken: bool
    reason: str
    best: dict[str, object]
    in_every_training: bool
    difference: float
    eval_auc: dict[str, float]
    test_auc: dict[str, float]

    @property
    def chosen_test_auc(self) -> float:
        """On test, of what the search took."""
        return self.test_auc["best" if self.taken else "default"]


def tables(found: dict[str, list[Found]]) -> tuple[str, list[Check]]:
    """A row for each table and strategy, and what is asked of the search."""
    rows, checks = [], []
    for table, of_table in found.items():
        for strategy in dict.fromkeys(each.strategy for each in of_table):
            runs = [each for each in of_table if each.strategy == strategy]
            rows.append(_row(table, strategy, runs))
            default = statistics.fmean(run.test_auc["default"] for run in runs)
            chosen = statistics.fmean(run.chosen_test_auc for run in runs)
            asked = f"{table}, {strategy}: test AUC of what was taken, no worse than the default"
            checks.append(at_least(asked, chosen, default - _MARGIN))
            better = [run.in_every_training or run.is_default for run in runs]
            asked = f"{table}, {strategy}: seeds in which no best trial has a higher loss"
            checks.append(at_least(asked, sum(better), len(runs)))
    header = (
        "table", "strategy", "eval / test rows", "seconds", "eval loss: best - default",
        "eval AUC: default", "best", "test AUC: default", "best", "taken", "beyond chance",
    )  # fmt: skip
    return f"{report.table(header, rows)}\n{report.checks_table(checks)}", checks


def _row(table: str, strategy: str, runs: Sequence[Found]) -> tuple[str, ...]:
    def cells(values: Sequence[float], form: str = ".4f") -> str:
        return report.with_deviation(values, form)

    return (
        table,
        strategy,
        f"{runs[0].rows[1]:,} / {runs[0].rows[2]:,}",
        cells([run.seconds for run in runs], ".0f"),
        cells([run.difference for run in runs], "+.4f"),
        cells([run.eval_auc["default"] for run in runs]),
        cells([run.eval_auc["best"] for run in runs]),
        cells([run.test_auc["default"] for run in runs]),
        cells([run.test_auc["best"] for run in runs]),
        cells([run.chosen_test_auc for run in runs]),
        f"{sum(run.taken for run in runs)} of {len(runs)} seeds",
    )
