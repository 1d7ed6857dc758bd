"""Cuts texts into tokens and looks up their ids in a model's vocabulary."""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.vocabulary import SPACE, Subwords, Words

WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")
"""A word with its apostrophes, or a sign."""
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
    """

    def __init__(self, vocabulary: Vocabulary, lower: bool = True):
        self.vocabulary, self.lower = vocabulary, lower

    def __call__(self, text: str) -> list[Token]:
        """The tokens of a text, in order; none of a text that is empty."""
        text = plain(text, self.lower)
        if isinstance(self.vocabulary, Subwords):
            symbols, unknown = self.vocabulary.symbols, self.vocabulary.unknown_id
            found = self.vocabulary.encode(text)
            return [Token(id if id != unknown else 0, symbols[id - 1].replace(SPACE, " ")) for id in found]
        found = WORD.findall(text) if isinstance(self.vocabulary, Words) else text
        return [Token(self._ids.get(each, 0), each) for each in found]

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {symbol: id for id, symbol in enumerate(self.vocabulary.symbols, start=1)}


def plain(text: str, lower: bool) -> str:
    """A text in normal form C with single spaces and without control characters, perhaps in lower case."""
    text = " ".join(CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())
    return text.lower() if lower else text


def ids_of(tokens: list[Token]) -> Tensor:
    """(time,) ids as the front end takes them; one that stands for nothing where there are no tokens."""
    return torch.tensor([token.id for token in tokens] or [0])
