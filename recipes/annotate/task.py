"""What training means for annotation: stretches drawn anew for each epoch, labels of frames, validation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from decoders.contract import UNKNOWN, Objective
from pipelines.annotating import frame_seconds, marks_of
from pipelines.model import SequenceModel
from pipelines.reading.leads import Window
from pipelines.reading.settings import AnnotationOptions
from pipelines.results import Mark
from recipes.annotate.augment import disturbed, stretched
from recipes.annotate.options import AnnotationRecipeOptions
from recipes.annotate.scores import counted, f1_of
from recipes.data.mark_layouts import Times
from recipes.learning.training import Maker

AT_ONCE = 60.0  # seconds that are judged at once in validation
HEAVIEST = 10.0  # weight of the frames of a label
DRAWN = 8  # places of which one is drawn, where rare labels are to come more often


@dataclass(frozen=True)
class Sample:
    """A signal that is learnt from.

    Attributes:
        values: (time, channels) at the rate of the model, NaN where missing.
        marks: in order of time.
    """

    values: Tensor
    marks: tuple[Times, ...]


class AnnotationTask(nn.Module):
    """Training of a model that labels every frame."""

    laborious = False
    criterion = "missed_f1"

    def __init__(
        self,
        model: SequenceModel,
        train: Sequence[Sample],
        valid: Sequence[Sample],
        options: AnnotationRecipeOptions,
        rate: float,
    ):
        super().__init__()
        self.model = model
        self.train_items, self.valid_items = train, valid
        self.options, self.rate = options, rate
        self.frame = frame_seconds(model, rate)
        self.names = model.alphabet.symbols
        self.ids = {name: place for place, name in enumerate(self.names, start=1)}
        counts = {name: 1.0 for name in self.names}
        for sample in train:
            for *_, label in sample.marks:
                counts[label] = counts.get(label, 0.0) + 1
        most = max(counts.values())
        self.rarity = {name: (most / count) ** options.windows.balance for name, count in counts.items()}
        weights = [min(HEAVIEST, (most / counts[name]) ** options.windows.weighting) for name in self.names]
        self.register_buffer("weights", torch.tensor([1.0, *weights]), persistent=False)

    def forward(self, batch: tuple[Tensor, Tensor, list[list[int]]]) -> Tensor:
        x, lengths, targets = batch
        device = next(self.model.parameters()).device
        states = self.model.states(x.to(device), lengths.to(device))
        objective = Objective(focal=self.options.windows.focal, weights=self.weights)
        known = sum(label != UNKNOWN for row in targets for label in row)
        return self.model.decoder.loss(*states, targets, objective).sum() / max(1, known)

    def begin(self, epoch: int) -> None:
        """Nothing differs from epoch to epoch but the batches."""

    def judge(self, scores: dict[str, float]) -> None:
        """Nothing depends on the scores."""

    def batches(self, epoch: int) -> list[Maker]:
        chooser = random.Random(f"{self.options.training.seed} {epoch}")
        seconds, windows = self.options.windows.window, []
        for place, sample in enumerate(self.train_items):
            count = len(sample.values) / self.rate / seconds * self.options.windows.share
            whole = int(count) + (chooser.random() < count - int(count))
            windows += [(place, self._drawn(sample, chooser)) for _ in range(whole)]
        chooser.shuffle(windows)
        size = self.options.training.batch_size
        batches = [windows[start : start + size] for start in range(0, len(windows), size)]
        return [Maker(partial(self._made, batch, chooser.getrandbits(60)), len(batch)) for batch in batches]

    def _drawn(self, sample: Sample, chooser: random.Random) -> float:
        """Seconds at which a stretch begins."""
        most = max(0.0, len(sample.values) / self.rate - self.options.windows.window)
        if not self.options.windows.balance or not most:
            return chooser.random() * most
        places = [chooser.random() * most for _ in range(DRAWN)]
        return chooser.choices(places, [self._weight(sample, place) for place in places])[0]

    def _weight(self, sample: Sample, start: float) -> float:
        """How much the rarest labels of a stretch speak for it."""
        end = start + self.options.windows.window
        return sum(self.rarity[label] for first, _, _, label in sample.marks if start <= first < end) + 1e-3

    def _made(self, batch: Sequence[tuple[int, float]], seed: int) -> tuple[Tensor, Tensor, list[list[int]]]:
        generator = torch.Generator().manual_seed(seed)
        options, rows, targets = self.options.augmentation, [], []
        count = round(self.options.windows.window * self.rate)
        for place, start in batch:
            sample = self.train_items[place]
            pace = (1 + options.pace) ** float(torch.rand((), generator=generator) * 2 - 1)
            size = max(2, min(count, int((len(sample.values) - start * self.rate) / pace)))
            values = stretched(sample.values, start * self.rate, size, pace)
            rows.append(with_time(disturbed(values, self.rate, options, generator), self.rate))
            targets.append(self.labels(sample, start, size, pace))
        lengths = torch.tensor(list(map(len, rows)))
        return nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths, targets

    def labels(self, sample: Sample, start: float, size: int, pace: float = 1.0) -> list[int]:
        """The label of each frame of so many samples: that of the last mark that has begun and not ended."""
        frames = -(-size // round(self.frame * self.rate))
        times = start + np.arange(frames) * self.frame * pace
        spans = np.array([widened(mark, self.options.windows.width) for mark in sample.marks])
        ids = np.array([self.ids.get(label, UNKNOWN) for *_, label in sample.marks])
        latest = np.searchsorted(spans[:, 0], times, "right") - 1
        inside = (latest >= 0) & (times < spans[latest, 1])
        found = np.where(inside, ids[latest], 0)
        if self.options.windows.edges == "unknown":
            found[(times < spans[0, 0]) | (times >= spans[:, 1].max())] = UNKNOWN
        return found.tolist()

    def evaluate(self) -> dict[str, float]:
        found = annotated(self.model, [sample.values for sample in self.valid_items], self.rate)
        pairs = [(list(sample.marks), marks) for sample, marks in zip(self.valid_items, found, strict=True)]
        table = sum(counted(*pair, self.names) for pair in pairs)
        present = table[:, :, 0].sum(1) + table[:, :, 2].sum(1) > 0
        return {"missed_f1": float(1 - f1_of(table)[present].mean())}


def widened(mark: Times, width: float) -> tuple[float, float]:
    """Start and end of a mark, which is given an extent if it has none."""
    start, peak, end, _ = mark
    return (start, end) if end > start else (peak - width / 2, peak + width / 2)


def with_time(values: Tensor, rate: float) -> Tensor:
    """(time, 1 + channels), as the front end takes it."""
    elapsed = torch.full((len(values), 1), 1 / rate)
    elapsed[0] = 0.0
    return torch.cat([elapsed, values], dim=1)


@torch.inference_mode()
def annotated(model: SequenceModel, signals: Sequence[Tensor], rate: float) -> list[list[Mark]]:
    """Marks of signals, (time, channels) each, by a model in evaluation mode; without overlap."""
    model.eval()
    device = next(model.parameters()).device
    frame, size, pieces = frame_seconds(model, rate), round(AT_ONCE * rate), []
    for place, values in enumerate(signals):
        pieces += [(place, start, values[start : start + size]) for start in range(0, len(values), size)]
    pieces.sort(key=lambda piece: len(piece[2]))
    found: list[list[Mark]] = [[] for _ in signals]
    switch = AnnotationOptions().switch
    for first in range(0, len(pieces), 16):
        part = pieces[first : first + 16]
        rows = [with_time(values, rate) for _, _, values in part]
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)
        lengths = torch.tensor(list(map(len, rows)), device=device)
        states = model.states(x, lengths)
        probabilities = model.decoder.frame_probabilities(*states)[0].cpu().numpy()
        for (place, start, _), row, inputs, length in zip(
            part, probabilities, rows, states[1].tolist(), strict=True
        ):
            window = Window(None, start / rate, rate, inputs, 0.0, 0.0)
            found[place] += marks_of(row[:length], model.alphabet.symbols, window, frame, switch)
    return [sorted(marks, key=lambda mark: mark.start) for marks in found]
