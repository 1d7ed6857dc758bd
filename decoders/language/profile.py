"""The language model that a model file carries: n-grams of its labels, known words, and their weights."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from decoders.alphabet import Alphabet
from decoders.language.kneser_ney import KneserNey
from decoders.language.ngrams import LARGEST_KEY, NGrams

COST = 2.0  # nats of an unknown word, until it is tuned on validation data
LARGEST_COST = 1000.0
WEIGHT = 0.3  # of the n-grams, likewise
ORDER = 6  # characters: more gain nothing
WITTEN_BELL, KNESER_NEY = "Witten-Bell", "Kneser-Ney"
SMOOTHED: dict[str, type[NGrams]] = {WITTEN_BELL: NGrams, KNESER_NEY: KneserNey}


@dataclass(frozen=True)
class Language:
    """What a model knows of its language, with the weights that did best on validation data.

    Attributes:
        ngrams: a language model over the model's labels.
        weight: of the n-grams in the search.
        words: known words; empty where none are preferred.
        cost: nats that any other word costs.
    """

    ngrams: NGrams
    weight: float = WEIGHT
    words: tuple[str, ...] = ()
    cost: float = 0.0

    @classmethod
    def of(
        cls,
        alphabet: Alphabet,
        encode: Callable[[str], list[int]],
        texts: Sequence[str],
        order: int = ORDER,
        discreet: bool = False,
        smoothing: str = WITTEN_BELL,
    ) -> Language:
        """Count normalised texts.

        Args:
            alphabet: of the model; what it cannot write is left out.
            encode: a text -> label ids in the order in which the model meets them.
            texts: normalised.
            order: labels of the longest n-grams.
            discreet: leave out what would let the texts be put together again; only with Witten-Bell.
            smoothing: one of `SMOOTHED`. On held-out texts, Kneser-Ney needs fewer bits.

        Raises:
            ValueError: the texts hold nothing that the alphabet can write, or the smoothing needs all
                n-grams.
        """
        if discreet and smoothing == KNESER_NEY:
            raise ValueError("Kneser-Ney smoothing needs all n-grams, also those that occur once")
        edge, known = space_of(alphabet), set(alphabet.symbols)
        before = [] if edge is None else [edge]
        cased = (fitted(text, alphabet) for text in texts)
        written = ("".join(symbol for symbol in text if symbol in known) for text in cased)
        labels = ([*before, *encode(text)] for text in written if text.strip())
        ngrams = SMOOTHED[smoothing].of(labels, order, len(alphabet), discreet)
        return cls(ngrams, words=_frequent_words(texts, alphabet), cost=COST)

    def joined(self, other: Language, theirs: Alphabet, alphabet: Alphabet) -> Language:
        """This, of the texts of another language model as well; the weights are those of this one.

        Args:
            theirs: the alphabet of the other.
            alphabet: of this one; what it cannot write is left out.
        """
        own = {symbol: label for label, symbol in enumerate(alphabet.symbols, start=1)}
        ids = np.array([-1, *(own.get(symbol, -1) for symbol in theirs.symbols)])
        words = {word for word in other.words if all(letter in alphabet for letter in word)}
        ngrams = self.ngrams.joined(other.ngrams, ids)
        return replace(self, ngrams=ngrams, words=tuple(sorted(words.union(self.words))))

    @property
    def smoothing(self) -> str:
        """Name of the smoothing of its n-grams."""
        return KNESER_NEY if isinstance(self.ngrams, KneserNey) else WITTEN_BELL

    def to_file(self) -> tuple[dict, Tensor]:
        """Plain values for a header, and the n-grams as (bytes,) uint8."""
        header = {"sizes": self.ngrams.sizes, "total": self.ngrams.total, "weight": self.weight}
        header |= {"words": " ".join(self.words), "cost": self.cost} if self.words else {}
        header |= {"smoothing": self.smoothing} if self.smoothing != WITTEN_BELL else {}
        return header, torch.from_numpy(np.frombuffer(self.ngrams.packed(), np.uint8).copy())

    @classmethod
    def from_file(cls, header: dict, data: Tensor | None, alphabet: Alphabet) -> Language:
        """Read what `to_file` gave.

        Raises:
            LookupError, TypeError, ValueError: it is something else.
        """
        sizes, total, weight = header["sizes"], header["total"], header["weight"]
        whole = all(type(number) is int and number < LARGEST_KEY for number in (*sizes, total))
        if not whole or len(sizes) > 64 or not 0 <= weight <= 2:
            raise ValueError("its sizes, its total and its weight must be numbers, none of them huge")
        if data is None or data.dtype != torch.uint8:
            raise ValueError("its n-grams are missing")
        words, cost = header.get("words", ""), header.get("cost", 0.0)
        if not isinstance(words, str) or not 0 <= cost <= LARGEST_COST:
            raise ValueError(f"its words must be text, and the cost of others from 0 to {LARGEST_COST}")
        smoothing = header.get("smoothing", WITTEN_BELL)
        if smoothing not in SMOOTHED:
            raise ValueError(f"its smoothing must be one of {', '.join(SMOOTHED)}, not {smoothing!r}")
        ngrams = SMOOTHED[smoothing].unpacked(data.numpy().tobytes(), sizes, total, len(alphabet))
        return cls(ngrams, float(weight), tuple(words.split()), float(cost))


def fitted(text: str, alphabet: Alphabet) -> str:
    """The text with letters that the alphabet lacks in the other case, where it has that."""
    others = {}
    for symbol in set(text):
        if symbol not in alphabet:
            cases = (case for case in (symbol.upper(), symbol.lower()) if case in alphabet)
            others[symbol] = next(cases, symbol)
    return text.translate(str.maketrans(others))


def letters_of(alphabet: Alphabet, categories: str) -> list[int]:
    """Labels of the symbols that words are made of; none in scripts without spaces.

    Args:
        categories: first letters of their Unicode categories, such as L and M.
    """
    symbols = alphabet.symbols if " " in alphabet else ""
    return [label for label, symbol in enumerate(symbols, 1) if unicodedata.category(symbol)[0] in categories]


def space_of(alphabet: Alphabet) -> int | None:
    """The label of a space, if the alphabet has one."""
    return alphabet.encode(" ")[0] if " " in alphabet else None


def _frequent_words(texts: Sequence[str], alphabet: Alphabet) -> tuple[str, ...]:
    """Words that come at least twice, so neither slips nor private; none in scripts without spaces."""
    letters = {alphabet.symbols[label - 1] for label in letters_of(alphabet, "LM")}
    times: Counter[str] = Counter()
    for text in texts:
        cased = fitted(text, alphabet)
        times.update("".join(symbol if symbol in letters else " " for symbol in cased).split())
    return tuple(sorted(word for word, count in times.items() if count > 1))
