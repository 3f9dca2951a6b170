"""What the figures of a run do not say by themselves, a sentence each."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from core.intervals import newcombe_interval
from models.metrics.evidence import SliceEvidence
from models.metrics.gates import OVERALL, Gate
from models.metrics.measures import PRECISION
from pipeline.report.summary import LabelSummary, MeasuredModel, TrainingStart

FEW_OF_A_CLASS = 50  # test rows: of fewer, a share is known to no better than .14 either way


def notes(
    labels: LabelSummary | None,
    models: Mapping[str, MeasuredModel],
    targets: Mapping[str, str],
    gates: Sequence[Gate],
    training: TrainingStart | None,
    explained: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """The notes of a run, on what has been measured of it so far.

    Args:
      labels: What the labeler did.
      models: By variant.
      targets: The variant that each target pushes.
      gates: All gates.
      training: How the teacher was trained.
      explained: What Explainer says of each target.
    """
    pushed = {t: models[v] for t, v in targets.items() if v in models}
    seen = next((m.evidence[OVERALL] for m in pushed.values() if OVERALL in m.evidence), None)
    found = [*_test_rows(seen, labels)] if seen else []
    for target, model in pushed.items():
        if OVERALL in model.evidence:
            found += _accuracy(target, model, model.evidence[OVERALL])
    found += training.notes if training else []
    found += _explained(explained or {})
    return [*found, *(f"{g.target}: undecided: {g.why}" for g in gates if g.undecided and g.why)]


def _explained(explained: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Slice columns, and what stands in for them, on which answers rest."""
    for target, found in explained.items():
        yield from (f"{target}: {warning}" for warning in found.get("warnings", ()))


def _test_rows(seen: SliceEvidence, labels: LabelSummary | None) -> Iterator[str]:
    """Few rows of a class, and another share of the classes than among the gold rows."""
    if seen.fewest < FEW_OF_A_CLASS:
        yield (
            f"the test part has {seen.in_words}: its figures are rough, look at their intervals; "
            "bring more labelled rows"
        )
    balance = getattr(labels, "class_balance", None)
    gold = getattr(labels, "gold_rows_random", 0)
    if balance is None or not gold or not seen.rows:
        return
    shares = {"positive": balance} if isinstance(balance, float) else balance
    z = NormalDist().inv_cdf(1 - 0.025 / len(shares))  # one of many differs by chance (Bonferroni)
    found = []
    for called, share in shares.items():
        tested = seen.of_classes.get(called, 0)
        low, high = newcombe_interval((tested, seen.rows), (round(share * gold), gold), z=z)
        found.append((max(low, -high), called, tested / seen.rows, share))
    beyond, called, tested_share, share = max(found)
    if beyond > 0:
        yield (
            f"{tested_share:.1%} of the test rows are {called} and {share:.1%} of the labelled "
            "training rows, which is more than chance: the parts are of different kinds, or of "
            "different times"
        )


def _accuracy(target: str, model: MeasuredModel, seen: SliceEvidence) -> Iterator[str]:
    """Whether the accuracy is one that the commoner class gives to everybody."""
    accuracy, own = model.metrics.get("accuracy"), seen.intervals.get("accuracy")
    if accuracy is None or own is None:
        return
    called, most = max(seen.of_classes.items(), key=lambda found: found[1])
    answer = {"positive": "yes", "negative": "no"}.get(called, called)
    share = most / seen.rows
    if own[0] > share:
        return
    said = (
        f"{target}: accuracy {accuracy:.4f} is no better than always saying {answer} "
        f"({share:.4f}) beyond chance"
    )
    if seen.positives is None:
        yield f"{said}; macro F1 is {model.metrics.get('macro_f1') or 0:.3f}"
    else:
        yield (
            f"{said}; average precision "
            f"{model.metrics.get('average_precision') or 0:.3f} (random scores: "
            f"{seen.positives / seen.rows:.3f}) and the recall at a precision of {PRECISION} "
            f"{model.metrics.get('recall_at_precision') or 0:.3f} say more"
        )
