"""Training augmentation of clips, as features or frames: mirroring, cropping, changes of speed, reversal."""

from __future__ import annotations

import torch
from torch import Tensor

from encoders.motion import CELL, backwards
from recipes.action.options import ClipAugmentation


def stretch(length: int, options: ClipAugmentation, generator: torch.Generator) -> Tensor:
    """Indices of the frames of a cropped clip at another speed, at least one."""
    first, cut, pace = torch.rand(3, generator=generator).tolist()
    start = first * options.crop * length
    stop = length - cut * options.crop * length
    speed = (1 + options.speed) ** (2 * pace - 1)
    count = max(1, round((stop - start) / speed))
    return torch.linspace(start, max(start, stop - 1), count).round().long().clamp(0, length - 1)


def reversed_features(x: Tensor, cells: int) -> Tensor:
    """Reverse a clip in time: (time, features) from `Frames.features`, or frames.

    Args:
        cells: rows and columns of the motion grid among the features; 0 for none.
    """
    if not cells:
        return x.flip(0)
    moves = cells * cells * CELL
    moved = backwards(x[:, -moves:].numpy(), (cells, cells))
    return torch.cat([x[:, :-moves].flip(0), torch.from_numpy(moved)], dim=1)
