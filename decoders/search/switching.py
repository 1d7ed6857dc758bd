"""Segmentation of frames by a Viterbi search in which every change of the label has a cost."""

from __future__ import annotations

import numpy as np

from decoders.contract import Labels

LEAST = 1e-6  # floor of the probabilities


def steady(probabilities: np.ndarray, switch: float) -> np.ndarray:
    """The most probable labels of frames if each change costs `switch` nats (Viterbi algorithm).

    Args:
        probabilities: (time, labels).
        switch: cost in nats; with 0, the best label of each frame.

    Returns:
        (time,) labels.
    """
    scores = np.log(np.maximum(probabilities, LEAST))
    best, came = scores[0], np.zeros(scores.shape, int)
    for time in range(1, len(scores)):
        stays = best >= best.max() - switch
        came[time] = np.where(stays, np.arange(len(best)), best.argmax())
        best = np.maximum(best, best.max() - switch) + scores[time]
    path = np.empty(len(scores), int)
    path[-1] = best.argmax()
    for time in range(len(scores) - 1, 0, -1):
        path[time - 1] = came[time, path[time]]
    return path


def segments(probabilities: np.ndarray, switch: float) -> Labels:
    """Runs of frames with one label, except label 0, with their mean probability as confidence.

    Args:
        probabilities: (time, labels), at least one frame.
        switch: cost of a change of the label, nats.
    """
    path = steady(probabilities, switch)
    starts = np.flatnonzero(np.diff(path, prepend=-1))
    found = Labels([], [], [], [])
    for start, end in zip(starts.tolist(), [*starts.tolist()[1:], len(path)], strict=True):
        label = int(path[start])
        if label:
            found.ids.append(label)
            found.starts.append(start)
            found.ends.append(end)
            found.confidences.append(float(probabilities[start:end, label].mean()))
    return found
