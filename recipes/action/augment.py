"""Clips varied for training, as features or as frames: mirrored, cut, faster or slower, backwards."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from encoders.motion import CELL, backwards


@dataclass(frozen=True)
class ClipAugmentation:
    """How far training varies clips."""

    mirror: bool = True
    """Also show clips in a mirror; off where left and right tell classes apart."""
    crop: float = 0.12
    """Largest share that is cut off each end of a clip."""
    speed: float = 0.3
    """Clips run up to so much faster or slower: 0.3 is between 1 / 1.3 and 1.3 times as fast."""
    opposites: tuple[str, ...] = ()
    """Clips also run backwards, under another label: enter_=leave_ turns a clip of enter_bow into one
    of leave_bow and the other way round. Only where that is what happens."""

    def __post_init__(self):
        if not 0 <= self.crop < 0.5 or not self.speed >= 0:
            raise ValueError(f"crop is a share below 0.5, speed 0 or more, not {self.crop} and {self.speed}")
        for pair in self.opposites:
            if len(pair.split("=")) != 2 or not all(pair.split("=")):
                raise ValueError(f"opposites are beginnings of labels as enter_=leave_, not {pair!r}")

    def opposite(self, label: str) -> str | None:
        """What a clip of the label shows when it runs backwards; None where nobody said."""
        for pair in self.opposites:
            one, other = pair.split("=")
            for before, after in ((one, other), (other, one)):
                if label.startswith(before):
                    return after + label.removeprefix(before)
        return None


def stretch(length: int, options: ClipAugmentation, generator: torch.Generator) -> Tensor:
    """Numbers of the frames of a clip that is cut and runs at another speed, at least one."""
    first, cut, pace = torch.rand(3, generator=generator).tolist()
    start = first * options.crop * length
    stop = length - cut * options.crop * length
    speed = (1 + options.speed) ** (2 * pace - 1)
    count = max(1, round((stop - start) / speed))
    return torch.linspace(start, max(start, stop - 1), count).round().long().clamp(0, length - 1)


def reversed_features(x: Tensor, cells: int) -> Tensor:
    """(time, features) of `Frames.features`, or frames, of the clip as it runs backwards.

    Args:
        cells: across and down of the motion among the features; 0 is none.
    """
    if not cells:
        return x.flip(0)
    moves = cells * cells * CELL
    moved = backwards(x[:, -moves:].numpy(), (cells, cells))
    return torch.cat([x[:, :-moves].flip(0), torch.from_numpy(moved)], dim=1)
