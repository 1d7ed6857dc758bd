"""What training means for signals: varied and mixed batches, a teacher; validation is that of texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from encoders.signals import Signals
from pipelines.model import SequenceModel
from recipes.learning.training import Maker
from recipes.signals.augment import mixed, varied
from recipes.signals.options import SignalRecipeOptions
from recipes.signals.random_kernels import KernelClassifier
from recipes.text.batches import by_length
from recipes.text.task import Sample, TextTask, collated


class Batch(NamedTuple):
    """Signals, each mixed with another.

    Attributes:
        x, lengths: padded signals, and the samples of each.
        targets, others: labels of the two that are mixed.
        share: of the first in the mixture.
        taught: (batch, classes) probabilities that the teacher gives; None without one.
    """

    x: Tensor
    lengths: Tensor
    targets: list[list[int]]
    others: list[list[int]]
    share: float = 1.0
    taught: Tensor | None = None


class SignalTask(TextTask):
    """Training of a model that tells the classes of signals, whose `Sample.ids` are (time, 1 + channels)."""

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        options: SignalRecipeOptions,
        *,
        batch_size: int,
        seed: int,
    ):
        super().__init__(model, train, valid, options.loss, batch_size, seed)
        self.augmentation, self.teaching = options.augmentation, options.teacher.teaching
        self.teacher = kernel_classifier(model, train) if self.teaching else None
        self.spread = model.front_end.spread.detach().cpu().clone()

    def forward(self, batch: Batch) -> Tensor:
        device = self.class_weights.device
        states = self.model.states(batch.x.to(device), batch.lengths.to(device))
        total = 0.0
        for part, labels in ((batch.share, batch.targets), (1 - batch.share, batch.others)):
            if part:
                losses = self.model.decoder.loss(*states, labels, self.objective)
                weights = self.class_weights[[label for (label,) in labels]]
                total = total + part * (losses * weights).sum() / weights.sum()
        if batch.taught is not None:
            log_probs = self.model.decoder(*states)[0].log_softmax(dim=1)[:, 1:]
            taught = -(batch.taught.to(device) * log_probs).sum(dim=1).mean()
            total = (total + self.teaching * taught) / (1 + self.teaching)
        return total

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        batches = by_length(self.train_items, lambda sample: len(sample.ids), self.batch_size, chooser)
        return [
            Maker(partial(self._made, batch, chooser.getrandbits(62)), len(batch) * len(batch[-1].ids))
            for batch in batches
        ]

    def _made(self, samples: Sequence[Sample], seed: int) -> Batch:
        generator, chooser = torch.Generator().manual_seed(seed), random.Random(seed)
        samples = [
            Sample(varied(each.ids, self.spread, self.augmentation, generator), each.label)
            for each in samples
        ]
        others, share, mixup = samples, 1.0, self.augmentation.mixup
        if mixup:
            share, others = chooser.betavariate(mixup, mixup), chooser.sample(samples, len(samples))
            samples = [
                Sample(mixed(one.ids, other.ids, share), one.label)
                for one, other in zip(samples, others, strict=True)
            ]
        taught = None
        if self.teacher:
            taught = self.teacher([plain_values(each.ids, self.model.front_end) for each in samples])
        return Batch(*collated(samples), [[each.label] for each in others], share, taught)


def kernel_classifier(model: SequenceModel, samples: Sequence[Sample]) -> KernelClassifier:
    """The baseline, learnt from these signals."""
    values = [plain_values(each.ids, model.front_end) for each in samples]
    labels = [each.label - 1 for each in samples]
    return KernelClassifier(values, labels, len(model.alphabet.symbols))


def plain_values(inputs: Tensor, front_end: Signals) -> Tensor:
    """(time, channels) scaled by the training data; the last value stands for a missing one."""
    values = (inputs[:, 1:] - front_end.centre) / front_end.spread
    seen = values.isfinite()
    place = torch.arange(len(values))[:, None]
    latest = torch.where(seen, place, -1).cummax(0).values
    return values.where(seen, 0.0).gather(0, latest.clamp(min=0)).where(latest >= 0, 0.0)
