"""Signal front end: any channels over time, with gaps, uneven sampling and mixed scales -> vectors."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.random_kernels import RandomKernels, carried

SCALINGS = ("data", "own", "none")
FARTHEST = 20.0  # standard deviations to which values are clipped
LEAST = 1e-6  # standard deviation relative to the mean, below which a channel is constant


class Signals(nn.Module):
    """Scales the channels of a signal, fills its gaps and convolves it over time.

    A missing value is the last one seen, which decays towards the mean of its channel at a learnt rate, and
    beside it the network sees what is missing and for how long (Che et al. 2018, "Recurrent neural networks
    for multivariate time series with missing values"). So nothing is interpolated from the future, and time
    steps may be of any length.

    Args:
        channels: of the signal.
        filters: of each convolution; the last number is that of the features of a frame.
        kernels: frames that each convolution sees, odd numbers.
        strides: frames of each convolution for one of the next.
        scaling: "data" takes the mean and the standard deviation of each channel from the training data
            (`fit`), "own" from the signal itself, whatever its units and offset; "none" leaves values alone.
        differences: whether the network also sees by how much each value differs from the one before.
        gaps: whether it sees what is missing, and for how long.
        sample_rate: samples a second at which readers give it signals; 0 is as they are.
        names: of the channels, by which readers find them; empty takes them in their order.
        dropout: dropout after each convolution.
        random_kernels: of the linear model that lies beside (`skip`); 0 is none.
        usual: samples of a usual signal, for these kernels.
        labels: outputs of that model.

    Raises:
        ValueError: sizes below 1, even kernels, numbers of sizes that differ, or an unknown scaling.
    """

    exact = ("centre", "spread", "step", *(f"beside.{name}" for name in RandomKernels.exact))
    """Buffers that a model file keeps in 32 bits: a mean of 1013.2 hPa would be lost in 16."""

    def __init__(
        self,
        channels: int,
        filters: tuple[int, ...] = (64, 64),
        kernels: tuple[int, ...] = (7, 5),
        strides: tuple[int, ...] = (1, 1),
        scaling: str = "data",
        *,
        differences: bool = True,
        gaps: bool = True,
        sample_rate: float = 0.0,
        names: tuple[str, ...] = (),
        dropout: float = 0.0,
        random_kernels: int = 0,
        usual: int = 1,
        labels: int = 1,
    ):
        super().__init__()
        if scaling not in SCALINGS:
            raise ValueError(f"scaling must be one of {SCALINGS}, not {scaling!r}")
        if not filters or not len(filters) == len(kernels) == len(strides):
            raise ValueError("filters, kernels and strides must be as many numbers each, at least one")
        if min(channels, *filters, *kernels, *strides) < 1 or not all(size % 2 for size in kernels):
            raise ValueError("channels, filters, kernels and strides must be at least 1, kernels odd")
        if names and len(names) != channels:
            raise ValueError(f"{len(names)} names for {channels} channels")
        self.channels, self.output_size = channels, filters[-1]
        self.strides, self.scaling = tuple(strides), scaling
        self.differences, self.gaps = differences, gaps
        self.sample_rate, self.names = sample_rate, tuple(names)
        self.dropout = dropout
        self.register_buffer("centre", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))
        self.register_buffer("step", torch.ones(1))
        self.decay = nn.Parameter(torch.full((channels,), -3.0))
        sizes = [channels * (1 + differences + 2 * gaps), *filters]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(sizes[place], sizes[place + 1], kernel, stride, kernel // 2)
            for place, (kernel, stride) in enumerate(zip(kernels, strides, strict=True))
        )
        self.norms = nn.ModuleList(map(nn.LayerNorm, filters))
        self.beside = RandomKernels(channels, random_kernels, usual, labels) if random_kernels else None

    @torch.no_grad()
    def fit(self, signals: list[Tensor]) -> None:
        """Take the mean and standard deviation of each channel, and the usual time step, from training data.

        Args:
            signals: (time, 1 + channels) each, as `forward` takes them.
        """
        frames = torch.cat(signals).double()
        seen = frames[:, 1:].isfinite()
        count = seen.sum(0).clamp(min=1)
        values = frames[:, 1:].where(seen, 0.0)
        centre = values.sum(0) / count
        spread = (((values - centre) ** 2 * seen).sum(0) / count).sqrt()
        self.centre.copy_(centre)
        self.spread.copy_(torch.where(spread > LEAST * centre.abs().clamp(min=LEAST), spread, 1.0))
        steps = torch.cat([signal[1:, 0] for signal in signals])
        steps = steps[steps > 0]
        self.step.fill_(steps.median().item() if len(steps) else 1.0)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Signals -> features.

        Args:
            x: (batch, time, 1 + channels): the seconds since the sample before, 0 for the first; and the
                value of each channel, NaN where it is missing. Padded at the end with any values.
            lengths: (batch,) valid samples of each signal.

        Returns:
            (batch, frames, filters[-1]) features, 0 in the padding, and the frames of each.

        Raises:
            ValueError: x is of another shape.
        """
        if x.dim() != 3 or x.size(2) != 1 + self.channels:
            wanted = f"(batch, time, 1 + {self.channels})"
            raise ValueError(f"the front end reads {wanted}, not {tuple(x.shape)}")
        inside = (torch.arange(x.size(1), device=x.device) < lengths.to(x.device)[:, None])[..., None]
        seen = x[..., 1:].isfinite() & inside
        values = self._scaled(x[..., 1:].where(seen, 0.0), seen)
        time = (x[..., :1].where(inside, 0.0) / self.step).cumsum(1)  # (B, T, 1)
        y = self._filled(values, seen, time).where(inside, 0.0).transpose(1, 2)  # (B, features, T)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            lengths = -(-lengths // convolution.stride[0])
            y = F.gelu(norm(convolution(y).transpose(1, 2)))
            y = F.dropout(y, self.dropout, self.training)
            inside = torch.arange(y.size(1), device=x.device) < lengths.to(x.device)[:, None]
            y = (y * inside[..., None]).transpose(1, 2)
        return y.transpose(1, 2), lengths

    def skip(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, labels) outputs of the linear model beside the network, where there is one."""
        return self.beside(self.plain(x, lengths), lengths)

    def plain(self, x: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, channels) scaled values, the last one that was seen in the place of missing ones."""
        inside = (torch.arange(x.size(1), device=x.device) < lengths.to(x.device)[:, None])[..., None]
        seen = x[..., 1:].isfinite() & inside
        return carried(self._scaled(x[..., 1:].where(seen, 0.0), seen), seen)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """A frame for as many samples as the product of the strides, rounded up."""
        for stride in self.strides:
            lengths = -(-lengths // stride)
        return lengths

    def _scaled(self, values: Tensor, seen: Tensor) -> Tensor:
        """Values in standard deviations from their mean, 0 where they are missing."""
        if self.scaling == "none":
            return values
        centre, spread = self.centre, self.spread
        if self.scaling == "own":
            count = seen.sum(1, keepdim=True).clamp(min=1)
            centre = values.sum(1, keepdim=True) / count
            spread = (((values - centre) ** 2 * seen).sum(1, keepdim=True) / count).sqrt()
            spread = torch.where(spread > LEAST * centre.abs().clamp(min=LEAST), spread, 1.0)
        return ((values - centre) / spread).clamp(-FARTHEST, FARTHEST).where(seen, 0.0)

    def _filled(self, values: Tensor, seen: Tensor, time: Tensor) -> Tensor:
        """(batch, time, features): values, their differences, what is seen, and how long ago it was."""
        place = torch.arange(values.size(1), device=values.device)[:, None]
        latest = torch.where(seen, place, -1).cummax(1).values  # (B, T, channels)
        known, latest = latest >= 0, latest.clamp(min=0)
        since = time - time.expand_as(values).gather(1, latest).where(known, -1.0)
        carried = values.gather(1, latest).where(known, 0.0)
        filled = torch.where(seen, values, carried * torch.exp(-F.softplus(self.decay) * since))
        features = [filled]
        if self.differences:
            features.append(F.pad(filled[:, 1:] - filled[:, :-1], (0, 0, 1, 0)))
        if self.gaps:
            features += [seen.to(values.dtype), torch.log1p(since)]
        return torch.cat(features, dim=2)
