"""A core without memory: each state depends on the last frames only, as when frames are stacked."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Window(nn.Module):
    """A feed-forward network over the last frames, to compare a recurrent core with.

    Args:
        input_size: features per frame.
        hidden_size: hidden units per layer.
        num_layers: number of layers.
        frames: that a state depends on: the present one and those right before it, zeros before the first.
            1 is a network without any memory.
    """

    bidirectional = False

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, frames: int = 1):
        super().__init__()
        if min(input_size, hidden_size, num_layers, frames) < 1:
            raise ValueError("input_size, hidden_size, num_layers and frames must be at least 1")
        self.input_size, self.output_size, self.frames = input_size, hidden_size, frames
        sizes = [frames * input_size] + [hidden_size] * num_layers
        layers = [[nn.Linear(*pair), nn.Tanh()] for pair in zip(sizes, sizes[1:], strict=False)]
        self.layers = nn.Sequential(*(part for layer in layers for part in layer))

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, input_size), padded at the end -> (batch, time, hidden_size); and `lengths`."""
        return self.stream(x)[0], lengths

    def stream(self, x: Tensor, state: list | None = None) -> tuple[Tensor, list]:
        """The next chunk of sequences, and the state behind it, as of `BiLSTM.stream`.

        Args:
            x: (batch, time, input_size), all frames valid.
            state: a list of the last frames, (frames - 1, batch, input_size); None at the start.
        """
        if state is None:
            state = [x.new_zeros(self.frames - 1, x.size(0), self.input_size)]
        x = torch.cat([state[0].transpose(0, 1), x], dim=1)
        length = x.size(1) - self.frames + 1
        stacked = torch.cat([x[:, place : place + length] for place in range(self.frames)], dim=2)
        return self.layers(stacked), [x[:, length:].transpose(0, 1)]

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths unchanged: one output frame per input frame."""
        return lengths
