"""Ink front end: features of equally spaced points along the pen's path (`encoders.pen`) -> convolutions."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.pen import NAMES


class Strokes(nn.Module):
    """Front end for ink: the points that `encoders.pen.trace` computes from strokes -> frames.

    Args:
        output_size: features per output frame.
        channels: output channels of each convolution.
        kernel: width of each convolution, in points.
        strides: stride of each convolution, over time.
        spacing: distance of the points in core heights, for `trace`.
        dropout: dropout on the output.
    """

    min_length = 1  # points

    def __init__(
        self,
        output_size: int = 128,
        channels: int = 64,
        kernel: int = 5,
        strides: tuple[int, ...] = (2, 2),
        spacing: float = 0.25,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.strides = tuple(strides)
        if not self.strides or min(self.strides) < 1:
            raise ValueError(f"strides must be numbers from 1 upwards, not {strides}")
        if min(channels, output_size) < 1 or kernel < 1 or kernel % 2 == 0:
            raise ValueError("channels and output_size must be at least 1, and kernel an odd number")
        if not 0.02 <= spacing <= 2:
            raise ValueError(f"spacing must be from 0.02 to 2 core heights, not {spacing}")
        self.output_size = output_size
        self.spacing = spacing
        self.convolutions = nn.ModuleList()
        inputs = len(NAMES)
        for stride in self.strides:
            self.convolutions.append(nn.Conv1d(inputs, channels, kernel, stride, padding=kernel // 2))
            inputs = channels
        self.project = nn.Linear(channels, output_size)
        self.norm = nn.LayerNorm(output_size)
        self.dropout = dropout

    @property
    def frame_points(self) -> int:
        """Points per output frame; frame i lies at point i * frame_points."""
        return prod(self.strides)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, points, features) and lengths -> (batch, frames, output_size) and lengths in frames."""
        if x.dim() != 3 or x.size(2) != len(NAMES):
            raise ValueError(f"x must be (batch, points, {len(NAMES)}), not {tuple(x.shape)}")
        x = _masked(x.transpose(1, 2), lengths)  # (B, F, T)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            lengths = (lengths - 1) // stride + 1
            x = _masked(F.relu(convolution(x)), lengths)  # (B, C, T')
        x = self.norm(self.project(x.transpose(1, 2)))  # (B, T', output_size)
        return F.dropout(x, self.dropout, self.training), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        for stride in self.strides:
            lengths = (lengths - 1) // stride + 1
        return lengths


def _masked(x: Tensor, lengths: Tensor) -> Tensor:
    """Set the padding of (batch, channels, time) to zero."""
    padding = torch.arange(x.size(2), device=x.device) >= lengths.to(x.device)[:, None]
    return x.masked_fill(padding[:, None], 0.0)
