"""Language models: the beginning of a text in, what might follow out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, overload

import numpy as np
import torch

from pipelines.model import SequenceModel, load
from pipelines.reading.batches import model_for
from pipelines.reading.computing import device_for
from pipelines.reading.inference import for_inference
from pipelines.reading.settings import GenerationOptions
from pipelines.reading.verbatim import Verbatim, cleaned
from pipelines.results import Generated

PART = 1024  # symbols of a prompt that are read at once


@overload
def generate(
    prompt: str = "", model: SequenceModel | str | Path | None = None, *, stream: Literal[True], **options
) -> Iterator[str]: ...
@overload
def generate(
    prompt: str = "", model: SequenceModel | str | Path | None = None, *, stream: bool = False, **options
) -> Generated: ...
def generate(
    prompt: str = "", model: SequenceModel | str | Path | None = None, *, stream: bool = False, **options
) -> Generated | Iterator[str]:
    """Write on behind the beginning of a text.

    Each symbol is drawn from what the language model expects; the same seed gives the same text. The draw is
    computed in double precision from numbers that Python's own generator gives, alike on all machines; only
    where the network itself rounds otherwise, and a number falls right between two symbols, may texts differ.

    Args:
        prompt: the beginning; it may be empty.
        model: a loaded model, a file, or a bundled model's name.
        stream: give the text piece by piece, as it is written, without the prompt.
        options: see `GenerationOptions`.

    Raises:
        ModelError: the model cannot be used, or is no language model.
        ValueError: an option is unknown or out of range.
    """
    chosen = GenerationOptions.of(options)
    if model is not None and not isinstance(model, SequenceModel):
        model = load(model)
    network = model_for("language", model)
    given = cleaned(prompt, network.normalisation)
    pieces = _written(given, network, chosen)
    if stream:
        return pieces
    return Generated(given, "".join(pieces), network.name, unknown_in(given, network))


def unknown_in(prompt: str, model: SequenceModel) -> tuple[str, ...]:
    """The characters of a prompt that are in none of a model's symbols, sorted."""
    verbatim = Verbatim(model.vocabulary)
    return tuple(sorted(symbol for symbol in set(prompt) if symbol not in verbatim.letters))


def _written(prompt: str, model: SequenceModel, options: GenerationOptions) -> Iterator[str]:
    """Pieces of at least `length` characters in all."""
    verbatim, device = Verbatim(model.vocabulary), device_for(options.device)
    network = for_inference(model, device)
    chooser, left = random.Random(options.seed), options.length
    ids, state = [verbatim.first, *verbatim(prompt).ids.tolist()], None
    while left > 0:
        with torch.inference_mode():
            for start in range(0, len(ids), PART):
                part = torch.tensor([ids[start : start + PART]], device=device)
                vectors, _ = network.front_end(part, torch.tensor([part.size(1)], device=device))
                states, state = network.core.stream(vectors, state)
            log_probs = network.decoder.next_log_probs(states[0, -1]).double().cpu().numpy()
        id = drawn(log_probs, options, chooser.random())
        piece = verbatim.text(id)
        left -= len(piece)
        yield piece
        ids = [id]


def drawn(log_probs: np.ndarray, options: GenerationOptions, number: float) -> int:
    """The symbol that a random number chooses; never 0.

    Args:
        log_probs: (num_labels,).
        options: temperature and `top_p`.
        number: from 0 to below 1.
    """
    known = log_probs[1:]
    if options.temperature == 0:
        return int(known.argmax()) + 1
    order = (-known).argsort(kind="stable")
    scaled = known[order] / options.temperature
    chances = np.exp(scaled - scaled[0])
    sums = np.cumsum(chances / chances.sum())
    kept = min(int(sums.searchsorted(options.top_p)) + 1, len(sums))
    place = int(sums[:kept].searchsorted(number * sums[kept - 1], side="right"))
    return int(order[min(place, kept - 1)]) + 1
