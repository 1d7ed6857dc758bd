"""Times of words and spans, as formats with time stamps need them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.results import Segment, Word
from pipelines.writers.lines import one_line

SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
"""Characters of scripts written without spaces: Thai, Lao, Burmese, Khmer, Chinese and Japanese."""


@dataclass(frozen=True, slots=True)
class Piece(Word):
    """A word, or a part of one in a script without spaces; `space` is what separates it from the next."""

    space: str = " "


def timed_pieces(segment: Segment) -> tuple[Piece, ...]:
    """The timed words of a segment; those of scripts without spaces character by character.

    Marks stay with their letter, punctuation with the character that it belongs to, and letters and digits
    of other scripts together. Times are those of the characters, or if these are not known, spread evenly.
    """
    return tuple(piece for word in timed_words(segment) for piece in _pieces(word))


def _pieces(word: Word) -> Iterator[Piece]:
    texts = _clusters(word.text) if SPACELESS.search(word.text) else [word.text]
    if len(texts) == 1:
        yield Piece(word.text, word.start, word.end, word.confidence, word.characters)
        return
    times = _times(word)
    first = 0
    for number, text in enumerate(texts, 1):
        last = first + len(text)
        own = word.characters[first:last] if len(word.characters) == len(word.text) else ()
        share = sum(each.confidence for each in own) / len(own) if own else word.confidence
        space = " " if number == len(texts) else ""
        yield Piece(text, times[first][0], times[last - 1][1], share, own, space)
        first = last


def _times(word: Word) -> Sequence[tuple[float, float]]:
    """(start, end) of each code point."""
    known = [(each.start, each.end) for each in word.characters for _ in each.text]
    if "".join(each.text for each in word.characters) == word.text:
        return known
    step = (word.end - word.start) / len(word.text)
    return [(word.start + place * step, word.start + (place + 1) * step) for place in range(len(word.text))]


def _clusters(text: str) -> list[str]:
    """The text in parts between which a line may end."""
    parts = [text[0]]
    for before, character in zip(text, text[1:], strict=False):
        kind = unicodedata.category(character)
        stays = (
            kind[0] == "M" or kind in ("Cf", "Pe", "Pf", "Po") or unicodedata.category(before) in ("Ps", "Pi")
        )
        if stays or not (SPACELESS.match(before) or SPACELESS.match(character) or kind == "Ps"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def timed_words(segment: Segment) -> tuple[Word, ...]:
    """The words of a segment without blank ones; if it has none, its text spread evenly over its duration."""
    words = [word for word in segment.words if word.text.strip()]
    if words:
        return tuple(words)
    texts = [text for text in one_line(segment.text).split(" ") if text.strip()]
    total = sum(len(text) for text in texts)
    before = 0
    for text in texts:
        start, end = (
            segment.start + (segment.end - segment.start) * part / total
            for part in (before, before + len(text))
        )
        words.append(Word(text, start, end, segment.confidence))
        before += len(text)
    return tuple(words)


def apart(spans: list[tuple[int, int]], limit: int, least: int) -> list[tuple[int, int]]:
    """Move spans as little as possible so that none overlap and each has a minimum length.

    Args:
        spans: (start, end) in ticks, in order of start.
        limit: where the last may end; there must be room for all, `limit >= least * len(spans)`.
        least: the shortest that a span may become, in ticks.

    Returns:
        As many spans within [0, limit], in the same order.
    """
    starts, earliest = [], 0
    for start, _ in spans:
        starts.append(max(start, earliest))
        earliest = starts[-1] + least
    ceilings = [limit] * len(starts)
    for index in range(len(starts) - 1, -1, -1):
        starts[index] = min(starts[index], ceilings[index] - least)
        if index:
            ceilings[index - 1] = starts[index]
    return [
        (start, min(max(end, start + least), ceiling))
        for start, (_, end), ceiling in zip(starts, spans, ceilings, strict=True)
    ]
