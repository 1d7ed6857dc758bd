"""How loud a recording is from moment to moment, and where someone may speak.

librosa's own `feature.rms` gives the same numbers, but loads numba and scipy first, which
takes longer than to transcribe a short recording.
"""

from __future__ import annotations

from functools import partial

import numpy as np

FRAME = 2048  # samples over which the amplitude is averaged
HOP = 512  # samples from frame to frame
FAINTEST = 1e-5  # amplitude to which lower ones are raised, so that decibels are finite
QUIET = 35.0  # dB below the loudest moment nearby from which on a moment is quiet
NEAR = 1.5  # seconds before and behind a moment in which that is looked for
FAINT = 20.0  # dB below the loudest of the recording, from where on a stretch must stand out from the noise
LOST = 60.0  # dB below it, from where on nothing is heard
MARGIN = 0.2  # seconds of quiet kept around what is cut out
STANDS_OUT = 12.0  # dB above the noise that the loudest moment nearby must have there
AROUND = 15  # seconds before and behind a second in which the noise is measured
SPEAKING = 20.0  # dB below the loudest moment down to which somebody certainly speaks
ABOVE_NOISE = 6.0  # dB above the background that they stand out besides
TIGHT = 0.1  # seconds from an end within which that is too near to it
BREATH = 0.24  # seconds of silence put there: a whole number of frames for steps of 10 to 60 ms


def rms(samples: np.ndarray) -> np.ndarray:
    """(samples,) float32 -> (frames,) float32 root mean square; frame i is centred on sample i * `HOP`."""
    padded = np.pad(samples, FRAME // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME)[::HOP]
    return np.sqrt(np.mean(np.square(frames.T, dtype=np.float32), axis=0))


def sounding(samples: np.ndarray, rate: int, loudest: float) -> np.ndarray:
    """Find the stretches that are not quiet, measured by what is nearby: a quiet speaker is not lost beside a
    loud one, and what is faint throughout counts only where it stands out from the noise.

    Args:
        samples: (samples,) float32.
        rate: samples a second.
        loudest: amplitude of the loudest moment of the recording so far.

    Returns:
        (stretches, 2) first sample and the one after the last of each.
    """
    level = decibels(rms(samples))
    near = round(NEAR * rate / HOP)
    local = _sliding(level, near, np.max)
    top = max(float(decibels(np.array([loudest]))[0]), float(level.max(initial=-np.inf)))
    faint = (local < top - FAINT) & (local < _noise(level, round(rate / HOP)) + STANDS_OUT)
    loud = (level > local - QUIET) & (level > top - LOST) & ~faint
    loud &= level > decibels(np.zeros(1))[0]  # digital silence
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]))) * HOP
    return np.minimum(edges, len(samples)).reshape(-1, 2)


def heard(samples: np.ndarray, rate: int) -> tuple[int, int]:
    """The first sample and the one after the last of what can be heard: silence at both ends is not, but for
    `MARGIN`, and neither is what lies so far below the loudest moment that no feature shows it.

    Args:
        samples: (samples,) float32.
        rate: samples a second.
    """
    level = decibels(rms(samples))
    if not len(samples) or level.max() <= decibels(np.zeros(1))[0]:
        return 0, len(samples)
    places = np.flatnonzero(level > max(level.max() - LOST, decibels(np.zeros(1))[0])) * HOP
    margin = round(MARGIN * rate)
    return max(0, int(places[0]) - margin), min(len(samples), int(places[-1]) + HOP + margin)


def cut_off(samples: np.ndarray, rate: int) -> tuple[bool, bool]:
    """Whether speech reaches the beginning, and the end: something loud that stands out from the background,
    since steady noise has no beginning.

    Args:
        samples: (samples,) float32.
        rate: samples a second.
    """
    level = decibels(rms(samples))
    if not len(samples):
        return False, False
    loud = level > max(level.max() - SPEAKING, np.quantile(level, 0.1) + ABOVE_NOISE)
    places = np.flatnonzero(loud) * HOP
    reach = TIGHT * rate
    return bool((places < reach).any()), bool((places > len(samples) - HOP - reach).any())


def with_breath(
    samples: np.ndarray, rate: int, ends: tuple[bool, bool] = (True, True)
) -> tuple[np.ndarray, float, float]:
    """Samples with `BREATH` seconds of silence at each end where they are `cut_off`: beside it, models hear
    the first and the last sound better.

    Args:
        samples: (samples,) float32.
        rate: samples a second.
        ends: whether their beginning and their end are those of the recording.

    Returns:
        The samples, and the seconds added before and behind.
    """
    if not any(ends):
        return samples, 0.0, 0.0
    tight = zip(cut_off(samples, rate), ends, strict=True)
    sides = [round(BREATH * rate) if all(each) else 0 for each in tight]
    return (np.pad(samples, sides) if any(sides) else samples), sides[0] / rate, sides[1] / rate


def decibels(amplitudes: np.ndarray) -> np.ndarray:
    """Amplitudes in dB of full scale."""
    return 10 * np.log10(np.maximum(FAINTEST**2, np.square(amplitudes)))


def _noise(level: np.ndarray, second: int) -> np.ndarray:
    """The level of the background at each frame, in dB: a low quantile of the seconds around it."""
    second = max(1, second)
    seconds = np.pad(level, (0, -len(level) % second), mode="edge").reshape(-1, second)
    floors = _sliding(np.quantile(seconds, 0.1, axis=1), AROUND, partial(np.quantile, q=0.2))
    return np.repeat(floors, second)[: len(level)]


def _sliding(values: np.ndarray, reach: int, reduce) -> np.ndarray:
    """(n,) -> (n,) of what `reduce` makes of the values up to `reach` before and behind each."""
    padded = np.pad(values, reach, mode="edge")
    return reduce(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
