"""Metrics of more than two classes, beside scikit-learn's, and what their intervals hold."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from core.sections.evaluation import Judging
from models.metrics.comparison import compare
from models.metrics.evidence import VariantEvidence, evidence, evidence_of
from models.metrics.gap_gates import gap_gate, growth_gate
from models.metrics.gaps import gaps_between
from models.metrics.gates import OVERALL, Gate, at_least
from models.metrics.judging import chance_gate, weighed
from models.metrics.registry import metrics_of

CLASSES = ("small bag", "b=o,x", "Crate[1]")
KNOWN = metrics_of(CLASSES)
RULE = Judging(min_slice_rows=50, few_rows=30, when_too_few="warn")
ALL_TOGETHER = ["accuracy", "macro_f1", "log_loss", "auc"]
BY_CLASS = ["recall[b=o,x]", "precision[Crate[1]]", "f1[small bag]"]


def answers(
    rows: int, seed: int, balance: tuple[float, ...] = (0.5, 0.3, 0.2)
) -> tuple[np.ndarray, np.ndarray]:
    """Codes, and shares that know them up to noise."""
    draw = np.random.RandomState(seed)
    codes = draw.choice(3, rows, p=balance)
    scores = 1.5 * (np.arange(3) == codes[:, None]) + draw.randn(rows, 3)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return codes, shares


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_values_are_those_of_scikit_learn(seed: int) -> None:
    codes, shares = answers(700, seed)
    chosen = shares.argmax(axis=1)
    expected = {
        "accuracy": sklearn_metrics.accuracy_score(codes, chosen),
        "macro_f1": sklearn_metrics.f1_score(codes, chosen, average="macro"),
        "log_loss": sklearn_metrics.log_loss(codes, shares),
        "auc": sklearn_metrics.roc_auc_score(codes, shares, multi_class="ovr", average="macro"),
    }
    scores = sklearn_metrics.precision_recall_fscore_support(codes, chosen, labels=[0, 1, 2])
    for kind, of_classes in zip(("precision", "recall", "f1"), scores, strict=False):
        expected |= {f"{kind}[{c}]": v for c, v in zip(CLASSES, of_classes, strict=True)}
    expected |= {
        f"selection_rate[{c}]": float((chosen == code).mean()) for code, c in enumerate(CLASSES)
    }
    assert expected.keys() == KNOWN.everything.keys()
    assert KNOWN.of_slice(codes, shares) == {
        **{name: pytest.approx(value, abs=1e-9) for name, value in expected.items()},
        "examples": 700,
    }


def test_a_class_without_rows_has_no_recall_and_one_never_given_no_precision() -> None:
    codes = np.array([0, 0, 1, 1])
    shares = np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.6, 0.3, 0.1]])
    found = KNOWN.of_slice(codes, shares)
    assert found["recall[Crate[1]]"] is None
    assert found["precision[b=o,x]"] is None
    assert found["recall[b=o,x]"] == 0.0
    assert found["macro_f1"] == pytest.approx(
        sklearn_metrics.f1_score(codes, shares.argmax(axis=1), average="macro")
    )
    assert set(ALL_TOGETHER) < set(KNOWN.overall(codes, shares))


def test_a_certain_mistake_costs_a_finite_log_loss() -> None:
    loss = KNOWN.quality["log_loss"].measure(np.array([0, 1]), np.eye(3)[[0, 0]])
    assert loss == pytest.approx(-np.log(1e-7) / 2)
    assert KNOWN.quality["log_loss"].fall(0.4, 0.5) == pytest.approx(0.1)


@pytest.mark.parametrize("metric", [*ALL_TOGETHER, *BY_CLASS, "selection_rate[Crate[1]]"])
def test_intervals_hold_the_true_value(metric: str) -> None:
    measure = KNOWN.everything[metric]
    truth = measure.measure(*answers(200_000, 0)) or 0.0
    held = 0
    for seed in range(1, 201):
        ends = measure.interval(*answers(400, seed))
        held += bool(ends and ends[0] <= truth <= ends[1])
    assert 180 <= held <= 200, "95% of 200 are 190"


@pytest.mark.parametrize("metric", [*ALL_TOGETHER, *BY_CLASS])
def test_the_interval_of_a_difference_is_as_wide_as_resampling_says(metric: str) -> None:
    codes, candidate = answers(600, 3)
    noise = np.exp(0.7 * np.random.RandomState(4).randn(600, 3))
    live = candidate * noise / (candidate * noise).sum(axis=1, keepdims=True)
    [found] = compare(codes, candidate, live, {}, [metric], among=KNOWN)
    draw, resampled = np.random.RandomState(5), []
    for _ in range(300):
        rows = draw.randint(0, 600, 600)
        [again] = compare(codes[rows], candidate[rows], live[rows], {}, [metric], among=KNOWN)
        resampled.append(again.value)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.std(resampled), rel=0.17)


def test_a_class_of_few_rows_is_undecided_and_others_are_judged() -> None:
    codes, shares = answers(400, 6, (0.6, 0.36, 0.04))
    seen = evidence(codes, shares, CLASSES)
    assert seen.by_class is not None
    assert seen.by_class["Crate[1]"] < RULE.few_rows < seen.by_class["b=o,x"]
    assert seen.in_words.endswith("of them Crate[1], the rarest class")
    found = KNOWN.of_slice(codes, shares)

    def judged(metric: str) -> Gate:
        value = found[metric]
        assert value is not None
        gate = at_least("server", metric, OVERALL, value, value + 0.01, "k")
        return weighed(gate, metric, seen, RULE)

    assert judged("recall[Crate[1]]").verdict == "undecided"
    assert judged("recall[b=o,x]").verdict == "failed"


def test_a_gap_of_each_class_between_groups() -> None:
    codes, shares = answers(900, 7)
    north = np.arange(900) % 2 == 0
    blind = north & (codes == 1)
    shares[blind] = [0.8, 0.1, 0.1]
    rows = {"site=north": north, "site=south": ~north}
    metrics = {name: KNOWN.of_slice(codes[m], shares[m]) for name, m in rows.items()}
    gaps, growths = gaps_between(codes, shares, rows, KNOWN, 100, answers(900, 7)[1])
    seen = VariantEvidence(
        {n: evidence(codes[m], shares[m], CLASSES) for n, m in rows.items()},
        gap_intervals={"site": gaps},
        gap_growth={"site": growths},
    )
    gates = {
        rate: gap_gate("edge", metrics, seen, ("site", rate, 0.25), RULE)
        for rate in KNOWN.names("recall")
    }
    wide = gates["recall[b=o,x]"]
    assert (wide.metric, wide.passed) == ("gap site recall[b=o,x]", False)
    assert wide.key == "evaluation.edge.max_gap.site.recall"
    assert wide.value == metrics["site=south"]["recall[b=o,x]"]
    assert wide.interval is not None
    assert wide.interval[0] > 0.25
    assert gates["recall[Crate[1]]"].passed
    grown = growth_gate("edge", seen, ("site", "recall[b=o,x]", 0.25), RULE)
    assert (grown.metric, grown.passed) == ("gap site recall[b=o,x] growth", False)
    assert grown.key == "evaluation.edge.max_gap_growth.site.recall"
    assert growth_gate("edge", seen, ("site", "recall[Crate[1]]", 0.25), RULE).passed


def test_a_model_of_one_answer_is_refused_by_name() -> None:
    codes, _ = answers(400, 8)
    shares = np.tile([0.2, 0.5, 0.3], (400, 1))
    seen = evidence(codes, shares, CLASSES)
    gate = chance_gate("server", KNOWN.of_slice(codes, shares), seen, RULE)
    assert not gate.passed
    assert gate.why == "one answer only: it says b=o,x on all 400 test rows"
    codes, shares = answers(400, 8)
    good = evidence(codes, shares, CLASSES)
    assert chance_gate("server", KNOWN.of_slice(codes, shares), good, RULE).passed


def test_names_of_classes_survive_what_is_written() -> None:
    odd = ("a=b, c", 'say "x"[0]', "[red]r[/]", "é\\n{}", "recall[x]")
    codes = np.arange(200) % 5
    shares = np.where(np.arange(5) == codes[:, None], 0.6, 0.1)
    seen = evidence(codes, shares, odd)
    record = {"evidence": {"overall": seen}, "against_teacher": []}
    again = evidence_of(record).of_slice("overall")
    assert again is not None
    assert tuple(again.by_class or {}) == odd
    known = metrics_of(odd)
    assert len(known.everything) == 4 + 4 * 5
    for code, name in enumerate(odd):
        assert known.code_of(f"recall[{name}]") == code
        assert again.behind(f"recall[{name}]") == 40
    assert known.each({"recall": 0.3, "recall[recall[x]]": 0.1})["recall[recall[x]]"] == 0.1
