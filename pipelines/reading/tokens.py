"""Cuts texts into tokens and looks up their ids in a model's vocabulary."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.vocabulary import SPACE, Subwords, Words

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""A word with its apostrophes, or a sign."""
AFFIX = 4  # characters of the longest beginnings and ends
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

Vocabulary = Alphabet | Words | Subwords


class Token(NamedTuple):
    """A token of a text.

    Attributes:
        id: in the vocabulary; 0 for what it does not hold.
        text: as it stands there.
    """

    id: int
    text: str


class Tokenizer:
    """Tokens of texts as a vocabulary has them: words and signs, subwords, or characters.

    Args:
        vocabulary: of the model.
        lower: whether texts are converted to lower case first.
        affixes: rows of the model's table of beginnings and ends of words; 0 for none.
    """

    def __init__(self, vocabulary: Vocabulary, lower: bool = True, affixes: int = 0):
        self.vocabulary, self.lower, self.affixes = vocabulary, lower, affixes

    def __call__(self, text: str) -> list[Token]:
        """The tokens of a text, in order; none of a text that is empty."""
        text = plain(text, self.lower)
        if isinstance(self.vocabulary, Subwords):
            unknown, pieces = self.vocabulary.unknown_id, self.vocabulary.pieces(text)
            return [
                Token(id if id != unknown else 0, piece.replace(SPACE, " "))
                for id, piece in zip(self.vocabulary.encode(text), pieces, strict=True)
            ]
        found = WORD.findall(text) if isinstance(self.vocabulary, Words) else text
        return [Token(self._ids.get(each, 0), each) for each in found]

    def inputs(self, tokens: Sequence[Token]) -> Tensor:
        """What the front end takes: (time,) ids; with affixes (time, columns).

        Where there are no tokens, it is one that stands for nothing.
        """
        tokens = tokens or [Token(0, "")]
        if not self.affixes:
            return torch.tensor([token.id for token in tokens])
        return torch.tensor([[token.id, *affixes_of(token.text, self.affixes)] for token in tokens])

    def words(self, words: Sequence[str]) -> list[Token]:
        """Words that have been told apart already as tokens, with their text as it is."""
        folded = (plain(word, self.lower) for word in words)
        return [Token(self._ids.get(each, 0), word) for each, word in zip(folded, words, strict=True)]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: id for id, symbol in enumerate(self.vocabulary.symbols, start=1)}


def plain(text: str, lower: bool) -> str:
    """A text in normal form C with single spaces and without control characters, perhaps in lower case."""
    text = " ".join(CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())
    return text.lower() if lower else text


def affixes_of(word: str, rows: int) -> list[int]:
    """Rows of a hashed table for what a word begins and ends with, and for its shape; 0 for none.

    Args:
        word: of any script, in its own case.
        rows: of the table, of which row 0 is nothing.
    """
    folded, found = word.lower(), []
    for size in range(1, AFFIX + 1):
        for kind, part in (("<", folded[:size]), (">", folded[-size:])):
            found.append(_row(f"{kind}{part}", rows) if len(folded) >= size else 0)
    return [*found, _row(f"={shape(word)}", rows)]


def shape(word: str) -> str:
    """Kinds of characters in a word, each run once: Xx for Paris, XxXx for McKay, 0-0 for 10-12."""
    kinds = ["X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word]
    return "".join(kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before)[:12]


def _row(part: str, rows: int) -> int:
    return 1 + zlib.crc32(part.encode("utf-8", "surrogatepass")) % max(1, rows - 1)
