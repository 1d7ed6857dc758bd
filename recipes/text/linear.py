"""The baseline beside every classifier of texts: a linear model of TF-IDF weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def linear_probabilities(
    texts: Sequence[str], labels: Sequence[str], judged: Sequence[str], classes: Sequence[str]
) -> np.ndarray | None:
    """Logistic regression on TF-IDF weights of words and pairs of them, learnt from the same texts.

    Args:
        texts, labels: to learn from.
        judged: texts to be classified.
        classes: names, in the order of the columns to return.

    Returns:
        (judged, classes) probabilities; None where scikit-learn is not installed, or there is only one class.
    """
    if len(set(labels)) < 2:
        return None
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
    except ImportError:
        return None
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")
    model = make_pipeline(words, LogisticRegression(C=10, max_iter=300)).fit(texts, labels)
    found = np.zeros((len(judged), len(classes)))
    places = {name: place for place, name in enumerate(classes)}
    found[:, [places[name] for name in model.classes_]] = model.predict_proba(judged)
    return found
