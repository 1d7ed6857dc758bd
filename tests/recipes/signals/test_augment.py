"""Augmentation of signals: what it changes, and what it leaves."""

import torch

from recipes.signals.augment import mixed, varied
from recipes.signals.options import Augmentation

NAN = float("nan")
NONE = Augmentation(jitter=0, scale=0, crop=0, pace=0, mixup=0)


def signal(length=20):
    values = torch.arange(length * 2.0).reshape(length, 2)
    values[3, 1] = NAN
    return torch.cat([torch.ones(length, 1), values], dim=1)


def test_without_options_nothing_changes():
    x = signal()
    found = varied(x, torch.ones(2), NONE, torch.Generator())
    assert torch.equal(found.nan_to_num(-1), x.nan_to_num(-1))


def test_cuts_and_speed_change_the_length_and_keep_gaps_and_steps():
    options = Augmentation(jitter=0, scale=0, crop=0.2, pace=0.3, mixup=0)
    lengths = set()
    for seed in range(20):
        found = varied(signal(), torch.ones(2), options, torch.Generator().manual_seed(seed))
        lengths.add(len(found))
        assert (found[:, 0] == 1).all() and found[:, 1].isfinite().all()
    assert len(lengths) > 5 and min(lengths) >= 8


def test_noise_is_on_the_scale_of_each_channel():
    x = torch.zeros(4000, 3)
    options = Augmentation(jitter=0.1, scale=0, crop=0, pace=0, mixup=0)
    found = varied(x, torch.tensor([1.0, 1000.0]), options, torch.Generator().manual_seed(1))
    assert torch.allclose(found[:, 1:].std(0), torch.tensor([0.1, 100.0]), rtol=0.05)


def test_mixtures_of_signals_of_different_lengths():
    one, other = signal(20), signal(9)
    found = mixed(one, other, 0.75)
    assert found.shape == one.shape
    assert torch.isclose(found[-1, 1], 0.75 * one[-1, 1] + 0.25 * other[-1, 1])
    assert torch.equal(mixed(one, other, 1.0).nan_to_num(-1), one.nan_to_num(-1))
