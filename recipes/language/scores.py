"""How well a language model foretells a text: nats and bits a character and a byte, perplexities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recipes.scoring.error_rates import Rate

RESAMPLES = 2000


@dataclass(frozen=True)
class Stretch:
    """A part of a text, and what it costs.

    Attributes:
        text: of it.
        nats: surprisal of all its characters.
        symbols, words, size: how many symbols, words and bytes of its file it has.
        unknown: how many of the symbols are outside the vocabulary.
        ngrams: nats by the n-grams that the model is compared with; None where there is no comparison.
    """

    text: str
    nats: float
    symbols: int
    words: int
    size: float
    unknown: int
    ngrams: float | None = None

    @property
    def characters(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class LanguageScores:
    """What a language model makes of a split.

    Attributes:
        split: its name.
        unit: what the model's symbols are: character, subword or word.
        stretches: of the texts, in order.
        order: of the n-grams that it is compared with; None where there is no comparison.
        samples: (temperature, text) of what the model writes.
    """

    split: str
    unit: str
    stretches: tuple[Stretch, ...]
    order: int | None = None
    samples: tuple[tuple[float, str], ...] = ()

    def _mean(self, unit: str, scale: float = 1.0, of: str = "nats") -> Rate:
        """Of the surprisal over a unit; stretches are drawn for the interval."""
        known = [each for each in self.stretches if getattr(each, of) is not None]
        pairs = np.array([(getattr(each, of), getattr(each, unit)) for each in known], float)
        rng = np.random.default_rng(0)
        weights = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), RESAMPLES)
        upper, lower = (weights @ pairs).T
        low, high = np.quantile(upper / np.maximum(lower, 1e-9), [0.025, 0.975])
        nats, units = pairs.sum(axis=0)
        return Rate(*(scale * float(each) for each in (nats / max(units, 1e-9), low, high)))

    @cached_property
    def characters(self) -> int:
        return sum(len(each.text) for each in self.stretches)

    @cached_property
    def unknown(self) -> int:
        """Symbols outside the vocabulary."""
        return sum(each.unknown for each in self.stretches)

    @cached_property
    def nats(self) -> Rate:
        """Nats a character."""
        return self._mean("characters")

    @cached_property
    def bits(self) -> Rate:
        """Bits a character."""
        return self._mean("characters", 1 / math.log(2))

    @cached_property
    def nats_per_byte(self) -> Rate:
        """Nats a byte of the files as they are, with both characters of line breaks that have two."""
        return self._mean("size")

    @cached_property
    def ngram_bits(self) -> Rate | None:
        """Bits a character by the n-grams, over the stretches that they were asked about."""
        return self._mean("characters", 1 / math.log(2), "ngrams") if self.order else None

    @cached_property
    def perplexity(self) -> float:
        """Exponential of the mean surprisal of a symbol."""
        return math.exp(min(700.0, self._mean("symbols").value))

    @cached_property
    def word_perplexity(self) -> float:
        """Exponential of the mean surprisal of a word with the white space beside it."""
        return math.exp(min(700.0, self._mean("words").value))

    def summary(self) -> str:
        """The scores as text for a terminal."""
        lines = [
            f"{self.split}: {self.characters:,} characters",
            f"  bits a character   {told(self.bits)}",
            f"  nats a character   {told(self.nats)}",
            f"  nats a byte        {told(self.nats_per_byte)}",
            f"  perplexity         {self.perplexity:.2f} a {self.unit}, {self.word_perplexity:,.0f} a word",
        ]
        if self.ngram_bits:
            lines.append(f"  {self.order}-grams of the same  {told(self.ngram_bits)} bits a character")
        if self.unknown:
            lines.append(f"  outside the vocabulary: {self.unknown:,} {self.unit}s, spelt in these figures")
        return "\n".join(lines)


def told(value: Rate) -> str:
    """A figure with its interval."""
    return f"{value.value:.3f} [{value.low:.3f}, {value.high:.3f}]"
