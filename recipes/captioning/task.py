"""What training a captioner means: pictures with all their sentences in a batch, the loss, and validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from decoders.contract import Objective
from pipelines.captioning import CaptionOptions, search_for
from pipelines.model import SequenceModel
from recipes.captioning.options import TeachingOptions
from recipes.captioning.scores import bleu, plain
from recipes.learning.cache import FeatureCache
from recipes.learning.options import TrainingOptions
from recipes.learning.training import Maker

AT_ONCE = 64  # sentences of about one length that are taught together


@dataclass(frozen=True)
class Picture:
    """A picture or clip in memory.

    Attributes:
        index: in the cache.
        targets: its sentences as labels.
        texts: the same as written.
        mirrored: in the cache, of the same seen in a mirror; None where it is not there.
    """

    index: int
    targets: tuple[list[int], ...]
    texts: tuple[str, ...]
    mirrored: int | None = None


class CaptionTask(nn.Module):
    """Training on cached features, or on pictures where the image network is trained too.

    Args:
        cache: (places or frames, features) of each; for a network that is trained, its pixels, (frames,
            side * side * 3).
        criterion: "wrong", the share of pictures of which the model says what nobody said, or
            "missed_bleu4", what BLEU-4 lacks to 1.
    """

    laborious = False

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Picture],
        valid: Sequence[Picture],
        cache: FeatureCache,
        teaching: TeachingOptions,
        training: TrainingOptions,
        criterion: str,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items, self.cache = train, valid, cache
        self.teaching, self.training_options, self.criterion = teaching, training, criterion
        self.sampling = 0.0
        # A model that has learned little goes on and on; none is to say more than people do.
        self.longest = max(len(target) for picture in train for target in picture.targets)

    def forward(self, batch) -> Tensor:
        x, lengths, owners, targets = batch
        device = self.model.decoder.bias.device
        states, lengths = self.model.states(x.to(device), lengths.to(device))
        order = sorted(range(len(targets)), key=lambda place: len(targets[place]))
        total = 0.0
        for start in range(0, len(order), AT_ONCE):
            chosen = order[start : start + AT_ONCE]
            rows = torch.tensor([owners[place] for place in chosen], device=device)
            said = [targets[place] for place in chosen]
            losses = self.model.decoder.loss(
                states[rows],
                lengths[rows],
                said,
                Objective(self.sampling, self.teaching.smoothing, self.teaching.doubly_stochastic),
            )
            labels = torch.tensor([len(target) + 1 for target in said], device=device)
            total = total + (losses / labels).sum()
        return total / len(targets)

    def begin(self, epoch: int) -> None:
        self.sampling = self.teaching.sampling * epoch / self.training_options.epochs

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        options = self.training_options
        chooser = random.Random(f"{options.seed} {epoch}")
        order = chooser.sample(self.train_items, len(self.train_items))
        size = options.batch_size
        batches = [order[start : start + size] for start in range(0, len(order), size)]
        return [
            Maker(
                partial(self._batch, batch, chooser.getrandbits(60)),
                sum(len(picture.targets) for picture in batch),
            )
            for batch in batches
        ]

    def _batch(self, pictures: list[Picture], seed: int) -> tuple:
        generator = torch.Generator().manual_seed(seed)
        turned = torch.zeros(len(pictures), dtype=torch.bool)
        if self.teaching.mirror:
            turned = torch.rand(len(pictures), generator=generator) < 0.5
        x, lengths = self.read(pictures, turned.tolist())
        if not self.model.front_end.network.frozen:
            x[turned] = x[turned].flip(3)
            x = moved(x, self.teaching.shift, generator)
        owners = [row for row, picture in enumerate(pictures) for _ in picture.targets]
        return x, lengths, owners, [target for picture in pictures for target in picture.targets]

    def read(self, pictures: Sequence[Picture], turned: Sequence[bool] = ()) -> tuple[Tensor, Tensor]:
        """Pictures, in a mirror where `turned` and the cache has them so -> inputs of the model, lengths."""
        found = [
            self.cache[picture.mirrored if turn and picture.mirrored is not None else picture.index]
            for picture, turn in zip_longest(pictures, turned, fillvalue=False)
        ]
        if not self.model.front_end.network.frozen:
            side = self.model.front_end.network.resize
            found = [each.view(-1, side, side, 3) for each in found]
        lengths = torch.tensor([len(each) for each in found])
        return nn.utils.rnn.pad_sequence(found, batch_first=True), lengths

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        search, hypotheses = search_for(self.model, CaptionOptions(longest=self.longest)), []
        size = self.training_options.batch_size
        for start in range(0, len(self.valid_items), size):
            x, lengths = self.read(self.valid_items[start : start + size])
            device = self.model.decoder.bias.device
            states = self.model.states(x.to(device), lengths.to(device))
            for labels in self.model.decoder.read(*states, search):
                hypotheses.append(self.model.decode(labels.ids))
        references = [picture.texts for picture in self.valid_items]
        right = [said in people for said, people in zip(hypotheses, references, strict=True)]
        plain_references = [list(map(plain, people)) for people in references]
        scores = bleu(plain_references, list(map(plain, hypotheses)), resamples=0)
        return {"wrong": 1 - sum(right) / len(right), "missed_bleu4": 1 - scores[3].value}


def moved(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """(batch, frames, side, side, 3) uint8, each moved by up to a share of its side, its edges repeated."""
    side = pictures.size(2)
    most = round(share * side)
    if not most:
        return pictures
    channels = pictures.permute(0, 1, 4, 2, 3).flatten(0, 1).float()
    padded = F.pad(channels, (most, most, most, most), mode="replicate").to(torch.uint8)
    padded = padded.unflatten(0, pictures.shape[:2]).permute(0, 1, 3, 4, 2)
    places = torch.randint(2 * most + 1, (len(pictures), 2), generator=generator).tolist()
    cut = [each[:, y : y + side, x : x + side] for each, (y, x) in zip(padded, places, strict=True)]
    return torch.stack(cut)
