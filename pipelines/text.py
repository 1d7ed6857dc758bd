"""Text: sentences and documents in, their classes out, with what each token counts for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipelines.errors import MediaError, TriscribeError
from pipelines.media.kind import is_one
from pipelines.media.passages import Passages
from pipelines.model import SequenceModel, load
from pipelines.reading.batches import Reading, read
from pipelines.reading.readers import answer
from pipelines.reading.settings import TextOptions
from pipelines.reading.tokens import Token, Tokenizer
from pipelines.results import Classified, ClassifiedText

LONGEST = 1000  # tokens that are read at once; a longer text is judged by the mean over its parts

Source = str | os.PathLike


def classify(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Classified | Iterator[Classified]:
    """Tell the class of a text: its topic, its intent; or with a model for signals, that of a signal.

    Args:
        source: a text; a `pathlib.Path` of a file with a text on each line, or of a table with a column of
            texts (CSV, TSV, JSON lines; compressed or not); or a list or generator of these. For a model for
            signals: a path, whether a string or not, of a table with a row a time step, a `.ts` file, an EDF,
            WFDB or sound file; a `pipelines.media.signals.Signal`; or a list or generator of these.
        model: a loaded model, a file, or a bundled model's name.
        options: see `TextOptions`.

    Returns:
        A `Classified`, which for a file holds all its texts or signals. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or holds no text (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for such a source.
    """
    chosen = TextOptions.of(options)
    if model is not None and not isinstance(model, SequenceModel):
        model = load(model)
    if model is not None and model.task == "signals":
        return answer("classify", source, model, chosen)
    one = is_one(source)
    return answer("classify", given(source) if one else map(given, source), model, chosen)


def given(source: Source) -> Passages | os.PathLike:
    """A string as a text; any other path stays one.

    Raises:
        MediaError: the text is empty.
    """
    if not isinstance(source, str):
        return source
    if not source.strip():
        raise MediaError("<text>", "is empty", "give some text")
    return Passages((source,))


def read_texts(
    passages: Iterable[Passages | TriscribeError], model: SequenceModel, options: TextOptions
) -> Iterator[Classified | TriscribeError]:
    """The classes of the texts of each source, in order."""

    def decode(states: Tensor, lengths: Tensor, inputs: Tensor) -> list[tuple[Tensor, Tensor]]:
        probabilities, shares = model.decoder.frame_probabilities(states, lengths, inputs)
        rows = zip(probabilities[:, 0, 1:].cpu(), shares.cpu(), lengths.tolist(), strict=True)
        return [(classes, share[:length]) for classes, share, length in rows]

    readings = (_Classifying(each, model, options) for each in passages)
    return read(readings, model, options, decode, with_inputs=True)


def tokenizer_of(model: SequenceModel) -> Tokenizer:
    """The tokenizer of a model that reads text."""
    return Tokenizer(model.vocabulary, model.front_end.lower, model.front_end.affixes)


@dataclass(frozen=True)
class _Part:
    """Tokens that are read at once, of the text with this place in its source."""

    text: int
    tokens: list[Token]
    inputs: Tensor


class _Classifying(Reading):
    """The texts of one source on their way to a result."""

    def __init__(self, passages: Passages, model: SequenceModel, options: TextOptions):
        self.passages, self.model, self.options = passages, model, options
        self.found: list[list[tuple[_Part, Tensor, Tensor]]] = [[] for _ in passages.texts]

    def pieces(self) -> Iterator[_Part]:
        tokenizer = tokenizer_of(self.model)
        for place, text in enumerate(self.passages.texts):
            tokens = tokenizer(text)
            for start in range(0, max(1, len(tokens)), LONGEST):
                part = tokens[start : start + LONGEST]
                yield _Part(place, part, tokenizer.inputs(part))

    def add(self, piece: _Part, found: tuple[Tensor, Tensor]) -> None:
        self.found[piece.text].append((piece, *found))

    def result(self) -> Classified:
        texts = tuple(map(self._classified, self.passages.texts, self.found))
        strange = sum(
            not any(token.id for part, _, _ in parts for token in part.tokens) for parts in self.found
        )
        told = (f"{strange} of {len(texts)} texts: the model knows none of their words",) if strange else ()
        notes = (*self.passages.notes, *told)
        return Classified(texts, self.model.name, self.passages.source, notes=notes)

    def _classified(self, text: str, parts: list[tuple[_Part, Tensor, Tensor]]) -> ClassifiedText:
        lengths = torch.tensor([max(1, len(part.tokens)) for part, _, _ in parts], dtype=torch.float32)
        weights = lengths / lengths.sum()
        classes = (torch.stack([each for _, each, _ in parts]) * weights[:, None]).sum(0)
        order = classes.argsort(descending=True, stable=True)[: self.options.top].tolist()
        names = self.model.alphabet.symbols
        top = tuple((names[place], classes[place].item()) for place in order)
        shares = (
            (token.text, share * weight)
            for (part, _, found), weight in zip(parts, weights.tolist(), strict=True)
            for token, share in zip(part.tokens, found.tolist(), strict=False)
        )
        accepted, several = judged_by(self.model, classes, self.options.threshold)
        return ClassifiedText(text, top, accepted, tuple(shares), several)


def judged_by(
    model: SequenceModel, classes: Tensor, threshold: float | None = None
) -> tuple[bool, tuple[str, ...]]:
    """Whether a text is of one of the classes at all; and where it may be of several, of which.

    Args:
        classes: their (classes,) probabilities.
        threshold: from which one is accepted; None takes what training found.
    """
    if model.decoder.several:
        least = model.decoder.thresholds[1:].to(classes.device)
        if threshold is not None:
            least = torch.full_like(classes, threshold)
        order = classes.argsort(descending=True, stable=True).tolist()
        found = tuple(model.alphabet.symbols[place] for place in order if classes[place] >= least[place])
        return bool(found), found
    best = int(classes.argmax())
    least = model.min_confidence if threshold is None else threshold
    return best + 1 != model.decoder.reject and classes[best].item() >= least, ()
