"""Alphabets: text <-> label ids. Label 0 is the CTC blank; symbols have ids from 1."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BLANK = 0
END = 0  # the same label in attention decoders, where it marks both ends of a sequence
CASES = ("keep", "upper", "lower")
FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@dataclass(frozen=True)
class Normalisation:
    """Normalisation of texts before they are encoded or compared; stored in the model file."""

    form: str = "NFC"
    """Unicode normal form."""
    case: str = "keep"
    """keep, upper or lower."""

    def __post_init__(self):
        if self.form not in FORMS:
            raise ValueError(f"form must be one of {FORMS}, not {self.form!r}")
        if self.case not in CASES:
            raise ValueError(f"case must be one of {CASES}, not {self.case!r}")

    def __call__(self, text: str) -> str:
        text = unicodedata.normalize(self.form, text)
        if self.case != "keep":
            text = text.upper() if self.case == "upper" else text.lower()
            text = unicodedata.normalize(
                self.form, text
            )  # the other case of a letter may have no composed form
        return " ".join(text.split())


@dataclass(frozen=True)
class Merge:
    """The result of merging a model's alphabet with that of new data.

    Attributes:
        alphabet: the symbols of the model in their old order, then the new ones.
        added: symbols that only the data has.
        unused: symbols that only the model has.
    """

    alphabet: Alphabet
    added: tuple[str, ...]
    unused: tuple[str, ...]


class Alphabet:
    """An ordered set of symbols, validated on construction.

    Args:
        symbols: single code points, combining marks by themselves; their order gives the ids.

    Raises:
        ValueError: a symbol, which is named, is empty, repeated, longer than one code point, or a control
            character.
    """

    def __init__(self, symbols: Sequence[str]):
        if not symbols:
            raise ValueError("an alphabet needs at least one symbol")
        for symbol, count in Counter(symbols).items():
            if not isinstance(symbol, str) or len(symbol) != 1:
                raise ValueError(f"symbol {symbol!r} is not one character")
            if unicodedata.category(symbol) in ("Cc", "Cs"):
                raise ValueError(f"symbol {symbol!r} is a control character")
            if count > 1:
                raise ValueError(f"symbol {symbol!r} appears {count} times")
        self.symbols = tuple(symbols)
        self._ids = {symbol: index for index, symbol in enumerate(self.symbols, start=1)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Alphabet:
        """The alphabet of all characters in the texts, sorted."""
        return cls(sorted(set().union(*texts)))

    def __len__(self) -> int:
        """Number of labels, including the blank."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Alphabet) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Alphabet({''.join(self.symbols)!r})"

    def encode(self, text: str) -> list[int]:
        """Label ids of a text; raises ValueError naming all characters outside the alphabet."""
        unknown = self.unknown(text)
        if unknown:
            raise ValueError(f"{text!r} has characters outside the alphabet: {' '.join(map(repr, unknown))}")
        return [self._ids[symbol] for symbol in text]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of label ids; blanks are skipped."""
        return "".join(self.symbols[index - 1] for index in ids if index != BLANK)

    def unknown(self, text: str) -> list[str]:
        """Characters of the text outside the alphabet, sorted."""
        return sorted(set(text) - self._ids.keys())

    def merge(self, data: Alphabet) -> Merge:
        """Merge with the alphabet of new data; existing ids stay as they are."""
        added = tuple(symbol for symbol in data.symbols if symbol not in self)
        unused = tuple(symbol for symbol in self.symbols if symbol not in data)
        return Merge(Alphabet(self.symbols + added), added, unused)


def mirrored(text: str) -> list[int]:
    """Visual order of the symbols of a right-to-left line, from its right end.

    Right-to-left letters come in logical order; numbers and words of left-to-right scripts from their last
    symbol to their first. Applying the order twice gives the text again. This is UAX #9 without nesting;
    left-to-right words and numbers with nothing right-to-left between them form one run.

    Returns:
        Indices into the text.
    """
    kinds = [unicodedata.bidirectional(symbol) for symbol in text]
    order = list(range(len(text)))
    start = 0
    while start < len(text):
        if kinds[start] in ("R", "AL"):
            start += 1
            continue
        end = start
        while end < len(text) and kinds[end] not in ("R", "AL"):
            end += 1
        for first, last in _leftward(kinds, start, end):
            order[first : last + 1] = order[first : last + 1][::-1]
        start = end
    return order


def _leftward(kinds: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """First and last index of the left-to-right run within a stretch without right-to-left letters."""
    strong = [place for place in range(start, end) if kinds[place] in ("L", "EN", "AN")]
    if any(kinds[place] == "L" for place in strong):
        yield strong[0], strong[-1]
        return
    place = start
    while place < end:
        last = place
        while last < end and kinds[last] in ("EN", "AN", "ES", "CS", "ET"):
            last += 1
        first, final = place, last - 1
        while first <= final and kinds[first] in ("ES", "CS"):  # separators join numbers but belong to none
            first += 1
        while final >= first and kinds[final] in ("ES", "CS"):
            final -= 1
        if any(kinds[at] in ("EN", "AN") for at in range(first, final + 1)):
            yield first, final
        place = max(last, place + 1)
