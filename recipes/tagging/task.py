"""What training means for taggers: batches of sentences of similar length, the loss, validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from pipelines.model import SequenceModel
from recipes.learning.training import Maker
from recipes.text.batches import by_length

AT_ONCE = 128  # sentences that are tagged at once


@dataclass(frozen=True)
class Sample:
    """What the front end takes of a sentence, (time, ...), and the label of each token."""

    inputs: Tensor
    labels: list[int]


class TaggingTask(nn.Module):
    """Training of a model that labels each token.

    Args:
        seed: of the order of the sentences.
    """

    laborious = False
    criterion = "error"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.batch_size, self.seed = batch_size, seed

    def forward(self, batch: tuple[Tensor, Tensor, list[list[int]]]) -> Tensor:
        x, lengths, targets = batch
        device = next(self.model.parameters()).device
        states = self.model.states(x.to(device), lengths.to(device))
        return self.model.decoder.loss(*states, targets).sum() / lengths.sum()

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the batches."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        batches = by_length(self.train_items, lambda sample: len(sample.labels), self.batch_size, chooser)
        return [Maker(partial(collated, batch), len(batch) * len(batch[-1].labels)) for batch in batches]

    def evaluate(self) -> dict[str, float]:
        found = tagged(self.model, self.valid_items)
        pairs = [
            (one, other)
            for sample, labels in zip(self.valid_items, found, strict=True)
            for one, other in zip(sample.labels, labels, strict=True)
        ]
        return {"error": sum(one != other for one, other in pairs) / len(pairs)}


def collated(samples: Sequence[Sample]) -> tuple[Tensor, Tensor, list[list[int]]]:
    """Sentences as one batch: padded inputs, their lengths, and the targets of each."""
    x = pad_sequence([sample.inputs for sample in samples], batch_first=True)
    return x, torch.tensor([len(sample.labels) for sample in samples]), [sample.labels for sample in samples]


@torch.inference_mode()
def tagged(model: SequenceModel, samples: Sequence[Sample]) -> list[list[int]]:
    """The labels of the tokens of each sentence, by a model in evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    order = sorted(range(len(samples)), key=lambda place: len(samples[place].labels))
    found: list[list[int]] = [[] for _ in samples]
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        x, lengths, _ = collated([samples[place] for place in places])
        states, lengths = model.states(x.to(device), lengths.to(device))
        for place, labels in zip(places, model.decoder.read(states, lengths), strict=True):
            found[place] = each_token(labels)
    return found


def each_token(labels) -> list[int]:
    """The label of each frame, of decoders that read frames and of those that read segments."""
    spans = zip(labels.ids, labels.starts, labels.ends, strict=True)
    return [id for id, start, end in spans for _ in range(start, end)]
