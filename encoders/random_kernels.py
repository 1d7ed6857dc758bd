"""Random convolution kernels: signals of any length -> features, and a linear model on them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TAPS = 9  # samples that a kernel sees
WHOLE = 64  # taps are whole numbers over this, at most 127 of them, which any model file keeps exactly
AT_ONCE = 1 << 18  # samples of a batch that are convolved at once


class RandomKernels(nn.Module):
    """A linear model on the responses of fixed random kernels (ROCKET, Dempster et al. 2020).

    Kernels are dilated, see some of the channels each, and half of them see the differences between samples
    (MultiRocket, Tan et al. 2022). Half are without their mean, and so blind to the level. Of each response
    there are two features: its maximum, and the share of samples in which it is positive. Nothing is trained
    by gradients: `draw` chooses the kernels, and what fits the linear model writes `readout`.

    Args:
        channels: of the signals.
        count: kernels, an even number.
        length: samples of a usual signal, which the widest kernels span.
        labels: outputs of the linear model.

    Attributes:
        taps: (count, channels, 9) kernels, in the order of their dilations, those on differences behind.
        centre, spread: (2 * count,) mean and standard deviation of each feature.
        readout: scaled features -> outputs.

    Raises:
        ValueError: sizes below 1, or an odd number of kernels.
    """

    exact = ("bias", "centre", "spread")
    """Buffers that a model file keeps in 32 bits."""

    def __init__(self, channels: int, count: int, length: int, labels: int):
        super().__init__()
        if min(channels, count, length, labels) < 1 or count % 2:
            raise ValueError("channels, length and labels must be at least 1, and kernels an even number")
        self.count = count
        octaves = max(0.0, math.log2(max(1, length - 1) / (TAPS - 1)))
        self.dilations = [int(2 ** (octaves * place / (count // 2))) for place in range(count // 2)]
        self.register_buffer("taps", torch.zeros(count, channels, TAPS))
        self.register_buffer("bias", torch.zeros(count))
        self.register_buffer("centre", torch.zeros(2 * count))
        self.register_buffer("spread", torch.ones(2 * count))
        self.readout = nn.Linear(2 * count, labels).requires_grad_(False)

    @torch.no_grad()
    def draw(self, generator: torch.Generator) -> None:
        """Draw all kernels anew."""
        channels = self.taps.size(1)
        for place in range(self.count):
            taps = torch.randn(channels, TAPS, generator=generator)
            if place // 2 % 2:
                taps -= taps.mean(1, keepdim=True)
            most = 2 ** (torch.rand(1, generator=generator).item() * math.log2(channels + 1))
            taps[torch.randperm(channels, generator=generator)[int(most) :]] = 0.0
            self.taps[place] = (taps * (127 / taps.abs().max())).round() / WHOLE
        self.bias.copy_(2 * torch.rand(self.count, generator=generator) - 1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, channels) scaled signals without gaps, padded at the end with any values, and the
        samples of each -> (batch, labels) outputs of the linear model.
        """
        return self.judge(self.features(x, lengths))

    def judge(self, features: Tensor) -> Tensor:
        """(batch, 2 * count) responses -> (batch, labels) outputs of the linear model."""
        with torch.autocast(features.device.type, enabled=False):
            return self.readout((features - self.centre) / self.spread)

    @torch.no_grad()
    def features(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, channels) signals, as `forward` takes them -> (batch, 2 * count)."""
        size = max(1, AT_ONCE // x.size(1))
        with torch.autocast(x.device.type, enabled=False):  # shares of what is positive need every bit
            parts = zip(x.float().split(size), lengths.to(x.device).split(size), strict=True)
            return torch.cat([self._features(*part) for part in parts])

    def _features(self, x: Tensor, lengths: Tensor) -> Tensor:
        maxima, shares = [], []
        x = x.transpose(1, 2)
        for signals, counts, first in (
            (x, lengths, 0),
            (F.pad(x, (0, 1)).diff(dim=2), lengths - 1, self.count // 2),
        ):
            time = torch.arange(signals.size(2), device=x.device)
            signals = signals.masked_fill((time >= counts[:, None])[:, None], 0.0)
            counts = counts.clamp(min=1)
            inside = time < counts[:, None]  # (B, T)
            for dilation, start, stop in self._groups():
                reach = TAPS // 2 * dilation
                taps = self.taps[first + start : first + stop]
                bias = self.bias[first + start : first + stop]
                y = F.conv1d(signals, taps, bias, padding=reach, dilation=dilation)
                whole = inside & (time >= reach) & (time < counts[:, None] - reach)
                whole = torch.where(whole.any(1, keepdim=True), whole, inside)
                # Every other kernel sees nothing of the zeros around the signal.
                seen = torch.stack([inside, whole], dim=1)[:, [place % 2 for place in range(start, stop)]]
                maxima.append(y.masked_fill(~seen, -torch.inf).amax(2))
                shares.append(((y > 0) & seen).sum(2) / seen.sum(2))
        return torch.cat(maxima + shares, dim=1)

    def _groups(self) -> Iterator[tuple[int, int, int]]:
        """Each dilation, and the first of its kernels and the one behind the last."""
        start = 0
        for dilation, places in groupby(self.dilations):
            stop = start + len(list(places))
            yield dilation, start, stop
            start = stop


def carried(values: Tensor, seen: Tensor) -> Tensor:
    """(batch, time, channels) values, the last one that is seen in the place of any that is not, else 0."""
    place = torch.arange(values.size(1), device=values.device)[:, None]
    latest = torch.where(seen, place, -1).cummax(1).values
    return values.gather(1, latest.clamp(min=0)).where(latest >= 0, 0.0)
