"""Stretches of signals as they might have been recorded: noise, hum, wander, another heart rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from recipes.annotate.options import Augmentation

WANDER = 0.05, 0.7  # hertz
MAINS = 50.0, 60.0  # hertz


def stretched(x: Tensor, first: float, count: int, pace: float) -> Tensor:
    """(count, channels) of the samples from `first` on, `pace` times as fast, interpolated linearly; the last
    one is repeated at the end.
    """
    places = (first + torch.arange(count) * pace).clamp(0, len(x) - 1)
    low = places.floor().long()
    share = (places - low)[:, None]
    return x[low] * (1 - share) + x[(low + 1).clamp(max=len(x) - 1)] * share


def disturbed(values: Tensor, rate: float, options: Augmentation, generator: torch.Generator) -> Tensor:
    """A stretch with what electrodes add to it.

    Args:
        values: (time, channels); unchanged.
        rate: samples a second.
    """

    def drawn(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    time, channels = torch.arange(len(values))[:, None] / rate, values.size(1)
    spread = values.where(values.isfinite(), 0.0).std(0) + 1e-6
    noise = torch.randn(values.shape, generator=generator) * drawn(1, channels) ** 2 * options.noise
    low, high = WANDER
    frequencies = low + drawn(1, 3 * channels) * (high - low)
    waves = torch.sin(2 * math.pi * (frequencies * time + drawn(1, 3 * channels)))
    wander = waves.view(len(values), 3, channels) * drawn(1, 3, channels) * options.wander
    mains = MAINS[int(drawn(1).item() * 2)]
    hum = torch.sin(2 * math.pi * (mains * time + drawn(1, channels))) * drawn(1, channels) ** 3
    found = values + (noise + wander.sum(1) + hum * options.hum) * spread
    signs = torch.where(drawn(1) < options.flip, -1.0, 1.0)
    lost = drawn(channels) < (options.drop if channels > 1 else 0.0)
    return (found * signs).masked_fill(lost if not lost.all() else ~lost, float("nan"))
