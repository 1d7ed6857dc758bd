"""Training augmentation of signals: noise, gain, cuts, speed, lost channels, mixtures of two signals."""

from __future__ import annotations

import torch
from torch import Tensor

from recipes.signals.options import Augmentation

FEWEST = 4  # samples that are left of a signal


def varied(x: Tensor, spread: Tensor, options: Augmentation, generator: torch.Generator) -> Tensor:
    """A signal as it might have been.

    Args:
        x: (time, 1 + channels), as the front end takes it; unchanged.
        spread: (channels,) standard deviations.
    """
    first, last, pace = torch.rand(3, generator=generator).tolist()
    start, stop = first * options.crop * len(x), len(x) - last * options.crop * len(x)
    speed = (1 + options.pace) ** (2 * pace - 1)
    count = max(FEWEST, round((stop - start) / speed))
    if len(x) > FEWEST and (options.crop or options.pace):
        x = at(x, torch.linspace(start, max(start, stop - 1), count))
    channels = x.size(1) - 1
    noise = torch.randn(len(x), channels, generator=generator) * options.jitter
    gain = 1 + options.scale * torch.randn(channels, generator=generator)
    values = x[:, 1:] * gain + noise * spread
    lost = torch.rand(channels, generator=generator) < options.drop
    if not lost.all():
        values = values.masked_fill(lost, float("nan"))
    return torch.cat([x[:, :1], values], dim=1)


def at(x: Tensor, places: Tensor) -> Tensor:
    """(time, features) between samples; a neighbour that is missing leaves its place to the other."""
    low = places.long().clamp(0, len(x) - 1)
    high, share = (low + 1).clamp(max=len(x) - 1), (places - low)[:, None]
    found = x[low] * (1 - share) + x[high] * share
    return found.where(found.isfinite(), x[places.round().long().clamp(0, len(x) - 1)])


def mixed(x: Tensor, other: Tensor, share: float) -> Tensor:
    """This share of a signal, and the rest of another one, which is brought to its length."""
    if len(other) != len(x):
        other = at(other, torch.linspace(0, len(other) - 1, len(x)))
    values = share * x[:, 1:] + (1 - share) * other[:, 1:]
    return torch.cat([x[:, :1], values.where(values.isfinite(), x[:, 1:])], dim=1)
