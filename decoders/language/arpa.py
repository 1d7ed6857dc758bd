"""Character n-gram models in ARPA format, as KenLM and SRILM write them."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

import numpy as np

from decoders.language.ngrams import KEPT, LARGEST_TABLE, LanguageModel

LARGEST_ORDER = 64
LONGEST_LINE = 10_000  # bytes
UNKNOWN = -7.0  # log10 probability of tokens that the file does not have
NO_KEY = np.iinfo(np.int64).max
BEGIN, END, UNKNOWN_TOKEN = "<s>", "</s>", "<unk>"
SPACES = "<space>", "▁", "|"  # tokens for the space, which separates tokens in the file


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length.

    Attributes:
        keys: sorted; the key of an n-gram is num_labels times the index of its prefix among the n-grams one
            label shorter, plus its last label. A sentinel comes last.
        scores, backoffs: log-probability and back-off weight of each.
    """

    keys: np.ndarray
    scores: np.ndarray
    backoffs: np.ndarray


class Arpa(LanguageModel):
    """A back-off n-gram model (Katz 1987, "Estimation of probabilities from sparse data for the language
    model component of a speech recognizer").

    The end of a text counts as a space, since a text is taken to lie between spaces.

    Args:
        lines: the lines of the file.
        labels: label ids of the tokens that are used; other tokens are ignored.
        ends: labels that take the probability of the end of a text.
        num_labels: number of labels, including the blank.

    Raises:
        ValueError: the file is not in this format, damaged or too large.
    """

    def __init__(self, lines: BinaryIO, labels: Mapping[str, int], ends: Sequence[int], num_labels: int):
        self.num_labels = num_labels
        self._ends = list(ends)
        reader = _Reader(lines)
        self.order = len(reader.sizes)
        known = {**labels, BEGIN: num_labels, END: num_labels + 1}
        self._width = num_labels + 2
        self._unknown = UNKNOWN
        self._levels: list[_Level] = []
        for length in range(1, self.order + 1):
            self._levels.append(self._level(reader, length, known))
        self._known = lru_cache(KEPT // num_labels)(self._scores)

    def _level(self, reader: _Reader, length: int, known: Mapping[str, int]) -> _Level:
        rows, scores, backoffs = array("q"), array("f"), array("f")
        for tokens, score, backoff in reader.ngrams(length):
            if length == 1 and tokens[0].lower() == UNKNOWN_TOKEN:
                self._unknown = score
            row = [known.get(token, -1) for token in tokens]
            if min(row) >= 0:
                rows.extend(row)
                scores.append(score)
                backoffs.append(backoff)
        table = np.array(rows, np.int64).reshape(-1, length)
        places, found = self._places(table[:, :-1])
        keys = (places * self._width + table[:, -1])[found]
        order = keys.argsort(kind="stable")
        nats = (np.array(values, np.float32)[found][order] * math.log(10) for values in (scores, backoffs))
        return _Level(np.append(keys[order], NO_KEY), *nats)

    def _places(self, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Indices of (contexts, labels) among the n-grams of their length, and whether they exist."""
        places, found = np.zeros(len(contexts), np.int64), np.ones(len(contexts), bool)
        for level, labels in zip(self._levels, contexts.T, strict=False):
            keys = places * self._width + labels
            places = level.keys.searchsorted(keys)
            found &= level.keys[places] == keys
            places[~found] = 0
        return places, found

    def log_probs(self, context: tuple[int, ...]) -> np.ndarray:
        """See `LanguageModel`."""
        scores = self._known(tuple(context[max(0, len(context) + 1 - self.order) :]))
        heard = scores[: self.num_labels].copy()
        heard[self._ends] = np.logaddexp(heard[self._ends], scores[-1])
        return heard

    def _scores(self, context: tuple[int, ...]) -> np.ndarray:
        """Log-probabilities of all labels, and of the beginning and end of a text."""
        if context:
            scores = self._known(context[1:])
        else:
            scores = np.full(self._width, self._unknown * math.log(10), np.float32)
        (place,), (found,) = self._places(np.array([context], np.int64).reshape(1, -1))
        if not found:
            return scores
        scores = scores + (self._levels[len(context) - 1].backoffs[place] if context else np.float32(0.0))
        level = self._levels[len(context)]
        first, last = level.keys.searchsorted([place * self._width, (place + 1) * self._width])
        scores[level.keys[first:last] - place * self._width] = level.scores[first:last]
        return scores


def is_arpa(file: BinaryIO) -> bool:
    """Whether the beginning of a file is that of an ARPA file; empty lines and comments may precede it."""
    return any(line.strip() == b"\\data\\" for line in file.read(LONGEST_LINE).splitlines())


def tokens_of(lines: BinaryIO) -> list[str]:
    """All tokens of an ARPA file.

    Raises:
        ValueError: the file is not in this format, or damaged.
    """
    return [tokens[0] for tokens, _, _ in _Reader(lines).ngrams(1)]


class _Reader:
    """Reads an ARPA file section by section."""

    def __init__(self, lines: BinaryIO):
        self._lines = lines
        self._number = 0
        while self._line() != "\\data\\":
            pass
        self.sizes: list[int] = []
        while (line := self._line()).startswith("ngram "):
            counted = re.fullmatch(r"ngram\s+(\d{1,2})\s*=\s*(\d{1,12})", line)
            if not counted or int(counted[1]) != len(self.sizes) + 1:
                raise self._fault(f"{line[:60]!r} counts no {len(self.sizes) + 1}-grams")
            self.sizes.append(int(counted[2]))
        self._next = line
        if not 0 < len(self.sizes) <= LARGEST_ORDER or sum(self.sizes) > LARGEST_TABLE:
            raise self._fault(f"{sum(self.sizes):,} n-grams of {len(self.sizes)} lengths: none or too many")

    def ngrams(self, length: int) -> Iterator[tuple[list[str], float, float]]:
        """Tokens, log10 probability and log10 back-off weight of each n-gram of one length."""
        if self._next != f"\\{length}-grams:":
            raise self._fault(f"{self._next!r} is not where {length}-grams begin")
        for _ in range(self.sizes[length - 1]):
            parts = re.split(r"[ \t]+", self._line())  # other kinds of white space may be tokens
            try:
                score, backoff = float(parts[0]), float(parts[length + 1]) if len(parts) > length + 1 else 0.0
                if not 1 + length <= len(parts) <= 2 + length or not score < 1e-3 or math.isnan(backoff):
                    raise ValueError
            except (IndexError, ValueError):
                raise self._fault(f"{' '.join(parts)[:60]!r} is no {length}-gram") from None
            yield parts[1 : 1 + length], max(score, -99.0), min(max(backoff, -99.0), 99.0)
        self._next = self._line()
        expected = "\\end\\" if length == len(self.sizes) else f"\\{length + 1}-grams:"
        if self._next != expected:
            raise self._fault(f"{self._next[:60]!r} stands where {expected} should")

    def _line(self) -> str:
        """The next line that is not empty."""
        while True:
            line = self._lines.readline(LONGEST_LINE)
            self._number += 1
            if not line:
                raise self._fault("it ends too early")
            if len(line) == LONGEST_LINE:
                raise self._fault("it is too long")
            try:
                text = line.strip().decode("utf-8")
            except UnicodeDecodeError:
                raise self._fault("it is not UTF-8") from None
            if text:
                return text

    def _fault(self, what: str) -> ValueError:
        return ValueError(f"line {self._number}: {what}")
