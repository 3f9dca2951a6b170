"""What models answer, and labels in the same form: a probability, or a share of each class.

With two classes a row has one number, the probability of the positive class; with K > 2 it has K,
in the order of the classes, that sum to 1.
"""

import numpy as np

PROBABILITY = "probability"
PROBABILITIES = "probabilities"
"""Names of the answer, of two classes and of more."""

THRESHOLD = 0.5
"""Decision threshold on the probability, as in TFMA's binary metrics."""


def by_row(answers: np.ndarray) -> np.ndarray:
    """Answers [rows, width] as [rows] for two classes, [rows, K] for more; a copy."""
    return answers[:, 0].copy() if answers.shape[1] == 1 else answers.copy()


def decided(answers: np.ndarray) -> np.ndarray:
    """Codes of the classes that answers or labels stand for, int64 [rows].

    Args:
      answers: [rows] or [rows, 1], probabilities of the positive class; or [rows, K], shares.
    """
    if answers.ndim == 2 and answers.shape[1] > 1:
        return answers.argmax(axis=1)
    return (answers.reshape(-1) > THRESHOLD).astype(np.int64)


def spread(answers: np.ndarray) -> np.ndarray:
    """Answers [rows] or [rows, K] as shares of all classes, [rows, 2] or [rows, K]."""
    return np.stack([1 - answers, answers], axis=1) if answers.ndim == 1 else answers


def folded(shares: np.ndarray) -> np.ndarray:
    """Shares of all classes as answers: [rows] of two classes, [rows, K] of more."""
    return shares[:, 1] if shares.shape[1] == 2 else shares
