"""What training a CTC speech model means: batches of varied utterances, the loss, and validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from decoders.ctc import CTC, greedy
from pipelines.model import SequenceModel
from recipes.augment import WARPS, SpeechAugmentation, spec_augment, uniform, vary
from recipes.cache import FeatureCache
from recipes.evaluation import error_rate

EASED = 0.5  # validation CER below which training is no longer eased
EASY_DROPOUT = 0.1


@dataclass(frozen=True)
class Utterance:
    """A training item in memory: where its features lie, and its labels."""

    index: int
    labels: list[int]
    group: str | None


class SpeechTask(nn.Module):
    """CTC training of a speech model on cached power spectrograms.

    It eases in: CTC first gives nothing but blanks until it has found where the speech is, and
    masks, joins, noise, dropout and large batches keep it there for long. So they wait until the
    validation CER falls below `EASED`. From then on, with `consistency` above 0, each batch is
    masked twice, and the two outputs are also drawn towards each other (CR-CTC, Yao et al. 2024).
    """

    criterion = "cer"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Utterance],
        valid: Sequence[Utterance],
        valid_texts: Sequence[str],
        cache: FeatureCache,
        augmentation: SpeechAugmentation,
        consistency: float,
        batch_size: int,
        seed: int,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items, self.valid_texts = train, valid, valid_texts
        self.cache = cache
        self.augmentation = augmentation
        self.consistency = consistency
        self.batch_size = batch_size
        self.seed = seed
        log_mel = model.front_end.log_mel
        self.dropout = model.core.dropout
        self.easy_augmentation = replace(
            augmentation,
            tract=0.0,
            clean=0.0,
            noise=0.0,
            telephone=0.0,
            join=0.0,
            speed=min(0.1, augmentation.speed),
        )
        self.register_buffer("easing", torch.tensor(True))
        self.register_buffer("filterbanks", torch.stack([log_mel.warped_filterbank(w) for w in WARPS]), False)

    def forward(self, batch) -> Tensor:
        power, frames, warps, ranges, targets = batch
        log_mel, encoder = self.model.front_end.log_mel, self.model.front_end.subsampling
        device = self.filterbanks.device
        features = log_mel.normalised(
            power.to(device), frames.to(device), self.filterbanks[warps], ranges.to(device)
        )
        views = 2 if self.consistency and not self.easing else 1
        if not self.easing:
            features = torch.cat([spec_augment(features, self.augmentation) for _ in range(views)])
        hidden, lengths = encoder(features, frames.repeat(views).to(device))
        log_probs, lengths = self.model.decoder(*self.model.core(hidden, lengths))
        labels = torch.tensor([max(1, len(target)) for target in targets] * views, device=device)
        loss = (CTC.loss(log_probs, lengths, targets * views) / labels).mean()
        if views == 2:
            loss = loss + self.consistency * _divergence(*log_probs.chunk(2), lengths[: len(targets)], labels)
        return loss

    def batches(self, epoch: int):
        easing = bool(self.easing)
        self.model.core.dropout = EASY_DROPOUT if easing else self.dropout
        augmentation = self.easy_augmentation if easing else self.augmentation
        size = max(1, self.batch_size // 2) if easing else self.batch_size
        chooser = random.Random(f"{self.seed} {epoch}")
        groups = self._joined(chooser, augmentation.join)
        # Sorting within shuffled pools: little padding, and batches that differ every epoch.
        pool = size * 12
        batches = []
        for start in range(0, len(groups), pool):
            part = sorted(groups[start : start + pool], key=self._frames)
            batches += [part[i : i + size] for i in range(0, len(part), size)]
        chooser.shuffle(batches)
        generator = torch.Generator().manual_seed(chooser.getrandbits(60))
        return len(batches), (self._collated(batch, augmentation, generator) for batch in batches)

    def _frames(self, group: list[Utterance]) -> int:
        return sum(self.cache.frames[utterance.index] for utterance in group)

    def _joined(self, chooser: random.Random, share: float) -> list[list[Utterance]]:
        """Single utterances and pairs of one speaker, shuffled."""
        order = chooser.sample(self.train_items, len(self.train_items))
        groups, waiting = [], {}
        for utterance in order:
            if utterance.group in waiting:
                groups.append([waiting.pop(utterance.group), utterance])
            elif chooser.random() < share / 2:
                waiting[utterance.group] = utterance
            else:
                groups.append([utterance])
        groups += [[utterance] for utterance in waiting.values()]
        chooser.shuffle(groups)
        return groups

    def _collated(self, batch: list[list[Utterance]], augmentation, generator: torch.Generator):
        log_mel = self.model.front_end.log_mel
        space = self.model.alphabet.encode(" ") if " " in self.model.alphabet else []
        powers, warps, ranges, targets = [], [], [], []
        for group in batch:
            parts, target = [], []
            for utterance in group:
                power, warp = vary(
                    from_decibel(self.cache[utterance.index]), log_mel, augmentation, generator
                )
                parts.append(power)
                target += (space if target else []) + utterance.labels
            powers.append(torch.cat(parts))
            warps.append(warp)
            ranges.append(uniform(*augmentation.floor, generator))
            targets.append(target)
        return (*padded(powers), torch.tensor(warps), torch.tensor(ranges), targets)

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        hypotheses = [""] * len(self.valid_items)
        order = sorted(
            range(len(self.valid_items)), key=lambda i: self.cache.frames[self.valid_items[i].index]
        )
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            power, frames = padded([from_decibel(self.cache[self.valid_items[i].index]) for i in chosen])
            device = self.filterbanks.device
            features = self.model.front_end.log_mel.normalised(power.to(device), frames.to(device))
            hidden = self.model.front_end.subsampling(features, frames.to(device))
            found = greedy(*self.model.decoder(*self.model.core(*hidden)))
            for item, labels in zip(chosen, found, strict=True):
                hypotheses[item] = " ".join(self.model.alphabet.decode(labels.ids).split())
        scores = {
            "cer": float(error_rate(self.valid_texts, hypotheses, "character", resamples=1).value),
            "wer": float(error_rate(self.valid_texts, hypotheses, "word", resamples=1).value),
        }
        if scores["cer"] < EASED:
            self.easing.fill_(False)
        return scores


def _divergence(first: Tensor, second: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
    """Mean over sequences of KL in both directions a label; the target side has no gradient."""
    valid = (torch.arange(first.size(1), device=first.device) < lengths[:, None]).unsqueeze(2)
    total = 0.0
    for output, target in ((first, second.detach()), (second, first.detach())):
        total = total + (target.exp() * (target - output)).masked_fill(~valid, 0.0).sum(dim=(1, 2))
    return (total / labels[: len(lengths)]).mean() / 2


def to_decibel(power: Tensor) -> Tensor:
    return 10 * torch.log10(power.clamp_min(1e-12))


def from_decibel(decibel: Tensor) -> Tensor:
    return torch.exp(decibel * 0.2302585093)


def padded(powers: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Spectrograms -> (batch, frames, bins) with zeros behind each, and the frames of each."""
    frames = torch.tensor([len(power) for power in powers])
    return pad_sequence(powers, batch_first=True), frames
