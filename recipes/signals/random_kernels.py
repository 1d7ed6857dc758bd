"""The baseline beside every classifier of signals: random convolution kernels and a ridge classifier.

ROCKET (Dempster et al. 2020, "Exceptionally fast and accurate time series classification using random
convolutional kernels"), with fewer kernels. Nothing is trained but a linear model, and on small sets of short
signals it is hard to beat.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

KERNELS = 2000
LONGEST = 1000  # samples to which longer signals are thinned out
RIDGES = tuple(10.0**power for power in range(-1, 6))
SHARPNESS = tuple(1.5**power for power in range(12))


class KernelClassifier:
    """A ridge classifier on random kernels.

    Args:
        signals: (time, channels) each, scaled, without missing values.
        labels: of the signals, from 0.
        classes: number of them.
        seed: of the kernels.
    """

    def __init__(self, signals: Sequence[Tensor], labels: Sequence[int], classes: int, seed: int = 0):
        self.features = KernelFeatures(signals[0].size(1), min(LONGEST, max(map(len, signals))), seed)
        x = self.features(signals)
        self.centre, self.spread = x.mean(0), x.std(0) + 1e-6
        labels = torch.tensor(labels)
        targets = 2 * F.one_hot(labels, classes).double() - 1
        self.weights, self.offset, left_out = _ridge(self._scaled(x), targets)
        losses = [F.cross_entropy(left_out * each, labels).item() for each in SHARPNESS]
        self.sharpness = SHARPNESS[int(np.argmin(losses))]

    def __call__(self, signals: Sequence[Tensor]) -> Tensor:
        """(signals, classes) probabilities, calibrated on training signals that were left out."""
        scores = self._scaled(self.features(signals)) @ self.weights + self.offset
        return (scores * self.sharpness).softmax(dim=1).float()

    def _scaled(self, x: Tensor) -> Tensor:
        return ((x - self.centre) / self.spread).double()


class KernelFeatures:
    """Random dilated convolutions; of each, its maximum and the share of its positive values.

    Args:
        channels: of the signals.
        length: samples that each signal is brought to: shorter ones are padded with 0 at their end.
        seed: of the kernels.
    """

    def __init__(self, channels: int, length: int, seed: int = 0):
        rng = np.random.default_rng(seed)
        self.length, self.groups = length, {}
        for _ in range(KERNELS):
            size = int(rng.choice([7, 9, 11]))
            most = max(0.0, math.log2((length - 1) / (size - 1))) if length > size else 0.0
            dilation = int(2 ** rng.uniform(0, most))
            kernel = rng.normal(size=(channels, size))
            kernel -= kernel.mean(axis=1, keepdims=True)
            used = rng.permutation(channels)[: int(2 ** rng.uniform(0, math.log2(channels + 1)))]
            kernel[[place for place in range(channels) if place not in used]] = 0
            key = size, dilation, bool(rng.integers(2))
            self.groups.setdefault(key, []).append((kernel, rng.uniform(-1, 1)))

    def __call__(self, signals: Sequence[Tensor]) -> Tensor:
        """(signals, 2 * kernels)."""
        x = torch.stack([self._fitted(each) for each in signals])
        rows = []
        for part in x.split(64):
            found = []
            for (size, dilation, padded), kernels in self.groups.items():
                weights = torch.tensor(np.stack([kernel for kernel, _ in kernels]), dtype=torch.float32)
                bias = torch.tensor([offset for _, offset in kernels], dtype=torch.float32)
                pad = (size - 1) * dilation // 2 if padded or self.length <= (size - 1) * dilation else 0
                y = F.conv1d(part, weights, bias, padding=pad, dilation=dilation)
                found += [y.amax(2), (y > 0).float().mean(2)]
            rows.append(torch.cat(found, dim=1))
        return torch.cat(rows)

    def _fitted(self, signal: Tensor) -> Tensor:
        if len(signal) > self.length:
            places = torch.linspace(0, len(signal) - 1, self.length).round().long()
            signal = signal[places]
        return F.pad(signal, (0, 0, 0, self.length - len(signal))).T


def _ridge(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weights, offset, and what is predicted of each item by the others; with the ridge that errs least."""
    offset = y.mean(0)
    values, vectors = torch.linalg.eigh(x @ x.T)
    rotated = vectors.T @ (y - offset)
    best = None
    for ridge in RIDGES:
        inverse = vectors / (values.clamp(min=0) + ridge)
        dual = inverse @ rotated
        missed = dual / (inverse * vectors).sum(1, keepdim=True)  # leave-one-out residuals in closed form
        error = missed.square().mean().item()
        if best is None or error < best[0]:
            best = error, dual, y - missed
    return x.T @ best[1], offset, best[2]
