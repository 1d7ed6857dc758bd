"""Tagging: texts in, a label for each token out, such as its part of speech, or the spans of names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from decoders.contract import Labels
from pipelines.errors import TriscribeError
from pipelines.media.passages import Passages
from pipelines.media.sentences import Sentences
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.readers import answer
from pipelines.reading.settings import TaggingOptions
from pipelines.reading.tokens import WORD, Token
from pipelines.results import Tagged, TaggedText, TaggedToken
from pipelines.text import given, tokenizer_of

LONGEST = 400  # tokens that are read at once; a longer text is read in parts

Source = str | os.PathLike


def tag(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Tagged | Iterator[Tagged]:
    """Label each token of a text: its part of speech, or whether it belongs to a name, a date, a place.

    Args:
        source: a text; a `pathlib.Path` of a file with a text on each line, of a table with a column of
            texts, or of a file in CoNLL or CoNLL-U, whose tokens are taken as they are; or a list or
            generator of these.
        model: a loaded model, a file, or a bundled model's name.
        options: see `TaggingOptions`.

    Returns:
        A `Tagged`, which for a file holds all its texts. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or holds no text (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for tagging.
    """
    chosen = TaggingOptions.of(options)
    one = isinstance(source, (str, os.PathLike))
    return answer("tag", given(source) if one else map(given, source), model, chosen)


def read_tags(
    sources: Iterable[Passages | Sentences | TriscribeError], model: SequenceModel, options: TaggingOptions
) -> Iterator[Tagged | TriscribeError]:
    """The labels of the tokens of each source, in order."""
    return read((_Tagging(each, model) for each in sources), model, options, model.decoder.read)


@dataclass(frozen=True)
class _Part:
    """Tokens that are read at once, of the text with this place in its source."""

    text: int
    inputs: Tensor


class _Tagging(Reading):
    """The texts of one source on their way to a result."""

    def __init__(self, source: Passages | Sentences, model: SequenceModel):
        self.model, self.source = model, source.source
        self.notes = getattr(source, "notes", ())
        if isinstance(source, Sentences):
            self.texts = [joined(sentence.words) for sentence in source.found]
        else:
            self.texts = [
                (text, [(match[0], match.start(), match.end()) for match in WORD.finditer(text)])
                for text in source.texts
            ]
        self.found: list[list[Labels]] = [[] for _ in self.texts]

    def pieces(self) -> Iterator[_Part]:
        tokenizer = tokenizer_of(self.model)
        for place, (_, words) in enumerate(self.texts):
            tokens: list[Token] = tokenizer.words([word for word, _, _ in words])
            for start in range(0, len(tokens), LONGEST):
                yield _Part(place, tokenizer.inputs(tokens[start : start + LONGEST]))

    def add(self, piece: _Part, found: Labels) -> None:
        self.found[piece.text].append(found)

    def result(self) -> Tagged:
        names = self.model.alphabet.symbols
        texts = []
        for (text, words), parts in zip(self.texts, self.found, strict=True):
            labels = [id for part in parts for id in part.ids]
            chances = [chance for part in parts for chance in part.confidences]
            tokens = (
                TaggedToken(word, names[id - 1], chance, start, end)
                for (word, start, end), id, chance in zip(words, labels, chances, strict=True)
            )
            texts.append(TaggedText(text, tuple(tokens)))
        return Tagged(tuple(texts), self.model.name, self.source, notes=self.notes)


def joined(words: Sequence[str]) -> tuple[str, list[tuple[str, int, int]]]:
    """Tokens as one text with spaces between them, and each with its start and end in it."""
    placed, start = [], 0
    for word in words:
        placed.append((word, start, start + len(word)))
        start += len(word) + 1
    return " ".join(words), placed
