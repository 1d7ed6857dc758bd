"""What the readers of all media share: the model for a task, batches of pieces, results in order."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from decoders.contract import Hypothesis, Labels, Search
from encoders.precision import computing
from pipelines.errors import ModelError, TriscribeError
from pipelines.media.files import disk_errors, name_of
from pipelines.model import SequenceModel, default, load
from pipelines.model_file import no_default
from pipelines.reading.computing import device_for, even, meanwhile, side_by_side
from pipelines.reading.inference import for_inference
from pipelines.reading.language import fusion
from pipelines.reading.precision import precision_for
from pipelines.reading.reporting import report
from pipelines.reading.settings import BatchOptions, SearchOptions
from pipelines.tasks import TASKS

Item = TypeVar("Item")

Decode = Callable[..., list]
"""(batch, frames, features) states of the core, and the frames of each -> what was read in each."""

_Batch = Sequence[tuple[int, Tensor]]
"""Inputs of the model, (time, ...), with their places among all of them."""

BUFFERED = 128  # pieces, and ends of sources, that are read ahead and sorted into batches
FIRST = 32  # of them before the first batches, so that results and progress begin early; then twice as many
BUFFERED_BYTES = 128_000_000  # largest size of what is read ahead


class Piece(Protocol):
    """What the model reads at once: a stretch of a recording, a line of a page."""

    @property
    def inputs(self) -> Tensor:
        """(time, ...) as the model's front end takes it."""


class Reading(ABC):
    """One source on its way to a result."""

    position: float = 0.0
    """Seconds of it that have been read, for the progress of runs; 0 where time does not count."""

    @abstractmethod
    def pieces(self) -> Iterator[Piece]:
        """Open the source and cut it; may raise a TriscribeError, which becomes its result."""

    @abstractmethod
    def add(self, piece: Piece, found: Labels | list[Hypothesis]) -> None:
        """Take what was decoded of a piece; they come in the order of `pieces`."""

    @abstractmethod
    def result(self) -> object:
        """What all pieces make up."""


def model_for(task: str, model: SequenceModel | str | Path | None) -> SequenceModel:
    """The model asked for, None being the bundled one.

    Raises:
        ModelError: it cannot be used, is not for the task, or none for it comes with the package.
    """
    article = "an" if task[0] in "aeiou" else "a"
    if model is None and not TASKS[task].default:
        raise no_default(task)
    model = default(task) if model is None else model
    model = model if isinstance(model, SequenceModel) else load(model)
    if model.task != task:
        raise ModelError(model.name, f"is a model for {model.task}", f"name {article} {task} model")
    return model


def read(
    readings: Iterable[Reading],
    model: SequenceModel,
    options: BatchOptions,
    decode: Decode | None = None,
    with_inputs: bool = False,
) -> Iterator[object | TriscribeError]:
    """One result or error for each source, in order. Pieces of several sources share batches.

    Args:
        readings: of the sources.
        model: which stays as it is.
        options: SearchOptions where `decode` is None.
        decode: states of the core and the frames of each -> what readings `add`; None takes the decoder's
            own `read`.
        with_inputs: whether `decode` is also given the inputs, (batch, time, ...), padded at the end with 0.
    """
    device = device_for(options.device)
    ready = for_inference(model, device)
    run = partial(_run, ready, options, decode or _reading(model, ready, options), with_inputs=with_inputs)

    def batched() -> Iterator[tuple[tuple[list[_Entry], bool], list[_Batch]]]:
        for entries, full in buffered(_entries(readings), lambda entry: entry.piece):
            inputs = [entry.piece.inputs for entry in entries if entry.piece]
            yield (entries, full), _batches(inputs, options, device)

    for (entries, _), found in meanwhile(run, batched(), lambda group: not group[1], device):
        each = iter(_in_order(found))
        for reading, piece, error in entries:
            if piece:
                reading.add(piece, next(each))
            else:
                yield error or reading.result()
        report(entries[-1].reading.position if entries[-1].piece else 0.0)


class _Entry(NamedTuple):
    """A piece of a source; or without one, its end."""

    reading: Reading
    piece: Piece | None = None
    error: TriscribeError | None = None


def _entries(readings: Iterable[Reading]) -> Iterator[_Entry]:
    for reading in readings:
        error = None
        try:
            with disk_errors(getattr(reading, "name", None) or name_of(getattr(reading, "source", reading))):
                for piece in reading.pieces():
                    yield _Entry(reading, piece)
        except TriscribeError as caught:
            error = caught
        yield _Entry(reading, error=error)


def buffered(
    items: Iterable[Item], piece: Callable[[Item], Piece | None]
) -> Iterator[tuple[list[Item], bool]]:
    """Items in groups of as many as are read ahead, and whether more may follow.

    The larger the groups that are sorted into batches, the more alike in length are the pieces of a batch,
    and the less is computed for padding. Where all are of one length, as the windows of a long recording are,
    groups do not grow.

    Args:
        items: read as they are needed.
        piece: of each item, if it has one.
    """
    waiting: list[Item] = []
    size, most = 0, min(FIRST, BUFFERED)
    for item in items:
        waiting.append(item)
        held = piece(item)
        size += held.inputs.nbytes if held else 0
        if len(waiting) >= most or size >= BUFFERED_BYTES:
            yield waiting, True
            lengths = {len(held.inputs) for held in map(piece, waiting) if held}
            waiting, size, most = [], 0, min(2 * most, BUFFERED) if len(lengths) > 1 else most
    if waiting:
        yield waiting, False


def raising(results: Iterator[object | TriscribeError], errors: str) -> Iterator:
    """The results; an error is raised at its turn, or with errors="return" returned in its place."""
    for result in results:
        if isinstance(result, TriscribeError) and errors == "raise":
            raise result
        yield result


def labels_of(model: SequenceModel, inputs: list[Tensor], options: SearchOptions) -> list[Labels]:
    """What the model reads in each input, (time, ...)."""
    ready = for_inference(model, device_for(options.device))
    return _decoded(ready, inputs, options, _reading(model, ready, options))


def log_probabilities(model: SequenceModel, inputs: list[Tensor], options: BatchOptions) -> list[Tensor]:
    """Inputs, (time, ...) each -> (frames, labels) log-probabilities of each, on the CPU.

    Raises:
        ModelError: the model has no log-probabilities for each frame.
    """

    if not model.decoder.by_frame:
        cause = "writes label after label, without probabilities for each frame"
        raise ModelError(model.name, cause, "name a model with a ctc or hybrid decoder")

    ready = for_inference(model, device_for(options.device))

    def rows(states: Tensor, lengths: Tensor) -> list[Tensor]:
        log_probs = ready.decoder.frame_log_probs(states, lengths).cpu()
        return [row[:length] for row, length in zip(log_probs, lengths.tolist(), strict=True)]

    return _decoded(ready, inputs, options, rows)


def _reading(model: SequenceModel, ready: SequenceModel, options: SearchOptions) -> Decode:
    """The `read` of a model made ready for inference, with the search that the options describe."""
    search = Search(options.width, options.alternatives, fusion(model, options))
    return partial(ready.decoder.read, search=search)


def _decoded(model: SequenceModel, inputs: list[Tensor], options: BatchOptions, decode: Decode) -> list:
    """What is read in each input, in order."""
    device = device_for(options.device)
    batches = _batches(inputs, options, device)
    return _in_order(side_by_side(partial(_run, model, options, decode), batches, device))


def _batches(inputs: list[Tensor], options: BatchOptions, device: str) -> list[_Batch]:
    """Inputs of similar length together, the longest first."""
    longest = sorted(enumerate(inputs), key=lambda placed: len(placed[1]), reverse=True)
    return even(longest, options.batch_size, device)


@torch.inference_mode()
def _run(
    model: SequenceModel, options: BatchOptions, decode: Decode, batch: _Batch, with_inputs: bool = False
) -> list[tuple[int, object]]:
    """What is read in a batch, with the places of its inputs."""
    places, inputs = zip(*batch, strict=True)
    device = device_for(options.device)
    lengths = torch.tensor([len(each) for each in inputs], device=device)
    padded = torch.nn.utils.rnn.pad_sequence(inputs, batch_first=True)
    with computing(device, precision_for(options.precision, device)):
        states, frames = model.states(padded.to(device), lengths)
    read_from = (padded.to(device),) if with_inputs else ()
    return list(zip(places, decode(states.float(), frames, *read_from), strict=True))


def _in_order(found: list[list[tuple[int, object]]]) -> list:
    """What was read in all batches, in the order of the inputs."""
    return [result for _, result in sorted(chain.from_iterable(found), key=itemgetter(0))]
