"""Label model, its correction on gold rows, and its report."""

import numpy as np
import pytest
from sklearn import metrics
from snorkel.labeling import LFAnalysis
from snorkel.labeling.model import LabelModel

from core.errors import InputError
from core.intervals import Z, auc_interval
from core.sections.labeling import LabelFitting, LabelTuning
from models.labels import (
    label_model,
    snorkel_model,
)
from models.labels import (
    report as label_report,
)
from models.labels import (
    scores as label_scores,
)
from models.labels.combiner import ASSUMED_ACCURACY, combine, log_odds, ridge_logit, temper
from models.labels.snorkel_model import Training
from models.labels.votes import ABSTAIN, NEGATIVE, POSITIVE, Gold, distinct, merge

ACCURACIES = [0.95, 0.85, 0.8, 0.75, 0.7]
Problem = tuple[np.ndarray, np.ndarray, np.ndarray]  # votes, labels, indices of gold rows
NAMES = ["a", "b", "c", "d", "e"]
OF_VOTES = label_model.PREFERENCE[1:]  # the first looks at columns


def tuning(**tried: tuple[float, ...]) -> LabelTuning:
    nothing: dict[str, tuple[float, ...]] = dict.fromkeys(LabelTuning.model_fields, ())
    return LabelTuning.model_validate(nothing | tried)


NOTHING = tuning()


def how(epochs: int, method: str = "auto", tuning: LabelTuning = NOTHING) -> LabelFitting:
    return LabelFitting.model_validate({"method": method, "epochs": epochs, "tuning": tuning})


def draw(rows: int, seed: int, coverage: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Labels, 30 % positive, and votes of independent functions with known accuracies."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(rows) < 0.3).astype(np.int8)
    right = rng.random((rows, len(ACCURACIES))) < ACCURACIES
    votes = np.where(right, labels[:, None], 1 - labels[:, None])
    votes[rng.random(votes.shape) > coverage] = ABSTAIN
    return votes.astype(np.int8), labels


@pytest.fixture(scope="module")
def problem() -> Problem:
    votes, labels = draw(4000, seed=7)
    return votes, labels, np.arange(200)


def fit(votes: np.ndarray, labels: np.ndarray, gold: np.ndarray) -> label_model.Fitted:
    vectors, counts, _ = distinct(votes)
    return label_model.fit(vectors, counts, Gold(votes[gold], labels[gold]), NAMES, how(300), 1)


def test_distinct_vectors_stand_for_all_rows() -> None:
    votes = np.array([[1, -1], [0, 1], [1, -1]], dtype=np.int8)
    vectors, counts, vector_of_row = distinct(votes)
    np.testing.assert_array_equal(vectors[vector_of_row], votes)
    assert counts.sum() == 3
    assert len(vectors) == 2


@pytest.mark.parametrize(("rows", "functions", "vectors"), [(0, 3, 0), (4, 0, 1), (0, 0, 0)])
def test_distinct_without_rows_or_functions(rows: int, functions: int, vectors: int) -> None:
    votes = np.empty((rows, functions), dtype=np.int8)
    found, counts, vector_of_row = distinct(votes)
    assert found.shape == (vectors, functions)
    assert counts.sum() == rows
    assert vector_of_row.shape == (rows,)


def test_merging_parts_is_counting_together() -> None:
    votes, _ = draw(300, seed=3)
    vectors, counts, _ = distinct(votes)
    parts = [distinct(part)[:2] for part in (votes[:100], votes[100:])]
    merged_vectors, merged_counts = merge(parts)
    np.testing.assert_array_equal(merged_vectors, vectors)
    np.testing.assert_array_equal(merged_counts, counts)


def test_probabilities_rank_and_are_calibrated(problem: Problem) -> None:
    votes, labels, gold = problem
    fitted = fit(votes, labels, gold)
    probability = fitted.probability[distinct(votes)[2]]
    assert abs(probability.mean() - labels.mean()) < 0.05
    assert ((probability >= 0.5) == labels).mean() > 0.88
    assert abs(fitted.accuracy_on_gold - ((probability >= 0.5) == labels).mean()) < 0.05
    assert np.argmax(fitted.weight) == 0


def test_same_seed_same_labels(problem: Problem) -> None:
    np.testing.assert_array_equal(fit(*problem).probability, fit(*problem).probability)


def test_counted_vectors_give_what_snorkel_gives_on_rows(problem: Problem) -> None:
    votes, _, _ = problem
    vectors, counts, _ = distinct(votes)
    training = Training(learning_rate=0.02, l2=0.1, epochs=200, prec_init=0.8)
    ours = snorkel_model.fit(vectors, counts, np.array([0.7, 0.3]), training, seed=5)
    theirs = LabelModel(cardinality=2, verbose=False)
    theirs.fit(
        votes.astype(int),
        class_balance=[0.7, 0.3],
        n_epochs=200,
        seed=5,
        lr=0.02,
        l2=0.1,
        prec_init=0.8,
        mu_eps=snorkel_model.MU_EPS,
        progress_bar=False,
    )
    np.testing.assert_allclose(ours.get_weights(), theirs.get_weights(), atol=1e-5)
    np.testing.assert_allclose(
        ours.predict_proba(vectors.astype(int)),
        theirs.predict_proba(vectors.astype(int)),
        atol=1e-4,
    )


def test_correction_tempers_functions_that_repeat_each_other() -> None:
    votes, labels = draw(4000, seed=11, coverage=1.0)
    votes[:, 1:4] = votes[:, [4]]  # four times the weakest vote
    vectors, counts, vector_of_row = distinct(votes)
    gold = Gold(votes[:200], labels[:200])
    fitted = label_model.fit(vectors, counts, gold, NAMES, how(300), 1)
    raw = snorkel_model.fit(vectors, counts, np.array([0.7, 0.3]), Training(epochs=300), seed=1)
    probability = raw.predict_proba(vectors.astype(int))[:, POSITIVE]

    def loss(p: np.ndarray) -> float:
        p = np.clip(p[vector_of_row], 1e-6, 1 - 1e-6)
        return float(-np.mean(np.where(labels == 1, np.log(p), np.log(1 - p))))

    assert loss(fitted.probability) < 0.6 * loss(probability)


def test_function_that_never_votes_has_no_weight(problem: Problem) -> None:
    votes, labels, gold = problem
    votes = votes.copy()
    votes[:, 2] = ABSTAIN
    fitted = fit(votes, labels, gold)
    assert np.isnan(fitted.weight).tolist() == [False, False, True, False, False]
    assert np.isfinite(fitted.probability).all()


@pytest.mark.parametrize("voting", [1, 2])
def test_few_functions_are_judged_by_the_gold_rows_alone(problem: Problem, voting: int) -> None:
    votes, labels, gold = problem
    votes = votes.copy()
    votes[:, voting:] = ABSTAIN
    fitted = fit(votes, labels, gold)
    vectors, _, vector_of_row = distinct(votes)
    assert np.isnan(fitted.weight).all()
    for n in np.flatnonzero((vectors[:, :voting] != ABSTAIN).sum(axis=1) == 1):
        rows = vector_of_row == n  # accurate functions: one vote moves the label to the truth
        assert fitted.probability[n] == pytest.approx(labels[rows].mean(), abs=0.15)
    turned = fit(np.where(votes == ABSTAIN, votes, 1 - votes).astype(np.int8), labels, gold)
    both = np.array([turned.probability.min(), turned.probability.max()])
    limits = [fitted.probability.min(), fitted.probability.max()]
    np.testing.assert_allclose(both, limits, atol=0.12)


def test_no_function_votes(problem: Problem) -> None:
    votes, labels, gold = problem
    with pytest.raises(InputError, match="none of 5 labelling functions votes on any row"):
        fit(np.full_like(votes, ABSTAIN), labels, gold)


def test_gold_rows_of_one_class(problem: Problem) -> None:
    votes, labels, _ = problem
    with pytest.raises(InputError, match=r"none of 50 gold rows has the class 'positive'"):
        fit(votes, labels, np.flatnonzero(labels == NEGATIVE)[:50])


def test_combiner_is_a_majority_vote_without_evidence() -> None:
    gold = Gold(np.full((2, 3), ABSTAIN, dtype=np.int8), np.array([0, 1], dtype=np.int8))
    votes = np.array([[1, 1, 0], [1, 0, ABSTAIN], [ABSTAIN, 0, 0]], dtype=np.int8)
    lead = log_odds(np.array(ASSUMED_ACCURACY)) * np.array([1, 0, -2])
    np.testing.assert_allclose(combine(gold, votes), 1 / (1 + np.exp(-lead)), atol=1e-6)


def test_ridge_is_at_the_minimum_even_from_a_poor_start() -> None:
    rng = np.random.default_rng(0)
    design = np.hstack([np.ones((60, 1)), 20 * rng.normal(size=(60, 1)), rng.normal(size=(60, 2))])
    labels = (rng.random(60) < 0.5).astype(np.int8)
    target, penalty = np.array([0, 1.0, 0, 0]), np.array([1e-3, 1, 1, 1])
    of_classes = np.stack([np.zeros_like(design), design], axis=1)
    coefficients = ridge_logit(of_classes, labels, target, penalty)
    probability = 1 / (1 + np.exp(-design @ coefficients))
    gradient = design.T @ (probability - labels) + penalty * (coefficients - target)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)


def test_tempering_mends_what_is_too_sure_and_keeps_the_decisions() -> None:
    rng = np.random.default_rng(0)
    scores = 2 * rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-scores))).astype(np.int8)
    too_sure = 1 / (1 + np.exp(-3 * scores))
    tempered = temper(too_sure[:400], labels[:400], too_sure)
    assert ((tempered > 0.5) == (too_sure > 0.5)).all()
    factor = log_odds(tempered[0:1]) / log_odds(too_sure[0:1])
    assert factor == pytest.approx(1 / 3, abs=0.07)


def test_every_method_is_scored_on_rows_it_did_not_see(problem: Problem) -> None:
    votes, labels, gold = problem
    fitted = fit(votes, labels, gold)
    assert list(fitted.scores) == list(OF_VOTES)
    for name, score in fitted.scores.items():
        for value, (low, high) in (
            (score.log_loss, score.log_loss_interval),
            (score.accuracy, score.accuracy_interval or (1, 0)),
            (score.auc, score.auc_interval),
        ):
            assert 0 <= low < value < high, name
    assert fitted.accuracy_on_gold == fitted.scores[fitted.method].accuracy
    assert fitted.reason
    majority = (votes[gold] == 1).sum(axis=1) > (votes[gold] == 0).sum(axis=1)
    right = np.mean(majority == (labels[gold] == 1))
    assert fitted.scores["majority_vote"].accuracy == pytest.approx(right)


def test_a_method_can_be_asked_for(problem: Problem) -> None:
    votes, labels, gold = problem
    vectors, counts, _ = distinct(votes)
    rows = Gold(votes[gold], labels[gold])
    found = {
        name: label_model.fit(vectors, counts, rows, NAMES, how(100, name), 1) for name in OF_VOTES
    }
    assert {name: fitted.method for name, fitted in found.items()} == {n: n for n in found}
    both = found["label_model"].probability + found["combiner"].probability
    np.testing.assert_allclose(found["average"].probability, both / 2)
    two = votes.copy()
    two[:, 2:] = ABSTAIN
    vectors, counts, _ = distinct(two)
    rows = Gold(two[gold], labels[gold])
    with pytest.raises(InputError, match=r"labeling.method=average: needs 3 functions that vote"):
        label_model.fit(vectors, counts, rows, NAMES, how(100, "average"), 1)
    with pytest.raises(InputError, match=r"votes_and_columns: needs a column whose values rows"):
        label_model.fit(vectors, counts, rows, NAMES, how(100, "votes_and_columns"), 1)


def test_another_candidate_must_be_better_beyond_chance() -> None:
    rng = np.random.default_rng(0)
    first = rng.gamma(1.0, 0.4, size=100)
    slightly = first - 0.01 + 0.2 * rng.normal(size=100)
    clearly = first - 0.10 + 0.2 * rng.normal(size=100)
    assert slightly.mean() < first.mean()
    assert label_scores.best([first, slightly]) == 0
    assert label_scores.best([first, slightly, clearly]) == 2
    assert label_scores.best([clearly, first]) == 0


def test_training_is_tuned_only_where_gold_rows_show_it(problem: Problem) -> None:
    votes, labels, gold = problem
    vectors, counts, _ = distinct(votes)
    rows = Gold(votes[gold], labels[gold])
    turned = tuning(prec_init=(0.05,))  # takes every function for one that is wrong
    fitted = label_model.fit(vectors, counts, rows, NAMES, how(300, tuning=turned), 1)
    assert [trial.training.prec_init for trial in fitted.trials] == [0.7, 0.05]
    assert [trial.chosen for trial in fitted.trials] == [True, False]
    same = tuning(learning_rate=(0.011,), prec_init=(0.7,))
    fitted = label_model.fit(vectors, counts, rows, NAMES, how(300, tuning=same), 1)
    assert [trial.chosen for trial in fitted.trials] == [True, False]


def test_scores_are_those_of_scikit_learn() -> None:
    labels = np.array([0, 0, 1, 1, 1, 0], dtype=np.int8)
    probability = np.array([0.1, 0.6, 0.8, 0.4, 0.9, 0.2])
    score = label_scores.score(probability, labels)
    assert score.log_loss == pytest.approx(metrics.log_loss(labels, probability))
    assert score.accuracy == pytest.approx(4 / 6)
    assert score.auc == pytest.approx(8 / 9)
    assert score.f1 == pytest.approx(2 / 3)


def test_interval_of_an_auc_is_that_of_the_literature() -> None:
    low, high = auc_interval(0.893, 51, 58)  # standard error .032 (Hanley and McNeil, 1982)
    assert (high - low) / 2 / Z == pytest.approx(0.032, abs=6e-4)


def test_report_agrees_with_snorkels_analysis(problem: Problem) -> None:
    votes, labels, gold = problem
    vectors, counts, _ = distinct(votes)
    gold_rows = Gold(votes[gold], labels[gold])
    report = label_report.weak(NAMES, vectors, counts, gold_rows, fit(votes, labels, gold))
    rows = list(report["functions"].values())
    analysis = LFAnalysis(votes.astype(int))
    on_gold = LFAnalysis(gold_rows.votes.astype(int))
    np.testing.assert_allclose([r["coverage"] for r in rows], analysis.lf_coverages())
    np.testing.assert_allclose([r["overlap"] for r in rows], analysis.lf_overlaps())
    np.testing.assert_allclose([r["conflict"] for r in rows], analysis.lf_conflicts())
    np.testing.assert_allclose(
        [r["accuracy_on_gold"] for r in rows], on_gold.lf_empirical_accuracies(gold_rows.labels)
    )
    assert report["coverage"] == pytest.approx(analysis.label_coverage())
    assert report["overlap"] == pytest.approx(analysis.label_overlap())
    assert report["conflict"] == pytest.approx(analysis.label_conflict())
    assert report["gold_rows"] == 200
    assert report["rows"] == 4000


def test_chosen_gold_rows_move_neither_balance_nor_accuracies(problem: Problem) -> None:
    votes, labels, gold = problem
    doubtful = np.flatnonzero((votes == POSITIVE).any(axis=1) & (votes == NEGATIVE).any(axis=1))
    chosen = np.setdiff1d(doubtful, gold)[:300]
    at = np.concatenate([gold, chosen])
    random = np.isin(at, gold)
    vectors, counts, _ = distinct(votes)
    both = Gold(votes[at], labels[at], random)
    fitted = label_model.fit(vectors, counts, both, NAMES, how(300), 1)
    alone = fit(votes, labels, gold)
    assert fitted.class_balance[1] == alone.class_balance[1] == labels[gold].mean()
    assert labels[at].mean() != pytest.approx(fitted.class_balance[1], abs=0.01)
    right = (fitted.held_out >= 0.5) == (labels[at] == POSITIVE)
    assert fitted.accuracy_on_gold == right[random].mean()
    assert fitted.accuracy_on_gold > right.mean() + 0.01
    report = label_report.weak(NAMES, vectors, counts, both, fitted)
    only = label_report.weak(NAMES, vectors, counts, Gold(votes[gold], labels[gold]), alone)
    assert (report["gold_rows"], report["gold_rows_random"]) == (500, 200)
    for name in NAMES:
        for key in ("gold_votes", "accuracy_on_gold", "accuracy_interval"):
            assert report["functions"][name][key] == only["functions"][name][key]
    assert report["findings"] == only["findings"]
