"""Paths through pictures, compiled."""

from __future__ import annotations

import numpy as np

from decoders.compiled import compiled


@compiled
def best_path(gains, stiffness):
    """The path of the largest sum, by dynamic programming.

    Args:
        gains: (steps, places).
        stiffness: what moving by one place costs.

    Returns:
        (steps,) the place at each step.
    """
    steps, places = gains.shape
    origins, total, reached = np.empty((steps, places), np.int32), np.empty(places), np.empty(places)
    for place in range(places):
        total[place] = gains[0, place]
    for step in range(1, steps):
        for place in range(places):
            best, most = 0, -np.inf
            for origin in range(places):
                worth = total[origin] - stiffness * abs(place - origin)
                if worth > most:
                    best, most = origin, worth
            origins[step, place], reached[place] = best, most + gains[step, place]
        total[:] = reached
    path = np.empty(steps, np.int64)
    path[-1] = total.argmax()
    for step in range(steps - 1, 0, -1):
        path[step - 1] = origins[step, path[step]]
    return path
