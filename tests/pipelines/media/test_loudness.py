"""pipelines.media.loudness: the numbers are librosa's."""

import librosa
import numpy as np
import pytest

from pipelines.media.loudness import rms, sounding


@pytest.mark.parametrize("length", [1, 511, 512, 2047, 2048, 5000, 100_001])
def test_levels_and_stretches_are_librosas(length):
    swelling = np.abs(np.sin(np.arange(length) / 9000)) ** 8
    samples = (np.random.default_rng(0).normal(size=length) * swelling).astype(np.float32)
    assert np.array_equal(rms(samples), librosa.feature.rms(y=samples)[0])
    for reference in (float(rms(samples).max()), 1e-5, 3.0):
        expected = librosa.effects.split(samples, top_db=35.0, ref=reference)
        assert np.array_equal(sounding(samples, reference, 35.0), expected)


def test_silence_has_no_stretches():
    assert sounding(np.zeros(9000, np.float32), 1.0, 35.0).shape == (0, 2)
