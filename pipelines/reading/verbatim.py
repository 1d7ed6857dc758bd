"""Texts as the symbols of a language model, from which they can be put together again without loss.

A vocabulary holds no control characters; line breaks and tabs are written as `␤` and `␉` in it, spaces in
words and subwords as in sentencepiece.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from decoders.alphabet import Alphabet, Normalisation
from decoders.vocabulary import SPACE, Subwords, Words

BREAK, TAB = "\u2424", "\u2409"
UNICODE = 0x110000 - 0x800  # code points that are no surrogates
PIECE = re.compile(r" ?\w+(?:['\u2019]\w+)*| ?[^\w\s]|\s")
"""A word with its apostrophes or a sign, either with the space before it; or other white space."""
LINE = re.compile(r"[^\n]*\n|[^\n]+")
_STAND_INS = {"\n": BREAK, "\t": TAB, BREAK: "\ufffd", TAB: "\ufffd", SPACE: "\ufffd"}
_WRITTEN = str.maketrans(_STAND_INS)
_READ = str.maketrans({BREAK: "\n", TAB: "\t"})

Vocabulary = Alphabet | Words | Subwords


class Symbols(NamedTuple):
    """The symbols of a text.

    Attributes:
        ids: (n,) int32, in the vocabulary; 0 for what it does not hold.
        starts: (n + 1,) where each begins in the text, in characters, and its end.
    """

    ids: np.ndarray
    starts: np.ndarray


def cleaned(text: str, normalisation: Normalisation) -> str:
    """A text in the normal form and case of a model; of its white space, only line breaks are made alike."""
    text = unicodedata.normalize(
        normalisation.form, text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    )
    if normalisation.case == "keep":
        return text
    text = text.upper() if normalisation.case == "upper" else text.lower()
    return unicodedata.normalize(normalisation.form, text)


class Verbatim:
    """Text -> symbols and back.

    Args:
        vocabulary: characters, subwords made by `subwords_of`, or words made by `words_of`.
    """

    def __init__(self, vocabulary: Vocabulary):
        self.vocabulary = vocabulary

    def __call__(self, text: str) -> Symbols:
        """The symbols of a text that `cleaned` gave."""
        if isinstance(self.vocabulary, Alphabet):
            codes = codes_of(text)
            known, ids = self._codes
            places = np.minimum(known.searchsorted(codes), len(known) - 1)
            found = np.where(known[places] == codes, ids[places], 0)
            return Symbols(found.astype(np.int32), np.arange(len(text) + 1))
        pieces = self._pieces(text)
        ids, lengths = zip(*pieces, strict=True) if text else ((), ())
        return Symbols(np.array(ids, np.int32), np.cumsum((0, *lengths)))

    def text(self, id: int) -> str:
        """What a symbol stands for in a text; "" for 0."""
        return self.vocabulary.symbols[id - 1].translate(_READ).replace(SPACE, " ") if id else ""

    @cached_property
    def first(self) -> int:
        """The symbol that a text is thought to follow on: the line break, or 0 where there is none."""
        return self._ids.get(BREAK, 0)

    @property
    def unit(self) -> str:
        """What its symbols are: character, subword or word."""
        kinds = {Alphabet: "character", Words: "word", Subwords: "subword"}
        return kinds[type(self.vocabulary)]

    def spelling(self, text: str, symbols: Symbols) -> np.ndarray:
        """(n,) nats that each symbol outside the vocabulary costs beside the probability of 0; else 0.

        So the probabilities of all texts sum to one, and models with different vocabularies can be
        compared. A character is one of all of Unicode that the vocabulary lacks. A word is spelt: each of
        its characters is one of those in known words, or another one, or the end of the word, all as
        probable.
        """
        nats = np.zeros(len(symbols.ids))
        for place in np.flatnonzero(symbols.ids == 0).tolist():
            piece = text[symbols.starts[place] : symbols.starts[place + 1]]
            nats[place] = self._spelt(piece)
        return nats

    def _spelt(self, piece: str) -> float:
        rare = math.log(UNICODE - len(self.letters))
        if not isinstance(self.vocabulary, Words):
            return rare * len(piece)
        strange = sum(letter not in self.letters for letter in piece)
        return (len(piece) + 1) * math.log(len(self.letters) + 2) + strange * rare

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        """(id, characters) of each symbol."""
        if isinstance(self.vocabulary, Words):
            for match in PIECE.finditer(text):
                yield self._ids.get(marked(match[0]), 0), len(match[0])
            return
        unknown = self.vocabulary.unknown_id
        for line in LINE.findall(text):
            written = marked(line)
            ids, pieces = self.vocabulary.encode(written), self.vocabulary.pieces(written)
            for id, piece in zip(ids, pieces, strict=True):
                if id == unknown:  # runs of unknown characters are one piece
                    yield from [(0, 1)] * len(piece)
                else:
                    yield id, len(piece)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: id for id, symbol in enumerate(self.vocabulary.symbols, start=1)}

    @cached_property
    def letters(self) -> frozenset[str]:
        """The characters of texts that are in its symbols."""
        return frozenset(
            letter.translate(_READ).replace(SPACE, " ")
            for symbol in self.vocabulary.symbols
            for letter in symbol
        )

    @cached_property
    def _codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Code points of the characters of a text that are known, sorted, and their ids."""
        known = sorted((ord(symbol.translate(_READ)), id) for symbol, id in self._ids.items())
        codes, ids = np.array(known, np.int64).T
        return codes, ids


def codes_of(text: str) -> np.ndarray:
    """(n,) code points of a text."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def marked(text: str) -> str:
    """A text as vocabularies of words and subwords have it."""
    return text.translate(_WRITTEN).replace(" ", SPACE)


def characters_of(texts: Iterable[str], size: int, least: int = 2) -> Alphabet:
    """The characters that occur at least so often in texts, at most `size`; the rarer ones teach a model what
    to expect of unknown ones.
    """
    counts: dict[str, int] = {}
    for text in texts:
        codes, times = np.unique(codes_of(text), return_counts=True)
        for code, count in zip(codes.tolist(), times.tolist(), strict=True):
            symbol = _STAND_INS.get(chr(code), chr(code))
            counts[symbol] = counts.get(symbol, 0) + count
    counts.pop("\ufffd", None)
    known = [symbol for symbol in counts if unicodedata.category(symbol) not in ("Cc", "Cs")]
    often = [symbol for symbol in known if counts[symbol] >= least] or known
    return Alphabet(sorted(sorted(often, key=lambda symbol: (-counts[symbol], symbol))[:size]))


def words_of(texts: Iterable[str], size: int, least: int = 2) -> Words:
    """The most frequent pieces of texts, at most `size`, that occur at least so often."""
    counts: dict[str, int] = {}
    for text in texts:
        for match in PIECE.finditer(text):
            word = marked(match[0])
            counts[word] = counts.get(word, 0) + 1
    known = [word for word in counts if not any(unicodedata.category(each) in ("Cc", "Cs") for each in word)]
    known = [word for word in known if "\ufffd" not in word and word.split() == [word]]
    often = [word for word in known if counts[word] >= least] or known
    return Words(sorted(often, key=lambda word: (-counts[word], word))[:size])


def subwords_of(texts: Iterable[str], size: int) -> Subwords:
    """Subwords that keep all white space, found in the lines of texts."""
    lines = (marked(line).replace("\ufffd", "") for text in texts for line in LINE.findall(text))
    return Subwords.of(lines, size, verbatim=True)
