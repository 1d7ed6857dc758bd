"""Translation: texts of one language in, those of another one out, with where each word comes from."""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torch import Tensor

from decoders.contract import Hypothesis, Search
from pipelines.errors import TriscribeError
from pipelines.media.prose import Prose, prose_of, sentence_spans
from pipelines.model import SequenceModel
from pipelines.reading.batches import Reading, read
from pipelines.reading.computing import device_for
from pipelines.reading.inference import for_inference
from pipelines.reading.readers import answer
from pipelines.reading.settings import TranslationOptions
from pipelines.reading.tokens import Token, plain
from pipelines.results import Translated, TranslatedSentence, TranslatedToken
from pipelines.text import tokenizer_of

LONGEST = 250  # tokens of a sentence that are read at once
STRANGE = 10  # unknown characters that are named
SPACELESS = ("THAI", "LAO", "KHMER", "MYANMAR")  # scripts without spaces between words

Source = str | os.PathLike


def translate(
    source: Source | Iterable[Source], model: SequenceModel | str | Path | None = None, **options
) -> Translated | Iterator[Translated]:
    """Translate a text, sentence by sentence; its lines are kept.

    Args:
        source: a text; a `pathlib.Path` of a text file, or of a table with a column of texts (CSV, TSV, JSON
            lines; compressed or not); or a list or generator of these.
        model: a loaded model, a file, or a bundled model's name.
        options: see `TranslationOptions`.

    Returns:
        A `Translated`. For many sources a generator.

    Raises:
        MediaError: a source cannot be read, or holds no text (for many: when its turn comes, see `errors`).
        ModelError: the model cannot be used, or is not for translation.
    """
    chosen = TranslationOptions.of(options)
    one = isinstance(source, (str, os.PathLike))
    return answer("translate", _given(source) if one else map(_given, source), model, chosen)


def _given(source: Source) -> Prose | os.PathLike:
    """A string as a text; any other path stays one."""
    return prose_of(source) if isinstance(source, str) else source


def read_prose(
    sources: Iterable[Prose | TriscribeError], model: SequenceModel, options: TranslationOptions
) -> Iterator[Translated | TriscribeError]:
    """The translation of each source, in order."""
    ready = for_inference(model, device_for(options.device))
    decode = partial(ready.decoder.hypotheses, search=search_for(model, options))
    return read((_Translating(each, model, options) for each in sources), model, options, decode)


def search_for(model: SequenceModel, options: TranslationOptions) -> Search:
    """How translations are looked for: never with the label that stands for unknown characters."""
    unknown = getattr(model.alphabet, "unknown_id", None)
    return Search(
        max(options.width, options.alternatives + 1),
        length_power=options.length_power,
        omission=options.coverage,
        max_ratio=2.0,
        max_extra=10,
        barred=() if unknown is None else (unknown,),
    )


@dataclass(frozen=True)
class _Part:
    """A sentence, or what can be read at once of a long one."""

    line: int
    text: str
    tokens: list[Token]
    inputs: Tensor


class _Translating(Reading):
    """The sentences of one source on their way to a result."""

    def __init__(self, prose: Prose, model: SequenceModel, options: TranslationOptions):
        self.prose, self.model, self.options = prose, model, options
        self.source = prose.source
        self.sentences: list[TranslatedSentence] = []
        self.strange: dict[str, None] = {}
        self.cut = 0

    def pieces(self) -> Iterator[_Part]:
        tokenizer = tokenizer_of(self.model)
        for number, line in enumerate(self.prose.lines, start=1):
            for start, end in sentence_spans(line):
                text = line[start:end]
                tokens = tokenizer(text)
                unknown = self.model.vocabulary.unknown(plain(text, self.model.front_end.lower))
                self.strange |= dict.fromkeys(unknown)
                self.cut += len(tokens) > LONGEST
                for part, piece in parts_of(text, tokens):
                    yield _Part(number, part, piece, tokenizer.inputs(piece))

    def add(self, piece: _Part, found: list[Hypothesis]) -> None:
        self.sentences.append(sentence(self.model, piece, found, self.options.alternatives))

    def result(self) -> Translated:
        notes = list(self.prose.notes)
        if self.strange:
            more = f" and {len(self.strange) - STRANGE} more" if len(self.strange) > STRANGE else ""
            listed = " ".join(map(repr, [*self.strange][:STRANGE]))
            notes.append(f"the model does not know these characters: {listed}{more}")
        if self.cut:
            told = "1 sentence" if self.cut == 1 else f"{self.cut} sentences"
            notes.append(f"{told} of more than {LONGEST} tokens: translated in parts")
        sentences = tuple(self.sentences)
        return Translated(
            sentences, len(self.prose.lines), self.model.name, self.prose.source, notes=tuple(notes)
        )


def parts_of(text: str, tokens: list[Token]) -> Iterator[tuple[str, list[Token]]]:
    """A sentence in parts that can be read at once: each a text and its tokens."""
    if len(tokens) <= LONGEST:
        yield text, tokens
        return
    starts = [place for place, token in enumerate(tokens) if token.text.startswith(" ")]
    begin = 0
    while begin < len(tokens):
        end = begin + LONGEST
        if end < len(tokens):  # at a word, if there is one in the second half
            end = max((place for place in starts if begin + LONGEST // 2 < place <= end), default=end)
        part = tokens[begin:end]
        yield "".join(token.text for token in part).strip(), part
        begin = end


def sentence(
    model: SequenceModel, piece: _Part, found: Sequence[Hypothesis], alternatives: int
) -> TranslatedSentence:
    """The best hypothesis as a sentence, and others as its alternatives, no two alike."""
    texts: dict[str, Hypothesis] = {}
    for each in found:
        texts.setdefault(model.decode(each.labels.ids), each)
    (text, best), *others = texts.items()
    names = [token.text for token in piece.tokens]
    columns = words_of(names)
    sources = tuple("".join(names[place] for place in group).strip() for group in columns)
    written = [model.alphabet.symbols[id - 1].replace("\u2581", " ") for id in best.labels.ids]
    tokens = []
    for group in words_of(written):
        weights = best.weights[group].mean(dim=0)
        shares = tuple(float(weights[columns_of].sum()) for columns_of in columns)
        confidence = sum(best.labels.confidences[place] for place in group) / len(group)
        word = "".join(written[place] for place in group).strip()
        tokens.append(TranslatedToken(word, min(1.0, confidence), shares))
    other = tuple((each, _confidence(hypothesis)) for each, hypothesis in others[:alternatives])
    return TranslatedSentence(piece.text, text, _confidence(best), piece.line, sources, tuple(tokens), other)


def words_of(pieces: Sequence[str]) -> list[list[int]]:
    """Places of the pieces of each word or sign; in scripts without spaces, each piece is one."""
    groups: list[list[int]] = []
    last = " "
    for place, piece in enumerate(pieces):
        if not piece.strip() and place + 1 < len(pieces):
            begins = True  # a space alone, which goes with what follows it
        else:
            before = groups and not "".join(pieces[each] for each in groups[-1]).strip()
            begins = not before and (piece.startswith(" ") or not _joins(last, piece[:1]))
        if begins or not groups:
            groups.append([place])
        else:
            groups[-1].append(place)
        last = piece[-1:] or last
    return groups


def _joins(last: str, first: str) -> bool:
    """Whether two characters that follow each other belong to one word."""
    return all(
        (symbol.isalnum() or unicodedata.category(symbol)[0] == "M")
        and unicodedata.east_asian_width(symbol) not in "WF"
        and not unicodedata.name(symbol, "").startswith(SPACELESS)
        for symbol in (last, first)
        if symbol
    )


def _confidence(found: Hypothesis) -> float:
    """The probability of a label and of the end, on geometric mean."""
    return min(1.0, math.exp(found.log_prob / (len(found.labels.ids) + 1)))
