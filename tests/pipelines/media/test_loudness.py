"""pipelines.media.loudness: levels are librosa's; quiet speech counts, faint noise does not."""

import librosa
import numpy as np
import pytest

from pipelines.media.loudness import heard, rms, sounding

RATE = 16000


def bursts(*levels: float, noise: float = 0.0) -> np.ndarray:
    """A second of varying sound at each level in dB of full scale, with three seconds between them."""
    generator = np.random.default_rng(0)
    envelope = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(RATE) / RATE)
    sound = generator.normal(0, 0.3, RATE) * envelope
    parts = [np.zeros(RATE)]
    for level in levels:
        parts += [sound * 10 ** (level / 20), np.zeros(3 * RATE)]
    samples = np.concatenate(parts)
    return (samples + noise * generator.standard_normal(len(samples))).astype(np.float32)


def found(samples: np.ndarray) -> list[int]:
    """The seconds in which something was found that is no mere click."""
    stretches = sounding(samples, RATE, float(rms(samples).max()))
    stretches = stretches[np.diff(stretches, axis=1)[:, 0] > RATE / 10]
    return sorted({int(middle) // RATE for middle in stretches.mean(axis=1)})


@pytest.mark.parametrize("length", [1, 511, 512, 2047, 2048, 5000, 100_001])
def test_levels_are_librosas(length):
    samples = np.random.default_rng(0).normal(size=length).astype(np.float32)
    assert np.array_equal(rms(samples), librosa.feature.rms(y=samples)[0])
    stretches = sounding(samples, RATE, 1.0)
    assert (np.diff(stretches, axis=1) > 0).all() and stretches.max(initial=0) <= length


def test_only_silence_at_the_ends_is_not_heard():
    sound = bursts(0)[RATE : 2 * RATE]
    assert heard(sound, RATE) == (0, RATE)
    start, end = heard(bursts(0), RATE)
    assert 0.7 * RATE < start < RATE and 2 * RATE < end < 2.4 * RATE
    assert heard(bursts(0, noise=1e-2), RATE) == (0, 5 * RATE)
    assert heard(np.zeros(RATE, np.float32), RATE) == (0, RATE)
    assert heard(np.zeros(0, np.float32), RATE) == (0, 0)


def test_a_quiet_speaker_beside_a_loud_one_is_found():
    assert found(bursts(0, -40, 0, -45, 0)) == [1, 5, 9, 13, 17]
    assert found(bursts(0, -40, 0, noise=1e-4)) == [1, 5, 9]


def test_noise_in_long_pauses_is_not():
    samples = np.concatenate([bursts(0, noise=1e-3), 1e-3 * np.random.default_rng(1).normal(size=40 * RATE)])
    assert found(samples.astype(np.float32)) == [1]


def test_steady_sound_is_kept():
    assert sounding(np.full(20 * RATE, 0.1, np.float32), RATE, 0.1).tolist() == [[0, 20 * RATE]]


def test_silence_has_no_stretches():
    assert sounding(np.zeros(9000, np.float32), RATE, 1.0).shape == (0, 2)
    assert sounding(np.zeros(9000, np.float32), RATE, 0.0).shape == (0, 2)
