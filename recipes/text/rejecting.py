"""The threshold below which a text is rejected as none of the classes, chosen on validation texts."""

from __future__ import annotations

import numpy as np


def rejected(probabilities: np.ndarray, reject: int, threshold: float) -> np.ndarray:
    """(texts,) whether each is of no class: the best one is the class for that, or its score is too low.

    Args:
        probabilities: (texts, classes).
        reject: place of the class for what is none of the others.
        threshold: of the score.
    """
    return (probabilities.argmax(axis=1) == reject) | (probabilities.max(axis=1) < threshold)


def chosen_threshold(probabilities: np.ndarray, labels: np.ndarray, reject: int) -> float:
    """The threshold with the highest mean of two shares: of the texts of a class that are given it, and of
    the others that are rejected.

    Args:
        probabilities: (texts, classes) of validation texts.
        labels: (texts,) places of their classes.
        reject: place of the class for what is none of the others.

    Returns:
        A probability; 0 where there are no texts of one of the two kinds.
    """
    outside = labels == reject
    if not outside.any() or outside.all():
        return 0.0
    best = probabilities.argmax(axis=1)

    def worth(threshold: float) -> float:
        away = rejected(probabilities, reject, threshold)
        inside = (best == labels) & ~away
        return inside[~outside].mean() + away[outside].mean()

    return float(max(np.arange(0.0, 1.0, 0.01), key=worth))
