"""What training means for translators: batches of sentences of similar length, the loss, validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import Objective
from pipelines.model import SequenceModel
from pipelines.reading.settings import TranslationOptions
from pipelines.translation import search_for
from recipes.learning.training import Maker
from recipes.text.batches import by_length
from recipes.translation.options import TeachingOptions
from recipes.translation.scores import bleu_of

AT_ONCE = 128  # sentences that are translated at once in validation
GREEDY = TranslationOptions(width=1, length_power=0.0, coverage=0.0)


@dataclass(frozen=True)
class Pair:
    """The ids of a text's tokens, (time,), the labels of its translation, and the translation."""

    ids: Tensor
    labels: list[int]
    text: str


class TranslationTask(nn.Module):
    """Training of a model that translates.

    Args:
        teaching: of the decoder.
        epochs: of the run.
        seed: of the order of the sentences.
    """

    laborious = False
    criterion = "missed_bleu"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Pair],
        valid: Sequence[Pair],
        teaching: TeachingOptions,
        epochs: int,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.teaching, self.epochs = teaching, epochs
        self.batch_size, self.seed = batch_size, seed
        self.sampling = 0.0

    def forward(self, batch: tuple[Tensor, Tensor, list[list[int]]]) -> Tensor:
        x, lengths, targets = batch
        device = next(self.model.parameters()).device
        states, lengths = self.model.states(x.to(device), lengths.to(device))
        states = F.dropout(states, self.model.core.dropout, self.training)
        objective = Objective(self.sampling, self.teaching.smoothing)
        losses = self.model.decoder.loss(states, lengths, targets, objective)
        return losses.sum() / sum(len(target) + 1 for target in targets)

    def begin(self, epoch: int) -> None:
        self.sampling = self.teaching.sampling * epoch / self.epochs

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        batches = by_length(self.train_items, _length, self.batch_size, chooser)
        return [Maker(partial(collated, batch), len(batch) * sum(_length(batch[-1]))) for batch in batches]

    def evaluate(self) -> dict[str, float]:
        """What greedy translations lack to a BLEU of 100 %."""
        found = translated(self.model, self.valid_items)
        bleu = bleu_of(found, [pair.text for pair in self.valid_items])
        return {"missed_bleu": max(0.0, 1 - bleu / 100)}


def _length(pair: Pair) -> tuple[int, int]:
    return len(pair.labels), len(pair.ids)


def collated(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, list[list[int]]]:
    """Texts as one batch: padded ids, their lengths, and the labels of each translation."""
    ids = pad_sequence([pair.ids for pair in pairs], batch_first=True)
    return ids, torch.tensor([len(pair.ids) for pair in pairs]), [pair.labels for pair in pairs]


@torch.inference_mode()
def translated(model: SequenceModel, pairs: Sequence[Pair]) -> list[str]:
    """The greedy translation of each text, by a model in evaluation mode."""
    model.eval()
    device = next(model.parameters()).device
    search = search_for(model, GREEDY)
    order = sorted(range(len(pairs)), key=lambda place: len(pairs[place].ids))
    found = [""] * len(pairs)
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        x, lengths, _ = collated([pairs[place] for place in places])
        states, lengths = model.states(x.to(device), lengths.to(device))
        for place, labels in zip(places, model.decoder.read(states.float(), lengths, search), strict=True):
            found[place] = model.decode(labels.ids)
    return found
