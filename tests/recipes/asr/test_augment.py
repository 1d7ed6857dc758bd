"""Augmentation: nothing at strength zero, what was asked for otherwise, the same again from one seed."""

import math

import pytest
import torch

from encoders.spectrogram import LogMel
from recipes.asr.augment import WARPS, spec_augment, vary
from recipes.asr.options import CARRIED, SpeechAugmentation

NOTHING = {
    "speed": 0.0,
    "tract": 0.0,
    "noise": 0.0,
    "clean": 0.0,
    "gain": 0.0,
    **dict.fromkeys(CARRIED, 0.0),
    "telephone": 0.0,
    "join": 0.0,
    "frequency_masks": 0,
    "time_masks": 0,
}
RATE = 16000


@pytest.fixture(scope="module")
def log_mel():
    return LogMel(RATE, 40)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def only(**strengths) -> SpeechAugmentation:
    return SpeechAugmentation(**NOTHING | strengths)


def some_power(log_mel, frames: int = 100) -> torch.Tensor:
    return torch.rand(frames, log_mel.bins, generator=seeded(0)) + 0.1


def test_no_strength_is_the_identity(log_mel):
    power = some_power(log_mel)
    for seed in range(5):
        varied, warp = vary(power, log_mel, only(), seeded(seed))
        assert torch.equal(varied, power)
        assert WARPS[warp] == 1.0
    features = power.unsqueeze(0)
    assert torch.equal(spec_augment(features, only()), features)


def test_the_generator_decides_everything(log_mel):
    power, options = some_power(log_mel), SpeechAugmentation(noise=1.0, telephone=0.5)
    first, warp = vary(power, log_mel, options, seeded(3))
    torch.rand(7)  # the global generator has no say
    second, same = vary(power, log_mel, options, seeded(3))
    assert torch.equal(first, second) and warp == same
    other, _ = vary(power, log_mel, options, seeded(4))
    assert other.shape != first.shape or not torch.equal(other, first)
    assert torch.equal(power, some_power(log_mel))  # the cache's copy stays


def test_speed_changes_length_and_pitch_together(log_mel):
    power = some_power(log_mel, 500)
    lengths = []
    for seed in range(40):
        varied, warp = vary(power, log_mel, only(speed=0.2), seeded(seed))
        lengths.append(len(varied))
        assert WARPS[warp] == pytest.approx(len(varied) / 500, abs=0.0125)
    assert 500 / 1.2 - 1 <= min(lengths) < 450 < 580 < max(lengths) <= 500 / 0.8 + 1


def test_a_varied_tone_is_the_tone_played_at_that_speed(log_mel):
    def tone(frequency: float) -> torch.Tensor:
        wave = torch.sin(2 * math.pi * frequency * torch.arange(RATE) / RATE)
        return log_mel.power(wave.unsqueeze(0), torch.tensor([RATE]))[0][0]

    power, original = tone(1500.0), (tone(1500.0) @ log_mel.filterbank).mean(dim=0).argmax()
    found = set()
    for seed in range(8):
        varied, warp = vary(power, log_mel, only(speed=0.2), seeded(seed))
        heard = (varied @ log_mel.warped_filterbank(WARPS[warp])).mean(dim=0).argmax()
        played = (tone(1500.0 * len(power) / len(varied)) @ log_mel.filterbank).mean(dim=0).argmax()
        assert abs(int(heard) - int(played)) <= 1
        found.add(int(heard) - int(original))
    assert min(found) < -1 and max(found) > 1


def test_tract_changes_frequencies_only(log_mel):
    power = some_power(log_mel)
    warps = set()
    for seed in range(40):
        varied, warp = vary(power, log_mel, only(tract=0.1), seeded(seed))
        assert torch.equal(varied, power)
        warps.add(WARPS[warp])
    assert 0.9 <= min(warps) < 0.95 and 1.05 < max(warps) <= 1.1


@pytest.mark.parametrize("snr", [0.0, 12.0, 30.0])
def test_noise_has_the_ratio_asked_for(log_mel, snr):
    power = some_power(log_mel, 400)
    loud = power.sum(dim=1).quantile(0.9)
    for seed in range(5):
        varied, _ = vary(power, log_mel, only(noise=1.0, noise_snr=(snr, snr)), seeded(seed))
        added = varied - power
        assert added.min() > -1e-4
        assert 10 * math.log10(loud / added.sum(dim=1).mean()) == pytest.approx(snr, abs=0.1)


def test_noise_comes_as_often_as_asked(log_mel):
    power = some_power(log_mel, 5)
    options = only(noise=0.3)
    noisy = sum(not torch.equal(vary(power, log_mel, options, seeded(seed))[0], power) for seed in range(300))
    assert 60 < noisy < 120


def test_a_steady_background_is_taken_away(log_mel):
    """What stands out of it stays, short of one to four times the background."""
    hum = torch.rand(log_mel.bins, generator=seeded(1)) + 0.1
    power = hum.repeat(100, 1)
    power[40:60, 30:50] += 100.0
    for seed in range(10):
        varied, warp = vary(power, log_mel, only(clean=1.0), seeded(seed))
        outside = torch.ones_like(power, dtype=torch.bool)
        outside[40:60, 30:50] = False
        assert varied.min() >= 0 and varied[outside].max() < 1e-5
        taken = (power - varied)[40:60, 30:50] / hum[30:50]
        assert taken.min() > 0.99 and taken.max() < 4.01 and taken.max() - taken.min() < 0.01
        assert WARPS[warp] == 1.0


@pytest.mark.parametrize("rate", [16000, 8000, 6000])
def test_a_telephone_passes_only_low_frequencies(rate):
    log_mel = LogMel(rate, 20)
    power = some_power(log_mel)
    frequencies = torch.linspace(0, rate / 2, log_mel.bins)
    for seed in range(10):
        varied, _ = vary(power, log_mel, only(telephone=1.0), seeded(seed))
        assert torch.equal(varied[:, frequencies < 3350], power[:, frequencies < 3350])
        assert (varied[:, frequencies > 4050] <= 1e-8 * power[:, frequencies > 4050]).all()


def test_masks_stay_within_their_limits():
    features = 1 + torch.rand(8, 200, 40, generator=seeded(0))
    options = only(
        frequency_masks=2, frequency_mask_bands=7, time_masks=3, time_mask_frames=30, time_mask_share=0.1
    )
    torch.manual_seed(0)
    masked = spec_augment(features, options)
    assert masked.shape == features.shape
    gone = masked == 0
    assert torch.equal(masked[~gone], features[~gone])
    bands, frames = gone.all(dim=1), gone.all(dim=2)
    assert torch.equal(gone, bands[:, None, :] | frames[:, :, None])  # nothing but whole bands and frames
    assert 0 < bands.sum(dim=1).max() <= 2 * 7
    assert 0 < frames.sum(dim=1).max() <= 3 * 20  # a tenth of 200 frames is less than 30
    assert not torch.equal(gone[0], gone[1])  # each item has its own


def test_short_utterances_survive_everything(log_mel):
    options = SpeechAugmentation(speed=0.2, clean=1.0, noise=1.0, telephone=1.0)
    for frames in (1, 2, 3):
        varied, _ = vary(some_power(log_mel, frames), log_mel, options, seeded(frames))
        assert len(varied) >= 1 and varied.isfinite().all()
        assert spec_augment(varied[None, :, :40], options).isfinite().all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed": 1.0},
        {"tract": -0.1},
        {"noise": 1.2},
        {"clean": -1.0},
        {"join": -0.1},
        {"time_mask_share": 2.0},
        {"gain": -1.0},
        {"time_masks": -1},
        {"noise_snr": (20.0, 5.0)},
    ],
)
def test_options_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SpeechAugmentation(**wrong)
