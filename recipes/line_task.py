"""CTC training of a handwriting model on cached line images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from recipes.line_augment import LineAugmentation, blot, vary
from recipes.reading_task import ReadingTask, Sample, padded


class LineTask(ReadingTask):
    """See `ReadingTask`; the cache holds prepared lines, (columns, height) uint8."""

    eased_until = 0.3

    def eased(self, augmentation: LineAugmentation) -> LineAugmentation:
        slant, elastic = augmentation.slant / 2, augmentation.elastic / 2
        return replace(augmentation, slant=slant, elastic=elastic, noise=0.0, show_through=0.0)

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        augmentation = self.easy_augmentation if self.easing else self.augmentation
        random = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        lines = [self.cache[sample.index].numpy().T for (sample,) in batch]
        varied = [
            vary(line, augmentation, random, behind=lines[place - 1]) for place, line in enumerate(lines)
        ]
        return padded([torch.from_numpy(line.T) for line in varied])

    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        # What convolutions make of a masked image is as blank, and they need run only once for all views.
        front_end = self.model.front_end
        columns, lengths = front_end(*(each.to(self.device) for each in inputs))
        height = front_end.height / front_end.stride
        if not self.easing:
            columns = torch.cat([blot(columns, lengths, height, self.augmentation) for _ in range(views)])
        return columns, lengths.repeat(views)

    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        lines, lengths = padded([self.cache[sample.index] for sample in samples])
        return self.model.front_end(lines.to(self.device), lengths.to(self.device))
