"""The baseline beside every risk model: gradient boosting on summaries of each quantity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.media.stays import Stay


def boosted_risks(
    train: Sequence[Stay], labels: Sequence[int], test: Sequence[Stay], seed: int = 0
) -> np.ndarray:
    """(test,) risks of test stays, by histogram gradient boosting (scikit-learn) on the lowest, highest, mean
    and last value and the number of values of each quantity.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0, random_state=seed
    )
    model.fit(np.stack(list(map(summary, train))), np.array(labels))
    return model.predict_proba(np.stack(list(map(summary, test))))[:, 1]


def summary(stay: Stay) -> np.ndarray:
    """(5 * columns,) of a stay."""
    values, nothing = stay.values, np.isnan(stay.values).all(0)
    filled = np.where(nothing, 0.0, values)
    places = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1).max(0).clip(min=0)
    found = [
        np.nanmin(filled, 0),
        np.nanmax(filled, 0),
        np.nanmean(filled, 0),
        filled[places, np.arange(values.shape[1])],
    ]
    found = [np.where(nothing, np.nan, each) for each in found]
    return np.concatenate([*found, np.isfinite(values).sum(0)])
