"""What training means for risks: batches of stays, the loss of all steps and of the last, validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from pipelines.model import SequenceModel
from recipes.learning.training import Maker
from recipes.risk.options import RiskRecipeOptions
from recipes.risk.scores import auroc

AT_ONCE = 256  # stays that are judged at once
SHORTEST = 3  # steps of a stay that ends early


@dataclass(frozen=True)
class Sample:
    """What the front end takes of a stay, (steps, 1 + channels), and whether the event came."""

    inputs: Tensor
    label: int


class RiskTask(nn.Module):
    """Training of a model that tells a risk for each step."""

    laborious = False
    criterion = "missed_auroc"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        options: RiskRecipeOptions,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.options = options

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        device = next(self.model.parameters()).device
        x, lengths, labels = (part.to(device) for part in batch)
        states, lengths = self.model.states(x, lengths)
        log_probs = self.model.decoder.frame_log_probs(states, lengths)
        wanted = log_probs.gather(2, labels[:, None, None].expand(-1, log_probs.size(1), 1)).squeeze(2)
        inside = torch.arange(log_probs.size(1), device=device) < lengths[:, None]
        every = -(wanted * inside).sum(1) / lengths
        last = -wanted.gather(1, lengths[:, None] - 1).squeeze(1)
        weight = self.options.loss.every
        return (weight * every + (1 - weight) * last).mean()

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the batches."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.options.training.seed} {epoch}")
        chosen = chooser.sample(list(self.train_items), len(self.train_items))
        size = self.options.training.batch_size
        batches = [chosen[start : start + size] for start in range(0, len(chosen), size)]
        return [Maker(partial(self._made, batch, chooser.getrandbits(60)), len(batch)) for batch in batches]

    def _made(self, samples: Sequence[Sample], seed: int) -> tuple[Tensor, Tensor, Tensor]:
        generator, loss, rows = torch.Generator().manual_seed(seed), self.options.loss, []
        for sample in samples:
            x = sample.inputs
            ends, where = torch.rand(2, generator=generator).tolist()
            if ends < loss.cut and len(x) > SHORTEST:
                x = x[: SHORTEST + int(where * (len(x) - SHORTEST))]
            if loss.hidden:
                lost = torch.rand(x.shape, generator=generator) < loss.hidden
                lost[:, 0] = False  # which is time
                x = x.masked_fill(lost, float("nan"))
            rows.append(x)
        return *collated(rows), torch.tensor([sample.label for sample in samples])

    def evaluate(self) -> dict[str, float]:
        curves = risks_of(self.model, [sample.inputs for sample in self.valid_items])
        labels = np.array([sample.label for sample in self.valid_items])
        value = auroc(labels, np.array([curve[-1] for curve in curves]))
        return {"missed_auroc": 1 - value if np.isfinite(value) else 0.5}


def collated(rows: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Stays as one batch, and the steps of each."""
    return pad_sequence(list(rows), batch_first=True), torch.tensor(list(map(len, rows)))


@torch.inference_mode()
def risks_of(model: SequenceModel, stays: Sequence[Tensor]) -> list[np.ndarray]:
    """(steps,) risks of each stay, by a model in evaluation mode."""
    model.eval()
    device, found = next(model.parameters()).device, []
    for start in range(0, len(stays), AT_ONCE):
        x, lengths = collated(stays[start : start + AT_ONCE])
        states = model.states(x.to(device), lengths.to(device))
        rows = model.decoder.frame_probabilities(*states)[0][:, :, 1].cpu().numpy()
        found += [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]
    return found
