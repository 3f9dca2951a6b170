"""Labels that are wrong in one class, or in one group, of rows that a calibrated model knows."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.retraining.judged_rows import Judged
from pipeline.retraining.label_shares import LabelBounds, shifted

BOUNDS = LabelBounds(200, 0.1, 0.02, ("no", "yes"))


def rows(count: int, seed: int) -> Judged:
    """Rows that are positive with the probability that the model gives them."""
    draw = np.random.default_rng(seed)
    probabilities = draw.beta(0.5, 1.5, count)
    women = draw.random(count) < 0.33
    slices = {"sex=Female": women, "sex=Male": ~women}
    positive = draw.random(count) < probabilities
    return Judged(positive.astype(int), probabilities, slices)


def flipped(judged: Judged, which: NDArray[np.bool_], share: float) -> Judged:
    turned = which & (np.random.default_rng(0).random(judged.count) < share)
    return replace(judged, codes=judged.codes ^ turned)


REFERENCES = [rows(3600, 1), rows(4000, 2)]


def test_clean_labels_are_as_expected() -> None:
    alarms = [bool(shifted(rows(1800, seed), REFERENCES, BOUNDS)) for seed in range(100, 400)]
    assert sum(alarms) <= 6


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("label", [True, False])
def test_labels_wrong_in_one_class_are_found(label: bool, share: float) -> None:
    clean = rows(1800, 5)
    found = shifted(flipped(clean, clean.codes == label, share), REFERENCES, BOUNDS)
    assert found
    wrong = found[0]
    assert wrong.size > max(wrong.half_width, 0.02)


def test_labels_wrong_in_one_group_name_it() -> None:
    clean = rows(5000, 5)
    women = clean.slices["sex=Female"]
    [worst, *_] = shifted(flipped(clean, (clean.codes == 1) & women, 0.5), REFERENCES, BOUNDS)
    assert (worst.where, worst.decided) == ("sex=Female", "yes")
    assert worst.share == pytest.approx(worst.expected / 2, abs=0.05)
    assert str(worst).startswith(
        f"of {worst.rows} rows with sex=Female that the model takes for yes"
    )


def test_a_few_wrong_labels_of_a_group_are_found_in_its_share() -> None:
    clean = rows(5000, 8)
    women = clean.slices["sex=Female"]
    found = shifted(flipped(clean, (clean.codes == 1) & women, 0.25), REFERENCES, BOUNDS)
    assert "sex=Male" not in {shift.where for shift in found}
    [share] = [s for s in found if (s.where, s.decided) == ("sex=Female", None)]
    assert str(share).startswith(f"of {women.sum()} rows with sex=Female, ")
    assert "are labelled yes" in str(share)


def test_an_exchange_that_keeps_the_share_of_the_class_is_found() -> None:
    clean = rows(1800, 5)
    positive, negative = np.flatnonzero(clean.codes == 1), np.flatnonzero(clean.codes == 0)
    labels = clean.codes.copy()
    labels[positive[::3]], labels[negative[: len(positive[::3])]] = 0, 1
    assert labels.sum() == clean.codes.sum()
    assert shifted(replace(clean, codes=labels), REFERENCES, BOUNDS)


def test_what_changed_before_is_no_fault_of_the_new_span() -> None:
    def later(judged: Judged) -> Judged:
        return flipped(judged, judged.codes == 1, 0.4)

    changed = later(rows(1800, 5))
    assert shifted(changed, REFERENCES, BOUNDS)
    assert not shifted(changed, [later(rows(3600, 6)), REFERENCES[1]], BOUNDS)


def test_a_model_that_is_off_is_allowed_for() -> None:
    def off(judged: Judged) -> Judged:
        return replace(judged, probabilities=np.clip(judged.probabilities * 1.3, 0, 1))

    assert not shifted(off(rows(1800, 7)), [off(one) for one in REFERENCES], BOUNDS)


def test_too_few_rows_say_nothing() -> None:
    wrong = flipped(rows(10, 5), np.ones(10, bool), 1.0)
    assert not shifted(wrong, REFERENCES, BOUNDS)
    assert not shifted(rows(1800, 5), [rows(100, 1)], BOUNDS)


CLASSES = ("small bag", "b=o,x", "Crate[1]")
OF_THREE = LabelBounds(200, 0.1, 0.02, CLASSES)


def rows_of_three(count: int, seed: int) -> Judged:
    """Rows whose class is drawn by the shares that the model gives them."""
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet([0.6, 0.3, 0.2], count)
    codes = (shares.cumsum(axis=1) < draw.random(count)[:, None]).sum(axis=1)
    women = draw.random(count) < 0.33
    return Judged(np.minimum(codes, 2), shares, {"sex=Female": women, "sex=Male": ~women})


def test_clean_labels_of_three_classes_are_as_expected() -> None:
    known = [rows_of_three(3600, 1), rows_of_three(4000, 2)]
    alarms = [bool(shifted(rows_of_three(1800, n), known, OF_THREE)) for n in range(100, 300)]
    assert sum(alarms) <= 4


@pytest.mark.parametrize("code", [0, 1, 2])
def test_labels_wrong_in_one_of_three_classes_name_it(code: int) -> None:
    known = [rows_of_three(3600, 1), rows_of_three(4000, 2)]
    clean = rows_of_three(3000, 5)
    wrong = (clean.codes == code) & (np.random.default_rng(0).random(3000) < 0.5)
    found = shifted(
        replace(clean, codes=np.where(wrong, (code + 1) % 3, clean.codes)), known, OF_THREE
    )
    assert (found[0].decided, found[0].labelled) == (CLASSES[code], CLASSES[code])
    assert f"that the model takes for {CLASSES[code]}, " in str(found[0])
    everywhere = {s.labelled for s in found if s.decided is None and s.where == "overall"}
    assert {CLASSES[code], CLASSES[(code + 1) % 3]} <= everywhere
