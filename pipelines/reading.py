"""What readers of all media share: the model for a task, batches of pieces, many sources in order, words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.ctc import Labels, greedy
from pipelines.errors import ModelError, TriscribeError
from pipelines.model import DEFAULTS, SequenceModel, default, load
from pipelines.options import Options

BUFFERED = 64  # pieces read ahead, over the ends of sources, before they are sorted into batches


@dataclass(frozen=True)
class BatchOptions(Options):
    """How pieces are run through the model."""

    batch_size: int = 16
    """Pieces that the model reads at once."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""

    def __post_init__(self):
        if self.batch_size < 1:
            raise ValueError("batch_size must be at least 1")


class Piece(Protocol):
    """What the model reads at once: a stretch of a recording, a line of a page."""

    @property
    def inputs(self) -> Tensor:
        """(time, ...) as the model's front end takes it."""


class Reading(ABC):
    """One source on its way to a result."""

    @abstractmethod
    def pieces(self) -> Iterator[Piece]:
        """Open the source and cut it; may raise a TriscribeError, which is then its result."""

    @abstractmethod
    def add(self, piece: Piece, labels: Labels) -> None:
        """Take what was decoded of a piece; they come in the order of `pieces`."""

    @abstractmethod
    def result(self) -> object:
        """What all pieces make up."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """One decoded symbol and the frames that it spans."""

    text: str
    start: float
    end: float
    confidence: float


def model_for(task: str, model: SequenceModel | str | Path | None) -> SequenceModel:
    """The model asked for, None being the bundled one.

    Raises:
        ModelError: it cannot be used, is not for the task, or none for it comes with the package.
    """
    article = "an" if task[0] in "aeiou" else "a"
    if model is None and task not in DEFAULTS:
        raise ModelError("triscribe", f"comes without a model for {task}", f"name {article} {task} model")
    model = default(task) if model is None else model
    model = model if isinstance(model, SequenceModel) else load(model)
    if model.task != task:
        raise ModelError(model.name, f"is a model for {model.task}", f"name {article} {task} model")
    return model


def read(
    readings: Iterable[Reading], model: SequenceModel, options: BatchOptions
) -> Iterator[object | TriscribeError]:
    """One result or error a source, in order. Pieces of several sources share batches."""
    waiting: list[Reading] = []
    errors: dict[Reading, TriscribeError] = {}
    pending: list[tuple[Reading, Piece]] = []

    def decode() -> None:
        found = log_probabilities(model, [piece.inputs for _, piece in pending], options)
        for (reading, piece), log_probs in zip(pending, found, strict=True):
            (labels,) = greedy(log_probs.unsqueeze(0), torch.tensor([len(log_probs)]))
            reading.add(piece, labels)
        pending.clear()

    def first() -> object | TriscribeError:
        reading = waiting.pop(0)
        return errors.pop(reading, None) or reading.result()

    for reading in readings:
        waiting.append(reading)
        try:
            for piece in reading.pieces():
                pending.append((reading, piece))
                if len(pending) == BUFFERED:
                    decode()
        except TriscribeError as error:
            errors[reading] = error
        while waiting and not (pending and pending[0][0] is waiting[0]):
            yield first()
    decode()
    while waiting:
        yield first()


def raising(results: Iterator[object | TriscribeError], errors: str) -> Iterator:
    """The results; an error is raised at its turn, or with errors="return" given in its place."""
    for result in results:
        if isinstance(result, TriscribeError) and errors == "raise":
            raise result
        yield result


def log_probabilities(model: SequenceModel, inputs: list[Tensor], options: BatchOptions) -> list[Tensor]:
    """(time, ...) each -> (frames, labels) each, on the CPU; inputs of like length share a batch."""
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    results: list[Tensor] = [torch.empty(0)] * len(inputs)
    order = sorted(range(len(inputs)), key=lambda index: len(inputs[index]))
    with torch.inference_mode():
        for start in range(0, len(order), options.batch_size):
            chosen = order[start : start + options.batch_size]
            lengths = torch.tensor([len(inputs[index]) for index in chosen], device=device)
            batch = torch.nn.utils.rnn.pad_sequence([inputs[index] for index in chosen], batch_first=True)
            log_probs, frames = model(batch.to(device), lengths)
            for index, row, length in zip(chosen, log_probs.cpu(), frames.tolist(), strict=True):
                results[index] = row[:length]
    return results


def symbols_of(labels: Labels, alphabet: Alphabet) -> list[Symbol]:
    """Labels as text, spaces too."""
    return [
        Symbol(alphabet.decode([label]), start, end, min(confidence, 1.0))
        for label, start, end, confidence in zip(
            labels.ids, labels.starts, labels.ends, labels.confidences, strict=True
        )
    ]


def split(symbols: Iterable[Symbol]) -> list[list[Symbol]]:
    """The symbols of each word between spaces."""
    words: list[list[Symbol]] = [[]]
    for symbol in symbols:
        if symbol.text == " ":
            words.append([])
        else:
            words[-1].append(symbol)
    return [word for word in words if word]


def words_of(labels: Labels, alphabet: Alphabet) -> list[list[Symbol]]:
    """The symbols of each word of decoded labels."""
    return split(symbols_of(labels, alphabet))
