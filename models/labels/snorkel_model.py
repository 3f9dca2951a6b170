"""Snorkel's label model (Ratner et al., Training Complex Models with Multi-Task Weak Supervision,
AAAI 2019): from agreement and disagreement alone it learns how far each function can be trusted.
"""

import contextlib
import inspect
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.sections.labeling import LabelTuning
from models.labels.votes import Counts, Floats, Votes

MU_EPS = 0.01  # smallest P(vote | class): no function is infallible


@dataclass(frozen=True)
class Training:
    """How to train it.

    Attributes:
      learning_rate: Of gradient descent with momentum.
      l2: Weight decay, and pull of the estimates towards their start.
      epochs: Steps.
      prec_init: Accuracy of every function at the start.
    """

    learning_rate: float = 0.01
    l2: float = 0.0
    epochs: int = 500
    prec_init: float = 0.7


def grid(first: Training, tuning: LabelTuning) -> list[Training]:
    """`first`, and it with each of the values of `tuning` in turn."""
    changed = [replace(first, **{name: value}) for name, values in tuning for value in values]
    return list(dict.fromkeys([first, *changed]))


class _Momentum:
    """Gradient descent with momentum, as Snorkel takes it from torch.optim by default.

    Making any optimizer of torch.optim imports torch's compiler, which costs more than the fit.
    """

    def __init__(
        self, parameters: Iterable[Any], learning_rate: float, momentum: float, decay: float
    ) -> None:
        self.parameters = [(parameter, parameter.data * 0) for parameter in parameters]
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.decay = decay

    def zero_grad(self) -> None:
        for parameter, _ in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        for parameter, velocity in self.parameters:
            gradient = parameter.grad + self.decay * parameter.data
            velocity.mul_(self.momentum).add_(gradient)
            parameter.data.sub_(velocity, alpha=self.learning_rate)


@contextlib.contextmanager
def _modules_by_name() -> Iterator[None]:
    """Makes `inspect.getmodule` find the module of a frame by the name that the frame has.

    PyTorch asks where its operators are defined while it is imported. Python answers by the path of
    each module that is loaded, and in a run thousands are.
    """
    search = inspect.getmodule

    def getmodule(object: Any, _filename: str | None = None) -> ModuleType | None:
        named = object.f_globals.get("__name__") if inspect.isframe(object) else None
        return sys.modules.get(named) if named else search(object, _filename)

    inspect.getmodule = getmodule
    try:
        yield
    finally:
        inspect.getmodule = search


def fit(vectors: Votes, counts: Counts, balance: Floats, training: Training, seed: int) -> Any:
    """Snorkel's LabelModel, fitted on distinct vote vectors that count several times.

    `balance`: float64 [classes], the share of each.

    PyTorch is imported here: only a run in weak mode pays for it.
    """
    with _modules_by_name():
        import torch  # loads PyTorch
        from snorkel.labeling.model import LabelModel  # loads PyTorch

    class CountedLabelModel(LabelModel):
        """Its fit reads the votes only through the two statistics of _generate_O."""

        def _generate_O(self, L: NDArray[np.int64], higher_order: bool = False) -> None:  # noqa: N802, N803
            indicators = self._get_augmented_label_matrix(L, higher_order=higher_order)
            share = counts / counts.sum()
            self.d = indicators.shape[1]
            self.O = torch.from_numpy((indicators.T * share) @ indicators).float()
            self.coverage = share @ (L > 0)

        def _set_optimizer(self) -> None:
            momentum = self.train_config.optimizer_config.sgd_config.momentum
            config = self.train_config
            self.optimizer = _Momentum(self.parameters(), config.lr, momentum, config.l2)

    model = CountedLabelModel(cardinality=len(balance), verbose=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are tiny: threads would only wait for each other
    try:
        model.fit(
            vectors.astype(np.int64),
            class_balance=balance.tolist(),
            n_epochs=training.epochs,
            lr=training.learning_rate,
            l2=training.l2,
            prec_init=training.prec_init,
            seed=seed,
            mu_eps=MU_EPS,
            progress_bar=False,
        )
    finally:
        torch.set_num_threads(threads)
    return model
