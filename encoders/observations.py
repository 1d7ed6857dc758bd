"""Front end for what an agent observes of its environment, a vector a step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LARGEST = 100_000  # numbers of an observation
LIMIT = 10.0  # standard deviations from the mean, beyond which numbers are cut
SMALLEST = 1e-4  # standard deviation that numbers are divided by


class Observations(nn.Module):
    """Numbers, normalised by what training has seen of them, or choices as one-hot vectors -> features.

    Args:
        output_size: features per step.
        shape: of an observation that is an array of numbers.
        choices: numbers of choices of each component, of an observation that is one or several choices.
        starts: the least value of each of these components.
        hidden: places, in the flattened observation, of components that the agent does not see.

    Raises:
        ValueError: both or neither of `shape` and `choices`, hidden parts that do not exist, or nothing left
            to see.
    """

    def __init__(
        self,
        output_size: int,
        shape: tuple[int, ...] = (),
        choices: tuple[int, ...] = (),
        starts: tuple[int, ...] = (),
        hidden: tuple[int, ...] = (),
    ):
        super().__init__()
        if bool(shape) == bool(choices):
            raise ValueError("an observation has either a shape or choices")
        if min(output_size, *shape, *choices) < 1:
            raise ValueError("sizes of an observation must be at least 1")
        if starts and len(starts) != len(choices):
            raise ValueError(f"{len(starts)} starts for {len(choices)} components")
        size = len(choices) or math.prod(shape)
        if max(size, sum(choices)) > LARGEST:
            raise ValueError(f"an observation has more than {LARGEST:,} numbers")
        if not set(hidden) <= set(range(size)):
            raise ValueError(f"hidden must be places from 0 to {size - 1}, not {list(hidden)}")
        self.shape, self.choices, self.hidden = tuple(shape), tuple(choices), tuple(hidden)
        self.starts = tuple(starts) or (0,) * len(choices)
        self.size, self.output_size = size, output_size
        self.seen = [place for place in range(size) if place not in hidden]
        if not self.seen:
            raise ValueError("all parts of the observation are hidden")
        width = sum(choices[place] for place in self.seen) if choices else len(self.seen)
        if not choices:
            self.register_buffer("mean", torch.zeros(width))
            self.register_buffer("deviation", torch.ones(width))
        self.project = nn.Linear(width, output_size)

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, time, size) flattened observations -> (batch, time, output_size), and `lengths`."""
        return torch.tanh(self.project(self.inputs(x))), lengths

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """The lengths unchanged: one output a step."""
        return lengths

    def inputs(self, x: Tensor) -> Tensor:
        """(..., size) flattened observations -> the numbers that the network computes with."""
        if self.choices:
            components = [(x[..., place] - self.starts[place]).long() for place in self.seen]
            hot = [F.one_hot(x, self.choices[i]) for x, i in zip(components, self.seen, strict=True)]
            return torch.cat(hot, dim=-1).to(self.project.weight.dtype)
        x = x[..., self.seen] if self.hidden else x
        return ((x - self.mean) / self.deviation.clamp(min=SMALLEST)).clamp(-LIMIT, LIMIT)
