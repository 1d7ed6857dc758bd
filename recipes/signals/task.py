"""What training means for signals: varied and mixed batches; validation is that of texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from pipelines.signal_model import SignalModel
from recipes.learning.training import Maker
from recipes.signals.augment import mixed, varied
from recipes.signals.options import SignalRecipeOptions
from recipes.text.batches import by_length
from recipes.text.task import Sample, TextTask, collated


class Batch(NamedTuple):
    """Signals, each mixed with another.

    Attributes:
        x, lengths: padded signals, and the samples of each.
        targets, others: labels of the two that are mixed.
        share: of the first in the mixture.
    """

    x: Tensor
    lengths: Tensor
    targets: list[list[int]]
    others: list[list[int]]
    share: float = 1.0


class SignalTask(TextTask):
    """Training of a model that tells the classes of signals, whose `Sample.ids` are (time, 1 + channels)."""

    def __init__(
        self,
        model: SignalModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        options: SignalRecipeOptions,
        *,
        batch_size: int,
        seed: int,
    ):
        super().__init__(model, train, valid, options.loss, batch_size, seed)
        self.augmentation = options.augmentation
        self.spread = model.front_end.spread.detach().cpu().clone()

    def begin(self, epoch: int) -> None:
        """The network learns by itself, without the linear model."""
        if self.model.front_end.beside:
            self.model.decoder.share.fill_(1.0)

    def forward(self, batch: Batch) -> Tensor:
        device = self.class_weights.device
        states = self.model.states(batch.x.to(device), batch.lengths.to(device))
        total = 0.0
        for part, labels in ((batch.share, batch.targets), (1 - batch.share, batch.others)):
            if part:
                losses = self.model.decoder.loss(*states, labels, self.objective)
                weights = self.class_weights[[label for (label,) in labels]]
                total = total + part * (losses * weights).sum() / weights.sum()
        return total

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        batches = by_length(self.train_items, lambda sample: len(sample.ids), self.batch_size, chooser)
        return [
            Maker(partial(self._made, batch, chooser.getrandbits(62)), len(batch) * len(batch[-1].ids))
            for batch in batches
        ]

    def _made(self, chosen: Sequence[Sample], seed: int) -> Batch:
        generator, chooser = torch.Generator().manual_seed(seed), random.Random(seed)
        samples = [
            Sample(varied(each.ids, self.spread, self.augmentation, generator), each.label) for each in chosen
        ]
        order, share, mixup = list(range(len(chosen))), 1.0, self.augmentation.mixup
        if mixup:
            share = chooser.betavariate(mixup, mixup)
            chooser.shuffle(order)
            samples = [
                Sample(mixed(one.ids, samples[other].ids, share), one.label)
                for one, other in zip(samples, order, strict=True)
            ]
        return Batch(*collated(samples), [[chosen[other].label] for other in order], share)
