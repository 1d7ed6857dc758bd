"""Signals: recordings of any channels over time in, the class of each out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipelines.errors import TriscribeError
from pipelines.media.signal_sets import SignalSet
from pipelines.media.signals import StoredSignal
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.channels import inputs_of, notes_on
from pipelines.reading.settings import TextOptions
from pipelines.results import Classified, ClassifiedText
from pipelines.writers.marks import NOTICE

LONGEST = 65_536  # samples that are read at once; a longer signal is judged by the mean over its parts


def read_signals(
    files: Iterable[SignalSet | TriscribeError], model: SequenceModel, options: TextOptions
) -> Iterator[Classified | TriscribeError]:
    """The classes of the signals of each source, in order."""

    def decode(states: Tensor, lengths: Tensor) -> list[Tensor]:
        return list(model.decoder.frame_probabilities(states, lengths)[0][:, 0, 1:].cpu())

    return read((_Classifying(each, model, options) for each in files), model, options, decode)


def parts_of(inputs: Tensor) -> list[Tensor]:
    """(time, ...) of a signal in parts of about the same length that are read at once."""
    return list(inputs.tensor_split(-(-len(inputs) // LONGEST)))


@dataclass(frozen=True)
class _Part:
    """What is read at once of the signal with this place in its file."""

    signal: int
    inputs: Tensor


class _Classifying(Reading):
    """The signals of one source on their way to a result."""

    def __init__(self, file: SignalSet, model: SequenceModel, options: TextOptions):
        self.file, self.model, self.options = file, model, options
        self.source = file.source
        self.found: list[list[tuple[int, Tensor]]] = [[] for _ in file.signals]
        self.notes: dict[str, None] = {}

    def pieces(self) -> Iterator[_Part]:
        for place, signal in enumerate(self.file.signals):
            if isinstance(signal, StoredSignal) and signal.medical:
                self.notes[NOTICE] = None
            signal = signal.whole()
            inputs = inputs_of(signal, self.model.front_end)
            self.notes |= dict.fromkeys([*signal.notes, *notes_on(signal, self.model.front_end)])
            for part in parts_of(inputs):
                yield _Part(place, part)

    def add(self, piece: _Part, found: Tensor) -> None:
        self.found[piece.signal].append((len(piece.inputs), found))

    def result(self) -> Classified:
        texts = tuple(map(self._classified, range(len(self.found)), self.found))
        return Classified(texts, self.model.name, self.source, notes=tuple(self.notes))

    def _classified(self, place: int, parts: list[tuple[int, Tensor]]) -> ClassifiedText:
        weights = torch.tensor([float(length) for length, _ in parts])
        classes = (torch.stack([each for _, each in parts]) * (weights / weights.sum())[:, None]).sum(0)
        order = classes.argsort(descending=True, stable=True)[: self.options.top].tolist()
        names = self.model.alphabet.symbols
        top = tuple((names[place], classes[place].item()) for place in order)
        named = Path(self.source).name if self.source else "signal"
        text = f"{named}, {place + 1}" if len(self.found) > 1 else named
        return ClassifiedText(text, top, top[0][1] >= (self.options.threshold or 0.0))
