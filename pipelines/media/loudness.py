"""How loud a recording is from moment to moment, and where it sounds, as librosa measures it.

librosa's own `feature.rms` and `effects.split` give the same numbers, but load numba and scipy first, which
takes longer than to transcribe a short recording.
"""

from __future__ import annotations

import numpy as np

FRAME = 2048  # samples over which the amplitude is averaged
HOP = 512  # samples from frame to frame
FAINTEST = 1e-5  # amplitude to which lower ones are raised, so that decibels are finite


def rms(samples: np.ndarray) -> np.ndarray:
    """(samples,) float32 -> (frames,) float32 root mean square; frame i is centred on sample i * `HOP`."""
    padded = np.pad(samples, FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.sqrt(np.mean(np.square(frames.T, dtype=np.float32), axis=0))


def sounding(samples: np.ndarray, reference: float, quiet: float) -> np.ndarray:
    """(stretches, 2) first sample and the one after the last of each stretch that is not quiet.

    Args:
        samples: (samples,) float32.
        reference: amplitude of 0 dB.
        quiet: decibels below it from which on a frame is quiet.
    """
    level = 10 * np.log10(np.maximum(FAINTEST**2, np.square(rms(samples))))
    level -= 10 * np.log10(max(FAINTEST**2, reference**2))
    loud = np.concatenate([[False], level > -quiet, [False]])
    edges = np.flatnonzero(loud[1:] != loud[:-1]) * HOP
    return np.minimum(edges, len(samples)).reshape(-1, 2)
