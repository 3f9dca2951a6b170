"""Rare classes: both weigh the same in training, and 0.5 is a decision that finds some of each.

Where one row in two hundred is positive, a network that says no every time is nearly right: it
learns the share of the class and little else, and no probability comes near 0.5. So a rare class is
weighted up to the other, which multiplies the odds of every answer (King and Zeng, Logistic
Regression in Rare Events Data, Political Analysis 2001), and the trained network is moved to where
0.5 finds as many rows as there are positives: precision and recall are about equal there. The
threshold is chosen on rows of train and eval, of whose labels only the share counts, and is part of
the network: whoever asks it, in the pipeline or on a device, decides at 0.5.

With more than two classes nothing is weighed and nothing moved.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tf_keras

from models.metrics.registry import THRESHOLD
from models.network.network import LOGIT, logits_of
from models.network.rows import Rows


@dataclasses.dataclass(frozen=True)
class Balance:
    """How classes are weighed.

    Attributes:
      share: Share of the positive class among the rows, by their labels; None with more than two
        classes.
      odds: Factor on the odds of the positive class in training and in the answers; 1 where
        nothing was changed.
    """

    share: float | None
    odds: float = 1.0

    @property
    def is_even(self) -> bool:
        """Whether nothing was changed."""
        return self.odds == 1.0

    def weighed(self, rows: Rows) -> Rows:
        """The rows with the odds of their labels [rows, 1], soft ones too, times `odds`."""
        if self.is_even:
            return rows
        factor = self.odds * rows.label + 1 - rows.label
        return dataclasses.replace(
            rows,
            label=(self.odds * rows.label / factor).astype(np.float32),
            weight=(rows.weight * factor).astype(np.float32),
        )


def positive_share(rows: Rows) -> float | None:
    """Share of the positive class by the labels; None with more than two classes."""
    return float(rows.label.mean()) if rows.label.shape[1] == 1 else None


def balance_of(train: Rows, rare_share: float) -> Balance:
    """The weighing of the training rows.

    Rows without a weight count for the share: their label is what is known of their class.

    Args:
      train: Rows with label [rows, outputs].
      rare_share: A class of a smaller share weighs as much as the other; 0: never.
    """
    share = positive_share(train)
    if share is None:
        return Balance(None)
    rows = train.weighted()
    weighted = float((rows.weight * rows.label).mean())
    if min(share, 1 - share) >= rare_share or not 0 < weighted < 1:
        return Balance(share)
    return Balance(share, (1 - weighted) / weighted)


def decide(model: tf_keras.Model, rows: Sequence[Rows], balance: Balance) -> Balance:
    """Moves a network, in place, to where 0.5 finds as many rows as there are positives.

    Done where a class is rare, or every row is answered alike.

    Args:
      model: A trained network.
      rows: Of train and eval.
      balance: What its odds have been multiplied by.

    Returns:
      What they are multiplied by now.
    """
    if balance.share is None:
        return balance
    logits = np.concatenate([logits_of(model)(r.features, training=False).numpy() for r in rows])
    found = float((logits > np.log(THRESHOLD / (1 - THRESHOLD))).mean())
    if balance.is_even and 0 < found < 1:
        return balance
    # Between two rows: the value of one would find it or not by rounding.
    ordered, wanted = np.sort(logits[:, 0]), max(1, round(balance.share * len(logits)))
    at = min(max(1, len(ordered) - wanted), len(ordered) - 1)
    cut = float((ordered[at - 1] + ordered[at]) / 2)
    layer = model.get_layer(LOGIT)
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias - cut])
    return dataclasses.replace(balance, odds=balance.odds * float(np.exp(-cut)))


def note(name: str, balance: Balance, rare_share: float) -> list[str]:
    """What is to be said of a network that was moved."""
    if balance.share is None or balance.is_even:
        return []
    rare = min(balance.share, 1 - balance.share) < rare_share
    why = "both classes weighed the same in training" if rare else "every row was answered alike"
    return [
        f"{name}: {balance.share:.2%} of the training rows are positive by their labels; {why}, "
        f"and its answers were moved so that {THRESHOLD} decides for about as many rows as are "
        f"positive: the odds of each are multiplied by {balance.odds:.3g}"
    ]
