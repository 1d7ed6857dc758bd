"""N-grams of characters in an ARPA file, as KenLM, SRILM and PyLaia's users make them."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

import numpy as np

from decoders.language.ngrams import KEPT, LARGEST_TABLE

LARGEST_ORDER = 64
LONGEST_LINE = 10_000  # bytes
UNKNOWN = -7.0  # log10 of what the file says nothing of
NO_KEY = np.iinfo(np.int64).max
BEGIN, END, UNKNOWN_TOKEN = "<s>", "</s>", "<unk>"
SPACES = "<space>", "▁", "|"  # what stands for a space, which parts the tokens


@dataclass(frozen=True)
class _Level:
    """N-grams of one length.

    Attributes:
        keys: sorted; as many labels as there are times the place of all but its last label among those one
            label shorter, plus that label; behind them one that is none.
        scores, backoffs: log-probabilities of each, and of what is behind it but not among those longer.
    """

    keys: np.ndarray
    scores: np.ndarray
    backoffs: np.ndarray


class Arpa:
    """A back-off model (Katz 1987, "Estimation of probabilities from sparse data for the language model
    component of a speech recognizer").

    A text's end counts as a space, since what comes before and behind a text is one.

    Args:
        lines: of the file.
        labels: of the tokens that matter; what the others say is not heard.
        ends: labels that what is said of a text's end counts for.
        num_labels: of the alphabet, the blank included.

    Raises:
        ValueError: it is no such file, damaged, or too large.
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
        """Of (contexts, labels) among those of their length, and whether they are there at all."""
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
        """Of all labels, and of a text's beginning and its end."""
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
    """Whether a file, at its beginning, is one; it may begin with empty lines and what others wrote there."""
    return any(line.strip() == b"\\data\\" for line in file.read(LONGEST_LINE).splitlines())


def tokens_of(lines: BinaryIO) -> list[str]:
    """All that its n-grams are made of.

    Raises:
        ValueError: it is no such file or damaged.
    """
    return [tokens[0] for tokens, _, _ in _Reader(lines).ngrams(1)]


class _Reader:
    """The lines of a file, one part after the other."""

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
        """Tokens, log10 of their probability and that of what they leave to shorter ones."""
        if self._next != f"\\{length}-grams:":
            raise self._fault(f"{self._next!r} is not where {length}-grams begin")
        for _ in range(self.sizes[length - 1]):
            parts = re.split(r"[ \t]+", self._line())  # other kinds of spaces may be tokens
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
        """The next one that is not empty."""
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
