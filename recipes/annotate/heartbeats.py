"""Electrocardiograms made here: beats of Gaussian waves, some of them early and broad, with their marks.

After McSharry et al. 2003, "A dynamical model for generating synthetic electrocardiogram signals", without
its dynamics: for tests and examples, not to learn from.
"""

from __future__ import annotations

import numpy as np

from recipes.data.mark_layouts import Times

RATE = 100.0
WAVES = {"P": (-0.17, 0.02, 0.15), "QRS": (0.0, 0.012, 1.0), "T": (0.25, 0.04, 0.3)}
"""Seconds from the R peak, standard deviation in seconds, millivolts."""


def heartbeats(
    seconds: float, seed: int, rate: float = RATE, early: float = 0.0
) -> tuple[np.ndarray, list[Times], list[tuple[float, str]]]:
    """(time,) millivolts, and the marks of waves: (start, peak, end, label); beats that are early are broad.

    Args:
        early: share of such beats.

    Returns:
        The signal, the marks of its waves, and (seconds, label) of its beats.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    values = 0.02 * rng.normal(size=len(time)) + 0.1 * np.sin(2 * np.pi * 0.2 * time + rng.uniform(0, 6))
    waves, beats, moment, pace = [], [], 0.5, rng.uniform(0.7, 1.0)
    while moment < seconds - 0.6:
        broad = rng.random() < early
        if broad and beats:
            moment -= 0.25 * pace
        for label, (shift, width, height) in WAVES.items():
            if broad and label == "P":
                continue
            wide = 4.0 if broad and label == "QRS" else 1.0
            sign = -1.0 if broad and label == "T" else 1.0
            centre = moment + shift
            values += sign * height * np.exp(-((time - centre) ** 2) / (2 * (wide * width) ** 2))
            waves.append((centre - 2.5 * wide * width, centre, centre + 2.5 * wide * width, label))
        beats.append((moment, "V" if broad else "N"))
        moment += pace * rng.uniform(0.95, 1.05) + (0.25 * pace if broad else 0.0)
    return values.astype(np.float32), sorted(waves), beats
