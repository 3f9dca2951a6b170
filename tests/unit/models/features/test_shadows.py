"""When noise is said to hurt."""

import numpy as np
import pytest

from models.features.shadows import Gain, Noise


@pytest.mark.parametrize(
    ("linear", "trees", "hurts"),
    [
        ((0.4, 0.03), (0.004, 0.003), True),
        ((0.02, 0.01), (0.004, 0.003), False),  # not clearly
        ((0.4, 0.03), (-0.004, 0.003), True),  # little beside what is gained
        ((0.02, 0.005), (-0.004, 0.003), False),
        ((-0.001, 0.002), (0.1, 0.01), True),  # by chance
        ((-0.02, 0.004), (0.1, 0.01), False),
    ],
)
def test_one_model_is_clearly_better_and_the_other_no_worse(
    linear: tuple[float, float], trees: tuple[float, float], hurts: bool
) -> None:
    gains = Gain("logistic regression", *linear), Gain("boosted trees", *trees)
    none = np.zeros(2)
    assert Noise(none, none.astype(bool), gains).hurts == hurts
    assert not Noise(none, none.astype(bool), ()).hurts
