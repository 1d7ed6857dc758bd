"""What readers of all media share: the model for a task, batches of pieces, many sources in order, words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from decoders import beam, hybrid
from decoders.alphabet import Alphabet
from decoders.attention import Attention
from decoders.beam import Hypothesis, Search
from decoders.ctc import Labels, greedy
from decoders.hybrid import Hybrid
from encoders.precision import autocast
from pipelines.computing import device_for, even, meanwhile, side_by_side
from pipelines.errors import ModelError, TriscribeError
from pipelines.model import DEFAULTS, SequenceModel, default, load
from pipelines.options import Options

BUFFERED = 64  # pieces and ends of sources that are read ahead before pieces are sorted into batches


@dataclass(frozen=True)
class BatchOptions(Options):
    """How pieces are run through the model."""

    batch_size: int = 16
    """Pieces that the model reads at once."""
    device: str = "auto"
    """cpu, cuda, or auto: cuda where there is one."""
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    """Of the network. auto is bf16 where the machine computes it in hardware, at about twice the speed."""
    width: int = 5
    """Hypotheses of a beam search, for models with an attention decoder. With 1, those that have CTC
    beside it read by CTC alone, which is faster."""

    def __post_init__(self):
        for name in ("batch_size", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        if self.precision not in ("auto", "bf16", "fp32"):
            raise ValueError(f"precision must be auto, bf16 or fp32, not {self.precision!r}")


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
    def add(self, piece: Piece, found: Labels | list[Hypothesis]) -> None:
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
    readings: Iterable[Reading],
    model: SequenceModel,
    options: BatchOptions,
    decode: Callable[[SequenceModel, list[Tensor], BatchOptions], list] | None = None,
) -> Iterator[object | TriscribeError]:
    """One result or error a source, in order. Pieces of several sources share batches.

    Args:
        decode: the inputs of pieces -> what their readings `add`; None is `labels_of`.
    """

    def decoded(entries: list[_Entry]) -> list:
        inputs = [entry.piece.inputs for entry in entries if entry.piece]
        return (decode or labels_of)(model, inputs, options)

    def is_last(entries: list[_Entry]) -> bool:
        return len(entries) < BUFFERED

    for entries, found in meanwhile(decoded, _buffers(readings), is_last):
        each = iter(found)
        for reading, piece, error in entries:
            if piece:
                reading.add(piece, next(each))
            else:
                yield error or reading.result()


class _Entry(NamedTuple):
    """A piece of a source; or without one, its end."""

    reading: Reading
    piece: Piece | None = None
    error: TriscribeError | None = None


def _buffers(readings: Iterable[Reading]) -> Iterator[list[_Entry]]:
    """Full ones, and at the end what is left."""
    entries: list[_Entry] = []
    for reading in readings:
        error = None
        try:
            for piece in reading.pieces():
                entries.append(_Entry(reading, piece))
                if len(entries) >= BUFFERED:
                    yield entries
                    entries = []
        except TriscribeError as caught:
            error = caught
        entries.append(_Entry(reading, error=error))
        if len(entries) >= BUFFERED:
            yield entries
            entries = []
    if entries:
        yield entries


def raising(results: Iterator[object | TriscribeError], errors: str) -> Iterator:
    """The results; an error is raised at its turn, or with errors="return" given in its place."""
    for result in results:
        if isinstance(result, TriscribeError) and errors == "raise":
            raise result
        yield result


def labels_of(model: SequenceModel, inputs: list[Tensor], options: BatchOptions) -> list[Labels]:
    """What the model writes for each of its inputs, (time, ...), and where."""
    if searches(model, options.width):
        return [found[0].labels for found in hypotheses(model, inputs, options, Search(options.width))]

    def found(states: Tensor, lengths: Tensor) -> list[Labels]:
        return greedy(*_frames(model, states, lengths))

    return _in_batches(model, inputs, options, found)


def searches(model: SequenceModel, width: int) -> bool:
    """Whether it writes by beam search, rather than by the best label of each frame."""
    return isinstance(model.decoder, Attention) or (isinstance(model.decoder, Hybrid) and width > 1)


def search_states(
    model: SequenceModel, states: Tensor, lengths: Tensor, search: Search
) -> list[list[Hypothesis]]:
    """What the model writes for (batch, frames, features) states of its core, the best first."""
    chosen = hybrid.beam if isinstance(model.decoder, Hybrid) else beam.beam
    return chosen(model.decoder, states, lengths, search)


def hypotheses(
    model: SequenceModel, inputs: list[Tensor], options: BatchOptions, search: Search
) -> list[list[Hypothesis]]:
    """What the model writes for each of its inputs, (time, ...), the best first."""

    def found(states: Tensor, lengths: Tensor) -> list[list[Hypothesis]]:
        return search_states(model, states, lengths, search)

    return _in_batches(model, inputs, options, found)


def log_probabilities(model: SequenceModel, inputs: list[Tensor], options: BatchOptions) -> list[Tensor]:
    """(time, ...) each -> (frames, labels) each, on the CPU.

    Raises:
        ModelError: the model has an attention decoder alone.
    """

    def rows(states: Tensor, lengths: Tensor) -> list[Tensor]:
        log_probs, frames = _frames(model, states, lengths)
        return [row[:length] for row, length in zip(log_probs, frames.tolist(), strict=True)]

    return _in_batches(model, inputs, options, rows)


def _frames(model: SequenceModel, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """(batch, frames, labels) log-probabilities on the CPU, and the frames of each."""
    if isinstance(model.decoder, Attention):
        cause = "writes label after label, without probabilities for each frame"
        raise ModelError(model.name, cause, "name a model with a ctc or hybrid decoder")
    log_probs, frames = model.decoder(states, lengths)
    return log_probs.cpu(), frames.cpu()


def _in_batches(
    model: SequenceModel,
    inputs: list[Tensor],
    options: BatchOptions,
    compute: Callable[[Tensor, Tensor], list],
) -> list:
    """What is computed of the core's states, and the frames of each, for every input.

    Inputs of like length share a batch, and batches run side by side.
    """
    device = device_for(options.device)
    model.to(device).eval()
    order = sorted(range(len(inputs)), key=lambda index: len(inputs[index]), reverse=True)
    results: list = [None] * len(inputs)

    @torch.inference_mode()
    def run(chosen: list[int]) -> None:
        lengths = torch.tensor([len(inputs[index]) for index in chosen], device=device)
        batch = torch.nn.utils.rnn.pad_sequence([inputs[index] for index in chosen], batch_first=True)
        with autocast(device, options.precision):
            states, frames = model.states(batch.to(device), lengths)
        for index, result in zip(chosen, compute(states.float(), frames), strict=True):
            results[index] = result

    side_by_side(run, even(order, options.batch_size, device), device)
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
