"""Best paths through images by dynamic programming."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def best_paths(gains: Sequence[np.ndarray], stiffness: float) -> list[np.ndarray]:
    """The path with the largest sum through each image; all images are processed in parallel.

    Args:
        gains: (steps, places) each; the number of steps may differ, that of places may not.
        stiffness: cost of moving by one place.

    Returns:
        For each image, the place at each step, (steps,).
    """
    if not gains:
        return []
    longest = sorted(range(len(gains)), key=lambda index: -len(gains[index]))
    lengths = np.array([len(gains[index]) for index in longest])
    steps, places = lengths[0], gains[0].shape[1]
    gain = np.zeros((steps, len(gains), places))
    for column, index in enumerate(longest):
        gain[: len(gains[index]), column] = gains[index]
    running = (lengths > np.arange(steps)[:, None]).sum(axis=1).tolist()  # pictures that reach each step
    cost = stiffness * np.abs(np.arange(places)[:, None] - np.arange(places))
    origins = np.zeros(gain.shape, np.int32)
    total = gain[0].copy()
    for step in range(1, steps):
        count = running[step]
        worth = total[:count, None, :] - cost  # (pictures, place, origin)
        origins[step, :count] = worth.argmax(axis=2)
        total[:count] = worth.max(axis=2) + gain[step, :count]
    paths = [np.empty(0, np.int64)] * len(gains)
    for column, index in enumerate(longest):
        path = np.empty(lengths[column], np.int64)
        path[-1] = total[column].argmax()
        for step in range(len(path) - 1, 0, -1):
            path[step - 1] = origins[step, column, path[step]]
        paths[index] = path
    return paths
