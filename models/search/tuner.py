"""The search for hyperparameters with KerasTuner: its trials, its budget and its choice."""

import dataclasses
import time
from typing import Any

import keras_tuner
import numpy as np

from core.sections.training import Hyperparameters, TunerSection
from models.network.preprocessing import ModelInputs
from models.network.rows import Rows
from models.network.training import Plan
from models.search.choice import BestAgainstDefault, Pair, compared
from models.search.oracles import BEFORE, EPOCHS, FROM, OBJECTIVE, next_round, oracle_of
from models.search.processes import Runner, runner_for
from models.search.trials import NOT_BEGUN, SearchRows, TrialOutcome, TrialTask
from models.search.values import of_trial

_FOR_TRIALS = 2 / 3
"""Share of tuner.seconds in which trials may run; the rest is for the comparison."""
_CHANCE = "that the best trial is better than the default may be chance"


@dataclasses.dataclass(frozen=True)
class TrialChoice:
    """What a search comes to.

    Attributes:
      best: Trial of the lowest evaluation loss.
      taken: The trial whose values are taken.
      reason: Why, in words.
      comparison: Of the best with the default; None where there was nothing to compare.
    """

    best: str
    taken: str
    reason: str
    comparison: BestAgainstDefault | None = None


class NetworkTuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains a network for each trial; the objective is its weighted evaluation loss.

    The trial of the lowest loss is compared with the default, and taken if it is better beyond
    chance. A search in which no trial was completed fails: KerasTuner alone returns as if nothing
    had happened.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        defaults: Hyperparameters,
        section: TunerSection,
        full: Plan,
        directory: str,
    ) -> None:
        """Prepares the search.

        Args:
          inputs: Widths of the features.
          defaults: What is tried first.
          section: Strategy and budget.
          full: How the Trainer will fit, but for the learning rate; its seed is that of the search.
          directory: Where KerasTuner keeps its files.
        """
        oracle = oracle_of(section, defaults, inputs, full.seed)
        super().__init__(oracle, directory=directory, project_name="search", overwrite=True)
        self._inputs = inputs
        self._section = section
        self._full = full
        self._outcomes: dict[str, TrialOutcome] = {}
        self._choice: TrialChoice | None = None
        self._seconds = 0.0

    def search(self, train: Rows, evaluation: Rows) -> None:
        """Runs the trials, then compares the best with the default.

        Args:
          train: Rows to learn from.
          evaluation: Rows by which trials are judged.

        Raises:
          RuntimeError: All trials failed.
        """
        started, seconds = time.monotonic(), self._section.seconds
        rows = SearchRows(self._inputs, train, evaluation)
        runner = runner_for(rows, self._section.processes)
        try:
            end = None if seconds is None else started + _FOR_TRIALS * seconds
            while self._goes_on(end) and (trials := next_round(self.oracle)):
                tasks = [self._task(trial, end) for trial in trials]
                for trial, outcome in zip(trials, runner.run(tasks), strict=True):
                    self._note(trial, outcome)
            self._fail_without_trials()
            end = None if seconds is None else started + seconds
            self._choice = self._chosen(runner, evaluation, end)
        finally:
            runner.close()
        self._seconds = time.monotonic() - started

    def _goes_on(self, end: float | None) -> bool:
        return not self._outcomes or end is None or time.monotonic() < end

    def _task(self, trial: Any, deadline: float | None) -> TrialTask:
        values = trial.hyperparameters.values
        section, earlier = self._section, self._outcomes.get(values.get(FROM, ""))
        epochs = values.get(EPOCHS, section.epochs) - values.get(BEFORE, 0)
        own = of_trial(values)
        # With the seed of what it goes on from the rows would come in the same order again.
        seed = self._full.seed + values.get(BEFORE, 0)
        plan = dataclasses.replace(
            self._full,
            epochs=epochs,
            learning_rate=own.learning_rate,
            seed=seed,
            patience=epochs if self._full.decay else section.patience,
        )
        return TrialTask(
            own,
            plan,
            start=earlier.weights if earlier else None,
            start_loss=earlier.loss if earlier else None,
            deadline=deadline,
            always=trial.trial_id == next(iter(self.oracle.trials)),
            keeps_weights=section.search == "hyperband",
            keeps_answers=True,
        )

    def _note(self, trial: Any, outcome: TrialOutcome) -> None:
        """Tells the oracle how a trial went."""
        self._outcomes[trial.trial_id] = outcome
        self._forget_answers()
        if outcome.loss is None:
            trial.status, trial.message = "FAILED", outcome.message
        else:
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE: outcome.loss})
            trial.status = "COMPLETED"
        self.oracle.end_trial(trial)

    def _forget_answers(self) -> None:
        """Keeps the answers of the default and of the lowest loss only."""
        done = {name: o for name, o in self._outcomes.items() if o.loss is not None}
        kept = {
            next(iter(self._outcomes)),
            min(done, key=lambda n: done[n].loss or 0.0, default=""),
        }
        for name in done.keys() - kept:
            if done[name].answers is not None:
                self._outcomes[name] = dataclasses.replace(done[name], answers=None)

    def _fail_without_trials(self) -> None:
        trials = list(self.oracle.trials.values())
        if not any(trial.status == "COMPLETED" for trial in trials):
            message = next((t.message for t in reversed(trials) if t.message), "no message")
            raise RuntimeError(f"all {len(trials)} trials of the tuner failed; the last: {message}")

    def _chosen(self, runner: Runner, evaluation: Rows, deadline: float | None) -> TrialChoice:
        """Compares the best trial with the first, which was the default."""
        first, *others = self.oracle.trials.values()
        best = self.oracle.get_best_trials()[0]
        if first.status != "COMPLETED":
            return TrialChoice(
                best.trial_id, best.trial_id, "the trial of the default values failed"
            )
        if of_trial(best.hyperparameters.values) == of_trial(first.hyperparameters.values):
            reason = "no trial had a lower evaluation loss than the default"
            return TrialChoice(best.trial_id, first.trial_id, reason)
        rows = evaluation.weighted()
        candidates = sum(trial.status == "COMPLETED" for trial in others)
        weight, codes = rows.weight[:, 0], rows.codes
        mine, other = (self._outcomes[t.trial_id].answers for t in (best, first))
        if mine and other:
            own = compared([Pair(self._full.seed, mine, other)], weight, codes, candidates)
            if own.high >= 0.0:
                reason = f"{_CHANCE}, by the trials themselves; the default stays: {own.figures}"
                return TrialChoice(best.trial_id, first.trial_id, reason, own)
        pairs, problem = self._pairs(runner, best, first, weight, deadline)
        if not pairs:
            reason = f"the best trial was not compared with the default, which stays: {problem}"
            return TrialChoice(best.trial_id, first.trial_id, reason)
        found = compared(pairs, weight, codes, candidates)
        if found.is_better:
            reason = f"better than the default beyond chance: {found.figures}"
            return TrialChoice(best.trial_id, best.trial_id, reason, found)
        why = _CHANCE if found.in_every_seed else "trained in full, the best trial is no better"
        reason = f"{why}; the default stays: {found.figures}"
        return TrialChoice(best.trial_id, first.trial_id, reason, found)

    def _pairs(
        self, runner: Runner, best: Any, first: Any, weight: np.ndarray, deadline: float | None
    ) -> tuple[list[Pair], str | None]:
        """Both trained in full, with other seeds than the trials'.

        Those that ended in time, and no more once the best had no lower loss: it is not taken then.
        The text says what went wrong with others.
        """
        pairs: list[Pair] = []
        for n in range(self._section.seeds):
            seed = self._full.seed + 1000 * (n + 1)
            values = [of_trial(trial.hyperparameters.values) for trial in (best, first)]
            plans = [
                dataclasses.replace(self._full, learning_rate=each.learning_rate, seed=seed)
                for each in values
            ]
            mine, other = runner.run(
                [
                    TrialTask(each, plan, deadline=deadline, keeps_answers=True)
                    for each, plan in zip(values, plans, strict=True)
                ]
            )
            if not (mine.in_time and other.in_time):
                return pairs, "tuner.seconds were over"
            if mine.answers is None or other.answers is None:
                return pairs, last_line(mine.message or other.message)
            pairs.append(Pair(seed, mine.answers, other.answers))
            if (weight * (mine.answers.losses - other.answers.losses)).mean() >= 0:
                break
        return pairs, None

    def get_best_hyperparameters(self, num_trials: int = 1) -> list[Any]:
        """The values that are taken, then those of other trials, the best first."""
        if self._choice is None:
            return list(super().get_best_hyperparameters(num_trials))
        taken = self.oracle.get_trial(self._choice.taken)
        others = [t for t in self.oracle.get_best_trials(len(self.oracle.trials)) if t is not taken]
        return [trial.hyperparameters for trial in [taken, *others][:num_trials]]

    def report(self) -> dict[str, Any]:
        """How the search went, for people; call it after the search."""
        assert self._choice is not None
        section, choice = self._section, self._choice
        begun = [t for t in self.oracle.trials.values() if self._outcomes[t.trial_id] != NOT_BEGUN]
        return {
            "search": section.search,
            "budget": {"trials": section.trials, "seconds": section.seconds},
            "seconds": self._seconds,
            "trials": [self._row(trial) for trial in begun],
            "default": next(iter(self.oracle.trials)),
            "best": choice.best,
            "taken": choice.taken,
            "reason": choice.reason,
            "comparison": choice.comparison and dataclasses.asdict(choice.comparison),
        }

    def _row(self, trial: Any) -> dict[str, Any]:
        outcome, values = self._outcomes[trial.trial_id], trial.hyperparameters.values
        state = "failed" if outcome.loss is None else "completed"
        return {
            "trial": trial.trial_id,
            "state": state if outcome.in_time else "out of time",
            "loss": outcome.loss,
            "epochs": outcome.epochs + values.get(BEFORE, 0),
            "seconds": outcome.seconds,
            "from": values.get(FROM),
            "why": last_line(outcome.message),
            "values": {n: value for n, value in values.items() if not n.startswith("tuner/")},
        }

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints nothing: the results are an artifact."""

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints nothing: the results are an artifact."""


def last_line(message: str | None) -> str | None:
    """What a traceback ends with."""
    return message.strip().splitlines()[-1] if message else None
