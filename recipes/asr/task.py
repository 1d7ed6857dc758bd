"""CTC training of a speech model on cached waveforms."""

from __future__ import annotations

import copy
import random
from dataclasses import replace

import torch
from torch import Tensor, nn

from pipelines.model import SequenceModel
from recipes.asr.augment import Variants, breathed, spec_augment
from recipes.asr.options import CARRIED, AsrOptions, SpeechAugmentation
from recipes.asr.surroundings import VOICES, Surroundings, speechless, uniform
from recipes.learning.reading_task import ReadingTask, Sample, Samples, padded
from recipes.learning.teacher import Teacher

LOUDEST = 32767  # of 16 bits
NOBODY = -1  # index of a sample in which nobody speaks
SPEECHLESS = 0.5, 8.0  # seconds that it can last


class SpeechTask(ReadingTask):
    """See `ReadingTask`; the cache holds waveforms of 16 bits, (samples, 1)."""

    def __init__(
        self,
        model: SequenceModel,
        samples: Samples,
        options: AsrOptions,
        teacher: Teacher | None = None,
        reads: bool = False,
    ):
        super().__init__(model, samples, options, teacher, reads)
        self.join = self.augmentation.join
        log_mel = copy.deepcopy(model.front_end.log_mel).cpu()
        around = Surroundings.of(options.noises, options.rooms, log_mel.sample_rate)
        self.variants = Variants(log_mel, around)

    def eased(self, augmentation: SpeechAugmentation) -> SpeechAugmentation:
        speed = min(0.1, augmentation.speed)
        still = dict.fromkeys(("tract", "clean", "noise", "telephone", "speechless", *CARRIED), 0.0)
        return replace(augmentation, speed=speed, **still)

    def _joined(self, chooser: random.Random, share: float) -> list[list[Sample]]:
        """Also samples in which nobody speaks."""
        groups = super()._joined(chooser, share)
        rate = self.variants.rate
        for _ in range(round(self._augmentation.speechless * len(groups))):
            groups.append([Sample(NOBODY, round(chooser.uniform(*SPEECHLESS) * rate), [], None)])
        chooser.shuffle(groups)
        return groups

    @property
    def _augmentation(self) -> SpeechAugmentation:
        return self.easy_augmentation if self.easing else self.augmentation

    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        options = self._augmentation
        mels, floors = [], []
        for group in batch:
            if group[0].index == NOBODY:
                around, rate = self.variants.around, self.variants.rate
                sound = speechless(around, options, group[0].length, rate, generator)
                mels.append(self.variants.mel(self.variants.power(sound)))
            else:
                others = [each[0] for each in batch if each[0].index not in (NOBODY, group[0].index)]
                others = [other for other in others if other.group is None or other.group != group[0].group]
                voices = [self._waveform(other) for other in others[:VOICES]] if options.babble else []
                mels.append(
                    self.variants.of([self._waveform(each) for each in group], voices, options, generator)
                )
            floors.append(uniform(*options.floor, generator))
        return (*padded(mels), torch.tensor(floors))

    def _waveform(self, sample: Sample) -> Tensor:
        return self.cache[sample.index][:, 0] / LOUDEST

    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        features, frames = self._features(self.model.front_end, inputs)
        if not self.easing:
            features = torch.cat([spec_augment(features, self.augmentation) for _ in range(views)])
        return self.model.front_end.subsampling(features, frames.repeat(views))

    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        return front_end.subsampling(*self._features(front_end, inputs))

    def _features(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        mel, frames, floors = (each.to(self.device) for each in inputs)
        return front_end.log_mel.levelled(mel, frames, floors), frames

    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        heard = [breathed(self._waveform(sample), self.variants.rate) for sample in samples]
        waveforms, lengths = padded(heard)
        return self.model.front_end(waveforms.to(self.device), lengths.to(self.device))


def stored(waveform: Tensor) -> Tensor:
    """(samples,) float32 -> (samples, 1) for the cache."""
    return (waveform * LOUDEST).round().clamp(-LOUDEST - 1, LOUDEST).unsqueeze(1)
