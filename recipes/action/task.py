"""What training means for videos: balanced batches of varied clips, the loss of each decoder, validation."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import UNKNOWN, Objective, in_order
from pipelines.video import judged
from recipes.action.clips import Clips, Sample
from recipes.action.options import LossOptions
from recipes.learning.training import Maker
from recipes.scoring.error_rates import counts


class ActionTask(nn.Module):
    """Training of a model that judges clips, each frame (timeline), or learns the order of actions (ctc).

    The latter two see several clips joined to one video. CTC is told only which actions follow one
    another, not when (Huang, Fei-Fei & Niebles 2016, "Connectionist temporal modeling for weakly
    supervised action labeling"); each frame belongs to some action, there is no blank.

    Args:
        model: with `states` and a `decoder`, as a `SequenceModel`.
        seed: of order and variation.
    """

    laborious = False

    def __init__(
        self,
        model: nn.Module,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        clips: Clips,
        loss: LossOptions,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.clips, self.loss = clips, loss
        self.batch_size, self.seed = batch_size, seed
        self.criterion = "order_error" if model.decoder.learns_order else "brier"
        self.joins = not model.decoder.pools

    def forward(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        device = next(self.model.parameters()).device
        x, lengths, labels = (part.to(device) for part in batch)
        decoder = self.model.decoder
        rows = zip(labels.tolist(), lengths.tolist(), strict=True)
        targets = decoder.targets([row[:length] for row, length in rows])
        # Every frame belongs to some action or to none: there is no blank.
        objective = Objective(focal=self.loss.focal, blank=False)
        losses = decoder.loss(*self.model.states(x, lengths), targets, objective)
        return (losses if decoder.pools else losses / lengths).mean()

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the batches."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.seed} {epoch}")
        chosen = self._order(chooser)
        groups = list(self._joined(chosen, chooser)) if self.joins else [[sample] for sample in chosen]
        size = max(1, self.batch_size // (self.loss.joined if self.joins else 1))
        batches = [groups[start : start + size] for start in range(0, len(groups), size)]

        def make(batch: list[list[Sample]], seed: int) -> tuple:
            generator = torch.Generator().manual_seed(seed)
            parts = [[self.clips.varied(sample, generator) for sample in samples] for samples in batch]
            return collated([joined(each) for each in parts])

        return [
            Maker(
                partial(make, batch, chooser.getrandbits(60)),
                len(batch) * max(sum(len(sample.labels) for sample in group) for group in batch),
            )
            for batch in batches
        ]

    def _order(self, chooser: random.Random) -> list[Sample]:
        """Samples of an epoch; with balance, some come several times and others not."""
        if not self.loss.balance:
            return chooser.sample(self.train_items, len(self.train_items))
        counts = Counter(sample.label for sample in self.train_items)
        weights = [counts[sample.label] ** -self.loss.balance for sample in self.train_items]
        # Systematic sampling: what should come once comes once, not anywhere from never to thrice.
        shares = np.cumsum(weights) / sum(weights) * len(weights)
        picks = np.searchsorted(shares, np.arange(len(weights)) + chooser.random()).clip(max=len(weights) - 1)
        return chooser.sample([self.train_items[pick] for pick in picks], len(picks))

    def _joined(self, samples: list[Sample], chooser: random.Random) -> Iterable[list[Sample]]:
        while samples:
            count = chooser.randint(1, self.loss.joined)
            yield samples[:count]
            samples = samples[count:]

    def evaluate(self) -> dict[str, float]:
        samples = [[sample] for sample in self.valid_items]
        if self.joins:
            samples = list(self._joined(list(self.valid_items), random.Random(0)))
        errors, distances, table = [], [], np.zeros(2)
        for probabilities, labels, _ in judge(self.model, self.clips, samples):
            if not self.joins:
                probabilities, labels = probabilities[:1], labels[:1]
            known = labels != UNKNOWN
            right = np.eye(probabilities.shape[1])[labels[known]]
            errors += (probabilities[known].argmax(axis=1) != labels[known]).tolist()
            distances += (((probabilities[known] - right) ** 2).sum(axis=1) / 2).tolist()
            if self.criterion == "order_error":
                orders = [in_order(labels.tolist()), in_order(probabilities.argmax(axis=1).tolist())]
                table += counts(*([" ".join(map(str, each))] for each in orders), "word")[0]
        scores = {"error": float(np.mean(errors)), "brier": float(np.mean(distances))}
        return scores | ({"order_error": float(table[0] / table[1])} if self.criterion not in scores else {})


def judge(
    model: nn.Module, clips: Clips, videos: Iterable[list[Sample]]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
    """What the model makes of samples as they are, those of each list joined to one video.

    Yields:
        (time, labels) probabilities; (time,) labels; and of a model that judges whole clips (time,) shares.
    """
    device = next(model.parameters()).device
    model.eval()
    for samples in videos:
        x, labels = joined([(clips.plain(sample), sample.labels) for sample in samples])
        found, shares = judged(model, x[None].to(device), torch.tensor([len(x)]))
        yield found[0].cpu().numpy(), labels, None if shares is None else shares[0].cpu().numpy()


def joined(parts: list[tuple[Tensor, np.ndarray]]) -> tuple[Tensor, np.ndarray]:
    """Clips end to end. The first frame of a further one, which has no motion, would tell where it begins."""
    starts = [int(place > 0 and len(x) > 1) for place, (x, _) in enumerate(parts)]
    kept = [(x[start:], labels[start:]) for start, (x, labels) in zip(starts, parts, strict=True)]
    return torch.cat([x for x, _ in kept]), np.concatenate([labels for _, labels in kept])


def collated(videos: list[tuple[Tensor, np.ndarray]]) -> tuple[Tensor, Tensor, Tensor]:
    """Videos as one batch: padded inputs, their lengths, and labels of frames, `UNKNOWN` in the padding."""
    lengths = torch.tensor([len(x) for x, _ in videos])
    labels = pad_sequence([torch.from_numpy(each).long() for _, each in videos], True, UNKNOWN)
    return pad_sequence([x for x, _ in videos], batch_first=True), lengths, labels
