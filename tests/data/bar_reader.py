"""A handwriting model that needs no training: it reads bars, so that its answers are known beforehand."""

from __future__ import annotations

import math
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional as F

from decoders.alphabet import Alphabet
from pipelines.model import SequenceModel
from tests.data.given import Given

SIZES = (
    {"kind": "line_image", "height": 32, "channels": [2, 2], "pools": [[2, 2], [2, 2]], "output_size": 4},
    {"kind": "bilstm", "hidden_size": 4, "num_layers": 1},
    {"kind": "ctc"},
)

A, B = 2, 3  # labels
LOW, HALF, FULL = 0.04, 0.25, 0.65  # shares of ink in a column that tell bars from one another


class BarReader(SequenceModel):
    """Reads what `tests.data.pictures.bars` draws: a and b by their height, spaces too; one spike each."""

    def __init__(self, right_to_left: bool = False, alphabet: str = " ab"):
        front_end, core, decoder = SIZES
        front_end = front_end | {"right_to_left": right_to_left}
        super().__init__("handwriting", front_end, core, decoder, Alphabet(alphabet), name="bars")
        self.decoder = Given()
        self.batches: list[tuple[int, int]] = []
        """(lines, columns) of each batch that it was given."""

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        self.batches.append(tuple(x.shape[:2]))
        stride = self.front_end.stride
        x = F.pad(x, (0, 0, 0, -x.size(1) % stride)).float() / 255  # (B, T, H)
        ink = x.mean(dim=2).unflatten(1, (-1, stride)).amax(dim=2)  # the highest bar in each frame, (B, T')
        labels = torch.zeros_like(ink, dtype=torch.long)
        for row, heights in enumerate(ink.tolist()):
            start = 0
            for bar, frames in groupby(heights, key=lambda height: height > LOW):
                frames = list(frames)
                if bar:
                    labels[row, start] = 1 if max(frames) < HALF else 3 if max(frames) < FULL else 2
                start += len(frames)
        return torch.where(F.one_hot(labels, len(self.alphabet)) > 0, -0.1, -9.0), -(-lengths // stride)


class Doubtful(BarReader):
    """Where it reads a, it might as well have been b."""

    def states(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        scores, frames = super().states(x, lengths)
        is_a = scores.argmax(dim=2) == A
        scores[is_a, A], scores[is_a, B] = math.log(0.5), math.log(0.45)
        return scores, frames
