"""What training means for texts: batches of texts of similar length, the loss, validation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import Objective
from pipelines.model import SequenceModel
from recipes.learning.training import Maker
from recipes.text.batches import by_length
from recipes.text.options import LossOptions

AT_ONCE = 256  # texts that are judged at once


@dataclass(frozen=True)
class Sample:
    """The ids of a text's tokens, (time,), and the label of its class, or its labels if it has several."""

    ids: Tensor
    label: int | tuple[int, ...]


class TextTask(nn.Module):
    """Training of a model that tells the classes of texts.

    Args:
        loss: weights of classes and of easy texts.
        seed: of the order of the texts.
    """

    laborious = False
    criterion = "brier"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        loss: LossOptions,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.objective = Objective(focal=loss.focal)
        self.batch_size, self.seed = batch_size, seed
        counts = Counter(label for sample in train for label in labels_of(sample))
        weights = torch.ones(len(model.alphabet))
        for label, count in counts.items():
            others = len(train) - count if model.decoder.several else len(train) / len(counts)
            weights[label] = (max(1.0, others) / count) ** loss.balance
        self.register_buffer("class_weights", weights, persistent=False)

    def forward(self, batch: tuple[Tensor, Tensor, list[list[int]]]) -> Tensor:
        x, lengths, targets = batch
        device = self.class_weights.device
        states = self.model.states(x.to(device), lengths.to(device))
        if self.model.decoder.several:
            objective = replace(self.objective, weights=self.class_weights)
            return self.model.decoder.loss(*states, targets, objective).mean()
        losses = self.model.decoder.loss(*states, targets, self.objective)
        weights = self.class_weights[[label for (label,) in targets]]
        return (losses * weights).sum() / weights.sum()

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the batches."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        batches = by_length(self.train_items, lambda sample: len(sample.ids), self.batch_size, chooser)
        return [Maker(partial(collated, batch), len(batch) * len(batch[-1].ids)) for batch in batches]

    def evaluate(self) -> dict[str, float]:
        found = judged(self.model, self.valid_items)
        if self.model.decoder.several:
            return self._of_several(found)
        labels = torch.tensor([sample.label for sample in self.valid_items])
        wrong = (found.argmax(dim=1) != labels - 1).float().mean().item()
        right = torch.nn.functional.one_hot(labels - 1, found.shape[1])
        return {"error": wrong, "brier": ((found - right) ** 2).sum(dim=1).mean().item() / 2}

    def _of_several(self, found: Tensor) -> dict[str, float]:
        """What F1 over all labels at a threshold of 0.5 lacks to 1, and the mean square."""
        true = torch.zeros_like(found)
        for row, sample in enumerate(self.valid_items):
            true[row, [label - 1 for label in labels_of(sample)]] = 1.0
        given = (found >= 0.5).float()
        f1 = 2 * (given * true).sum() / (given.sum() + true.sum()).clamp(min=1.0)
        return {"error": 1 - f1.item(), "brier": ((found - true) ** 2).mean().item()}


def labels_of(sample: Sample) -> list[int]:
    """The label of a sample, or its labels."""
    return list(sample.label) if isinstance(sample.label, tuple) else [sample.label]


def collated(samples: Sequence[Sample]) -> tuple[Tensor, Tensor, list[list[int]]]:
    """Texts as one batch: padded ids, their lengths, and the target of each."""
    ids = pad_sequence([sample.ids for sample in samples], batch_first=True)
    return ids, torch.tensor([len(sample.ids) for sample in samples]), list(map(labels_of, samples))


@torch.inference_mode()
def judged(model: SequenceModel, samples: Sequence[Sample]) -> Tensor:
    """(texts, classes) probabilities, by a model in evaluation mode."""
    decoder = model.decoder
    return _of_all(model, samples, lambda x, *states: decoder.frame_probabilities(*states, x)[0][:, 0, 1:])


@torch.inference_mode()
def judged_apart(model: SequenceModel, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
    """(texts, num_labels) logits of the core and of the bag, by a model that has one."""
    core = _of_all(model, samples, lambda x, *states: model.decoder(*states)[0])
    return core, _of_all(model, samples, lambda x, states, lengths: model.decoder.bag(x, lengths))


def _of_all(model: SequenceModel, samples: Sequence[Sample], judge: Callable[..., Tensor]) -> Tensor:
    """What is said of each sample from its inputs, states and lengths; together those of similar length."""
    model.eval()
    device = next(model.parameters()).device
    order = sorted(range(len(samples)), key=lambda place: len(samples[place].ids))
    found = []
    for start in range(0, len(order), AT_ONCE):
        x, lengths, _ = collated([samples[place] for place in order[start : start + AT_ONCE]])
        x = x.to(device)
        found.append(judge(x, *model.states(x, lengths.to(device))).cpu())
    return torch.cat(found)[torch.tensor(order).argsort()]
