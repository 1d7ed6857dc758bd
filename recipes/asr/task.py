"""CTC training of a speech model on cached power spectrograms."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from pipelines.model import SequenceModel
from recipes.asr.augment import WARPS, spec_augment, uniform, vary
from recipes.asr.options import SpeechAugmentation
from recipes.learning.options import RecogniserOptions
from recipes.learning.reading_task import ReadingTask, Sample, Samples, padded
from recipes.learning.teacher import Teacher


class SpeechTask(ReadingTask):
    """See `ReadingTask`; the cache holds power spectrograms in dB, (frames, bins)."""

    def __init__(
        self,
        model: SequenceModel,
        samples: Samples,
        options: RecogniserOptions,
        teacher: Teacher | None = None,
        reads: bool = False,
    ):
        super().__init__(model, samples, options, teacher, reads)
        self.join = self.augmentation.join
        warped = [model.front_end.log_mel.warped_filterbank(warp) for warp in WARPS]
        self.register_buffer("filterbanks", torch.stack(warped), False)

    def eased(self, augmentation: SpeechAugmentation) -> SpeechAugmentation:
        speed = min(0.1, augmentation.speed)
        return replace(augmentation, tract=0.0, clean=0.0, noise=0.0, telephone=0.0, speed=speed)

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        augmentation = self.easy_augmentation if self.easing else self.augmentation
        powers, warps, floors = [], [], []
        for group in batch:
            parts = []
            for sample in group:
                power = from_decibel(self.cache[sample.index])
                power, warp = vary(power, self.model.front_end.log_mel, augmentation, generator)
                parts.append(power)
            powers.append(torch.cat(parts))
            warps.append(warp)
            floors.append(uniform(*augmentation.floor, generator))
        return (*padded(powers), torch.tensor(warps), torch.tensor(floors))

    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        features, frames = self._features(self.model.front_end, inputs)
        if not self.easing:
            features = torch.cat([spec_augment(features, self.augmentation) for _ in range(views)])
        return self.model.front_end.subsampling(features, frames.repeat(views))

    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        return front_end.subsampling(*self._features(front_end, inputs))

    def _features(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        power, frames, warps, floors = (each.to(self.device) for each in inputs)
        return front_end.log_mel.normalised(power, frames, self.filterbanks[warps], floors), frames

    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        power, frames = padded([from_decibel(self.cache[sample.index]) for sample in samples])
        power, frames = power.to(self.device), frames.to(self.device)
        front_end = self.model.front_end
        return front_end.subsampling(front_end.log_mel.normalised(power, frames), frames)


def to_decibel(power: Tensor) -> Tensor:
    return 10 * torch.log10(power.clamp_min(1e-12))


def from_decibel(decibel: Tensor) -> Tensor:
    return torch.exp(decibel * 0.2302585093)
