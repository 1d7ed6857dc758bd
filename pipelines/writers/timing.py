"""Times of words and spans, as formats with time stamps need them."""

from __future__ import annotations

from pipelines.results import Segment, Word
from pipelines.writers.lines import one_line


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
