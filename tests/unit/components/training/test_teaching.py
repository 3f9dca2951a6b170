"""The teacher trained once more on all rows, with a penalty that holds there too."""

import numpy as np
import pytest
import tf_keras

from components.training.teaching import Alike, teach
from core.sections.fairness import Mitigation
from core.sections.training import TrainerSection
from models.compression.goals import measured_sparsity
from models.compression.pruning import PruningLimit
from models.network.mitigation import grouped
from models.network.network import answers_of, build_network
from models.network.training import Plan
from tests.support.tiny_nodes import TRAINER
from tests.support.tiny_rows import ARCHITECTURE, INPUTS, two_groups

TOLD = Mitigation(
    mitigation="min_diff",
    column="sex",
    rate="tpr",
    loss="rate",
    strength="auto",
    epochs=4,
    min_group_rows=20,
)


def test_training_again_on_all_rows_keeps_the_rates_alike() -> None:
    (train, of_train), (evaluation, of_eval) = two_groups(4000, 1), two_groups(4000, 2)
    groups = grouped(TOLD, (train, evaluation), (of_train, of_eval))
    section = TrainerSection.model_validate({**TRAINER, "hidden_units": (8,)})
    plan = Plan(8, 64, 0.005, seed=1, patience=2)
    tf_keras.utils.set_random_seed(1)
    taught = teach(
        build_network(INPUTS, ARCHITECTURE, "teacher"),
        (groups.train, groups.evaluation),
        plan,
        section,
        PruningLimit({}, groups.evaluation),
        Alike(groups, groups.penalty(1)),
        warm=False,
        again=True,
    )
    assert taught.before["gap"] > 0.05
    assert groups.rates(taught.start)["gap"] == taught.before["gap"]
    for network in (taught.teacher, taught.pruned):
        assert groups.rates(network)["gap"] < taught.before["gap"] / 2
    assert measured_sparsity(taught.pruned) > 0.45
    for network in taught.unseen.values():
        assert groups.rates(network)["gap"] < taught.before["gap"] / 2


@pytest.mark.parametrize("again", [False, True])
def test_networks_from_before_the_eval_rows_do_not_go_by_them(again: bool) -> None:
    train, evaluation = two_groups(600, 1)[0], two_groups(600, 2)[0]
    section = TrainerSection.model_validate({**TRAINER, "hidden_units": (8,)})
    found = []
    for given in (again, False):
        tf_keras.utils.set_random_seed(1)
        found.append(
            teach(
                build_network(INPUTS, ARCHITECTURE, "teacher"),
                (train, evaluation),
                Plan(2, 64, 0.005, seed=1, patience=2),
                section,
                PruningLimit({}, evaluation),
                Alike(None, None),
                warm=False,
                again=given,
            )
        )
    taught, plain = found
    for name, network in (("teacher", taught.teacher), ("teacher_pruned", taught.pruned)):
        answers = answers_of(taught.unseen[name], evaluation)
        np.testing.assert_array_equal(answers, answers_of(plain.unseen[name], evaluation))
        assert np.array_equal(answers, answers_of(network, evaluation)) != again
    assert len(taught.pruning.history["loss"]) == section.pruning_epochs
    assert len(taught.pruning.history["val_loss"]) == (0 if again else section.pruning_epochs)
