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
    if len(set(labels)) < 2 or not (weighed := _weighed(texts, judged)):
        return None
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10, max_iter=300).fit(weighed[0], labels)
    found = np.zeros((len(judged), len(classes)))
    places = {name: place for place, name in enumerate(classes)}
    found[:, [places[name] for name in model.classes_]] = model.predict_proba(weighed[1])
    return found


def linear_probabilities_of_each(
    texts: Sequence[str], labelled: np.ndarray, judged: Sequence[str]
) -> np.ndarray | None:
    """The same where texts may have several labels: a model for each of them.

    Args:
        texts: to learn from.
        labelled: (texts, classes) which labels they have.
        judged: texts to be classified.

    Returns:
        (judged, classes) probabilities; None where scikit-learn is not installed.
    """
    if not (weighed := _weighed(texts, judged)):
        return None
    from sklearn.linear_model import LogisticRegression

    found = np.zeros((len(judged), labelled.shape[1]))
    for place, has in enumerate(labelled.T):
        if has.all() or not has.any():
            found[:, place] = float(has.all())
        else:
            model = LogisticRegression(C=10, max_iter=300).fit(weighed[0], has)
            found[:, place] = model.predict_proba(weighed[1])[:, 1]
    return found


def _weighed(texts: Sequence[str], judged: Sequence[str]):
    """TF-IDF weights of words and pairs in both; None where scikit-learn is not installed."""
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer
    except ImportError:
        return None
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]")
    return words.fit_transform(texts), words.transform(judged)
