"""CTC training of an ink model on cached strokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from encoders.pen import trace
from recipes.ink.augment import vary
from recipes.ink.options import InkAugmentation
from recipes.learning.reading_task import ReadingTask, Sample, padded


class InkTask(ReadingTask):
    """See `ReadingTask`; the cache holds levelled ink as `flat` writes it."""

    def eased(self, augmentation: InkAugmentation) -> InkAugmentation:
        slant, warp = augmentation.slant / 2, augmentation.warp / 2
        return replace(augmentation, slant=slant, warp=warp, noise=0.0, drop=0.0)

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        augmentation = self.easy_augmentation if self.easing else self.augmentation
        spacing = self.model.front_end.spacing
        lines = []
        for (sample,) in batch:
            strokes, factor = vary(unflat(self.cache[sample.index]), augmentation, generator)
            lines.append(torch.from_numpy(trace(strokes, factor * spacing).features))
        return padded(lines)

    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        points, lengths = inputs
        return self.unmasked(self.model.front_end, (points.repeat(views, 1, 1), lengths.repeat(views)))

    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        return front_end(*(each.to(self.device) for each in inputs))

    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        spacing = self.model.front_end.spacing
        traced = [trace(unflat(self.cache[sample.index]), spacing) for sample in samples]
        points = padded([torch.from_numpy(each.features) for each in traced])
        return self.unmasked(self.model.front_end, points)


def flat(strokes: Sequence[np.ndarray]) -> Tensor:
    """Strokes of (points, 2) each -> (all points, 3): x, y, and the number of the stroke."""
    rows = [np.column_stack([stroke, np.full(len(stroke), index)]) for index, stroke in enumerate(strokes)]
    return torch.from_numpy(np.concatenate(rows).astype(np.float32))


def unflat(points: Tensor) -> list[np.ndarray]:
    """What `flat` was made of, strokes without points left out."""
    rows = points.numpy().astype(np.float64)
    return np.split(rows[:, :2], np.flatnonzero(np.diff(rows[:, 2])) + 1)
