"""Language models: texts in, how surprising each symbol is out."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from decoders.contract import Decoder
from pipelines.errors import TriscribeError
from pipelines.media.passages import Passages
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.readers import answer
from pipelines.reading.settings import LanguageOptions
from pipelines.reading.verbatim import Symbols, Verbatim, cleaned
from pipelines.results import Likelihood, ScoredText
from pipelines.text import given

PART = 2048  # symbols that are read at once
LEAD = 256  # symbols that are read before those of a part, as their context
AT_ONCE = 8_000_000  # log-probabilities that are held at a time

Source = str | os.PathLike


def score(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Likelihood | Iterator[Likelihood]:
    """Tell how probable a text is, and how surprising each of its characters, subwords or words.

    A text is thought to follow a line break. It is read in parts of 2,048 symbols, each with the 256 before
    it as its context, so that long texts take no more memory than short ones but for 8 bytes a symbol.

    Args:
        source: a text; a `pathlib.Path` of a text file, compressed or not; or a list or generator of these.
        model: a loaded model, a file, or a bundled model's name.
        options: see `LanguageOptions`.

    Returns:
        A `Likelihood`. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or holds no text (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is no language model.
    """
    chosen = LanguageOptions.of(options)
    one = isinstance(source, (str, os.PathLike))
    return answer("score", given(source) if one else map(given, source), model, chosen)


def read_books(
    passages: Iterable[Passages | TriscribeError], model: SequenceModel, options: LanguageOptions
) -> Iterator[Likelihood | TriscribeError]:
    """How surprising the texts of each source are, in order."""
    decode = partial(surprisals, model.decoder, len(model.alphabet))
    return read((_Scoring(each, model) for each in passages), model, options, decode, with_inputs=True)


def surprisals(
    decoder: Decoder, num_labels: int, states: Tensor, lengths: Tensor, inputs: Tensor
) -> list[np.ndarray]:
    """Nats of each symbol but the first of each sequence, (length - 1,).

    Args:
        decoder: that `predicts`.
        num_labels: of its vocabulary.
        states: (batch, time, features) after each symbol.
        lengths: (batch,) symbols of each sequence.
        inputs: (batch, time) the symbols.
    """
    found = []
    for state, ids, length in zip(states, inputs.long(), lengths.tolist(), strict=True):
        rows = max(1, AT_ONCE // num_labels)
        parts = zip(state[: length - 1].split(rows), ids[1:length].split(rows), strict=True)
        nats = [-decoder.next_log_probs(one).gather(-1, wanted[:, None])[:, 0] for one, wanted in parts]
        found.append(torch.cat(nats).cpu().numpy() if nats else np.zeros(0, np.float32))
    return found


@dataclass(frozen=True)
class _Part:
    """Symbols that are read at once.

    Attributes:
        text: place of their text in its source.
        scored: how many of them count, the last ones.
        inputs: (time,) ids, with the one before the first.
    """

    text: int
    scored: int
    inputs: Tensor


def parts_of(ids: np.ndarray, first: int) -> Iterator[tuple[int, Tensor]]:
    """A text as sequences that are read at once: how many symbols of each count, and its inputs.

    Args:
        ids: (n,) symbols.
        first: that the text is thought to follow on.
    """
    behind = np.concatenate([np.array([first], np.int64), ids])
    for start in range(0, len(ids), PART):
        end = min(start + PART, len(ids))
        yield end - start, torch.from_numpy(behind[max(0, start - LEAD) : end + 1])


class _Scoring(Reading):
    """The texts of one source on their way to a result."""

    def __init__(self, passages: Passages, model: SequenceModel):
        self.model, self.source, self.notes = model, passages.source, passages.notes
        self.verbatim = Verbatim(model.vocabulary)
        self.texts = [cleaned(text, model.normalisation) for text in passages.texts]
        self.symbols: list[Symbols] = []
        self.nats: list[array] = [array("f") for _ in self.texts]

    def pieces(self) -> Iterator[_Part]:
        for place, text in enumerate(self.texts):
            symbols = self.verbatim(text)
            self.symbols.append(symbols)
            for scored, inputs in parts_of(symbols.ids, self.verbatim.first):
                yield _Part(place, scored, inputs)

    def add(self, piece: _Part, found: np.ndarray) -> None:
        self.nats[piece.text].frombytes(found[len(found) - piece.scored :].astype(np.float32).tobytes())

    def result(self) -> Likelihood:
        texts, strange = [], 0
        for text, symbols, nats in zip(self.texts, self.symbols, self.nats, strict=True):
            unknown = np.flatnonzero(symbols.ids == 0)
            if len(unknown):
                spelt = self.verbatim.spelling(text, symbols)
                for place in unknown.tolist():
                    nats[place] += float(spelt[place])
            strange += len(unknown)
            starts = array("I", symbols.starts[:-1].astype(np.uint32).tobytes())
            texts.append(ScoredText(text, starts, nats, tuple(unknown.tolist()), self.verbatim.unit))
        many = sum(len(nats) for nats in self.nats)
        told = f"{strange:,} of {many:,} {self.verbatim.unit}s are outside the vocabulary"
        notes = (*self.notes, *([told] if strange else []))
        return Likelihood(tuple(texts), self.model.name, self.source, notes=notes)
