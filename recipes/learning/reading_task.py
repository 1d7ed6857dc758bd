"""What teaching to read means, whatever is read: batches of varied samples, the loss, and validation."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from decoders.contract import Objective, Search
from decoders.ctc import CTC
from decoders.expected_errors import expected_errors
from encoders.precision import computing
from pipelines.model import SequenceModel
from pipelines.reading.precision import precision_for
from recipes.learning.cache import FeatureCache
from recipes.learning.options import RecogniserOptions
from recipes.learning.teacher import Teacher
from recipes.learning.training import Maker
from recipes.scoring.error_rates import error_rate

EASY_DROPOUT = 0.1
PACE = 2.0  # frames to a label that an empty target is taken to have, so that it weighs like a text
PATHS = 4  # drawn of each sequence, to estimate its errors
TAUGHT = 2.0  # nats a label at which the shortcut reads well enough to teach a front end that has learnt
SEARCH = Search()  # in validation, as the public functions read


@dataclass(frozen=True)
class Sample:
    """A training item in memory or a part of one: where its features lie, their length, and its labels."""

    index: int
    length: int
    labels: list[int]
    group: str | None
    first: int = 0


@dataclass(frozen=True)
class Samples:
    """What a task works on.

    Attributes:
        train, valid: samples to learn from, and to validate on.
        valid_texts: references of the latter.
        cache: features of all of them.
        texts: further texts in the language, without media.
    """

    train: Sequence[Sample]
    valid: Sequence[Sample]
    valid_texts: Sequence[str]
    cache: FeatureCache
    texts: Sequence[str] = ()


class ReadingTask(nn.Module, ABC):
    """Training on cached features, of a CTC decoder and any other; what differs by modality is not
    implemented here.

    It eases in: CTC first gives nothing but blanks until it has found where the text is, and
    masks, joins, noise, dropout and large batches keep it there for long. So they wait until the
    validation CER falls below `eased_until`. From then on, with `consistency` above 0, each batch is
    masked twice, and the two outputs of CTC are also drawn towards each other (CR-CTC, Yao et al. 2024).
    An attention decoder eases in like that too, until it looks along the text.

    With `shortcut` above 0, a CTC loss on the front end's own output is added, through a layer that exists
    only in training: convolutions learn letters long before the core does (Retsinas et al. 2022, "Best
    practices for a handwritten text recognition system"). Behind a front end that has learnt already, the
    layer learns alone until it reads well enough.

    Args:
        model: which learns.
        samples: that it learns from and is validated on.
        options: of the recipe. An attention decoder alone ignores `consistency` and `errors`, which need
            probabilities for each frame.
        teacher: whose readings the model also learns from, if any.
        reads: whether the model, decoder included, has learnt to read already; then nothing eases in.
    """

    criterion = "cer"
    eased_until = 0.5
    """Validation CER below which training is no longer eased."""
    join = 0.0  # share of samples joined with another one of the same group

    def __init__(
        self,
        model: SequenceModel,
        samples: Samples,
        options: RecogniserOptions,
        teacher: Teacher | None = None,
        reads: bool = False,
    ):
        super().__init__()
        self.model, self.teacher = model, teacher
        self.train_items, self.valid_items = samples.train, samples.valid
        self.valid_texts, self.cache = samples.valid_texts, samples.cache
        self.augmentation = options.augmentation
        self.easy_augmentation = self.eased(options.augmentation)
        self.consistency, self.errors, self.shortcut = options.consistency, options.errors, options.shortcut
        if options.shortcut:
            self.reader = CTC(model.front_end.output_size, len(model.alphabet))
        self.frozen, self.learnt = options.freeze, bool(options.load)
        self.writing, self.sampling = options.writing, 0.0
        training = options.training
        self.batch_size, self.seed, self.epochs = training.batch_size, training.seed, training.epochs
        self.precision = training.precision
        self.dropout = model.core.dropout
        self.register_buffer("easing", torch.tensor(not reads))

    @abstractmethod
    def eased(self, augmentation: object) -> object:
        """The augmentation while training eases in."""

    @abstractmethod
    def collated(self, batch: list[list[Sample]], generator: torch.Generator) -> tuple:
        """Groups of samples, each group to be one sequence -> varied inputs on the CPU."""

    @abstractmethod
    def hidden(self, inputs: tuple, views: int) -> tuple[Tensor, Tensor]:
        """Varied inputs -> the front end's output and lengths, `views` times under fresh masks."""

    @abstractmethod
    def unmasked(self, front_end: nn.Module, inputs: tuple) -> tuple[Tensor, Tensor]:
        """Varied inputs -> a front end's output and lengths; not only the model's."""

    @abstractmethod
    def read(self, samples: list[Sample]) -> tuple[Tensor, Tensor]:
        """Samples as they are -> the front end's output and lengths."""

    @property
    def laborious(self) -> bool:
        return self.teacher is not None

    @property
    def device(self) -> torch.device:
        return self.easing.device

    def forward(self, batch) -> Tensor:
        inputs, targets, said = batch
        decoder = self.model.decoder
        views = 2 if self.consistency and not self.easing and decoder.by_frame else 1
        if self.frozen:
            self.model.front_end.eval()
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            hidden = self.hidden(inputs, views)
        states = self.model.core(*hidden)
        frames = states[1].tolist()
        sizes = [
            len(target) or max(1.0, length / PACE)
            for target, length in zip(targets * views, frames, strict=True)
        ]
        labels = torch.tensor(sizes, device=self.device)
        objective = Objective(self.sampling, self.writing.smoothing)
        log_probs = decoder.frame_log_probs(*states) if decoder.by_frame else None
        losses = decoder.loss(*states, targets * views, objective, log_probs)
        lengths = states[1]
        loss = (losses / labels).mean()
        if self.shortcut and not self.frozen:
            loss = loss + self.shortcut * self._early(*hidden, targets * views, labels)
        if self.errors and not self.easing and decoder.by_frame:
            wrong = expected_errors(log_probs, lengths, targets * views, PATHS)
            loss = loss + self.errors * (wrong / labels).mean()
        if views == 2:
            first, second = log_probs.chunk(2)
            count = len(targets)
            apart = sum(_divergence(*pair, lengths[:count]) for pair in ((first, second), (second, first)))
            loss = loss + self.consistency * (apart / labels[:count]).mean() / 2
        if self.teacher:
            apart = _divergence(log_probs, said.repeat(views, 1, 1), lengths)
            loss = loss + self.teacher.weight * (apart / labels).mean()
        return loss

    def _early(self, hidden: Tensor, lengths: Tensor, targets: list[list[int]], labels: Tensor) -> Tensor:
        def read(hidden: Tensor) -> Tensor:
            return (self.reader.loss(hidden, lengths, targets) / labels).mean()

        loss = read(hidden)
        return read(hidden.detach()) if self.learnt and loss > TAUGHT else loss

    def begin(self, epoch: int) -> None:
        self.model.core.dropout = EASY_DROPOUT if self.easing else self.dropout
        self.sampling = self.writing.sampling * epoch / self.epochs

    def batches(self, epoch: int) -> list[Maker]:
        easing = bool(self.easing)
        size = max(1, self.batch_size // 2) if easing else self.batch_size
        chooser = random.Random(f"{self.seed} {epoch}")
        groups = self._joined(chooser, 0.0 if easing else self.join)
        # Sorting within shuffled pools: little padding, and batches that differ every epoch.
        pool = size * 12
        batches = []
        for start in range(0, len(groups), pool):
            part = sorted(
                groups[start : start + pool], key=lambda group: sum(sample.length for sample in group)
            )
            batches += [part[i : i + size] for i in range(0, len(part), size)]
        chooser.shuffle(batches)

        def make(batch: list[list[Sample]], seed: int) -> tuple:
            inputs = self.collated(batch, torch.Generator().manual_seed(seed))
            return inputs, [self._target(group) for group in batch], self.teacher and self.said(inputs)

        return [
            Maker(partial(make, batch, chooser.getrandbits(60)), _padded_length(batch)) for batch in batches
        ]

    def said(self, inputs: tuple) -> Tensor:
        """What the teacher reads."""
        device = self.device.type
        with torch.no_grad(), computing(device, precision_for(self.precision, device)):
            front_end = self.teacher.model.to(self.device).front_end
            return self.teacher(*self.unmasked(front_end, inputs))

    def _joined(self, chooser: random.Random, share: float) -> list[list[Sample]]:
        """Single samples and pairs of one group, shuffled."""
        order = chooser.sample(self.train_items, len(self.train_items))
        groups, waiting = [], {}
        for sample in order:
            if sample.group in waiting:
                groups.append([waiting.pop(sample.group), sample])
            elif chooser.random() < share / 2:
                waiting[sample.group] = sample
            else:
                groups.append([sample])
        groups += [[sample] for sample in waiting.values()]
        chooser.shuffle(groups)
        return groups

    def _target(self, group: list[Sample]) -> list[int]:
        space = self.model.alphabet.encode(" ") if " " in self.model.alphabet else []
        target: list[int] = []
        for sample in group:
            target += space * bool(target and sample.labels) + sample.labels
        return target

    @torch.inference_mode()
    def evaluate(self) -> dict[str, float]:
        self.model.eval()
        hypotheses = [""] * len(self.valid_items)
        order = sorted(range(len(self.valid_items)), key=lambda i: self.valid_items[i].length)
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            states = self.model.core(*self.read([self.valid_items[i] for i in chosen]))
            found = self.model.decoder.read(*states, SEARCH)
            for item, labels in zip(chosen, found, strict=True):
                hypotheses[item] = " ".join(self.model.decode(labels.ids).split())
        return {
            "cer": float(error_rate(self.valid_texts, hypotheses, "character", resamples=1).value),
            "wer": float(error_rate(self.valid_texts, hypotheses, "word", resamples=1).value),
        }

    def judge(self, scores: dict[str, float]) -> None:
        if scores["cer"] < self.eased_until:
            self.easing.fill_(False)


def _padded_length(batch: list[list[Sample]]) -> int:
    return len(batch) * max(sum(sample.length for sample in group) for group in batch)


def _divergence(output: Tensor, target: Tensor, lengths: Tensor) -> Tensor:
    """KL of log-probabilities from a target without gradient, summed over the frames of each sequence."""
    valid = (torch.arange(output.size(1), device=output.device) < lengths[:, None]).unsqueeze(2)
    target = target.detach()
    return (target.exp() * (target - output)).masked_fill(~valid, 0.0).sum(dim=(1, 2))


def padded(features: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Items of (length, features) -> (batch, longest, features) with zeros behind each, and the lengths."""
    lengths = torch.tensor([len(each) for each in features])
    return pad_sequence(features, batch_first=True), lengths
