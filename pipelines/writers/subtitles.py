"""Subtitles (SubRip, WebVTT), broken at pauses and punctuation into balanced lines."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar, TextIO

from pipelines.results import Transcript
from pipelines.writers.lines import one_line
from pipelines.writers.outlines import is_right_to_left
from pipelines.writers.timing import Piece, apart, timed_pieces

CLOSING = r"[\"'”’»)\]」』]*$"
# Escaped: the Arabic and Urdu marks, which would turn the line around in an editor, and the Devanagari ones.
SENTENCE_END = re.compile(r"[.!?…。！？\u061f\u06d4\u0964\u0965]" + CLOSING)
CLAUSE_END = re.compile(r"[,;:–—、，；：\u060c\u061b]" + CLOSING)
MARK = "\u200f"  # right-to-left, without width
LEAST = 1  # the shortest cue, in milliseconds


@dataclass(frozen=True)
class Cue:
    """One subtitle, shown from `start` to `end` in milliseconds."""

    start: int
    end: int
    lines: tuple[tuple[Piece, ...], ...]

    @property
    def right_to_left(self) -> bool:
        """Whether most of it is written from right to left."""
        return is_right_to_left("".join(word.text for line in self.lines for word in line))


@dataclass(frozen=True)
class Subtitles:
    """Cues of a few short lines; a cue never crosses the end of a segment.

    Scripts without spaces are broken between characters, which then count as words.
    """

    max_chars: int = 42
    """Visible characters in a line (accents do not count). A longer word stands alone on its line."""

    max_lines: int = 2
    """Lines in a cue."""

    max_words: int | None = None
    """Words in a cue (default: as many as fit)."""

    max_seconds: float = 7.0
    """Longest time that a cue stays, in seconds."""

    min_seconds: float = 1.0
    """Shortest time that a cue stays where the next one leaves room, in seconds."""

    max_gap: float = 1.5
    """Pause between two words that always ends a cue, in seconds."""

    def __post_init__(self):
        for name in ("max_chars", "max_lines", "max_words"):
            value = getattr(self, name)
            if (name, value) != ("max_words", None) and (type(value) is not int or value < 1):
                raise ValueError(f"{name} is {value!r}; give a whole number of 1 or more")
        for name in ("max_seconds", "min_seconds", "max_gap"):
            value = getattr(self, name)
            least = 0 if name == "min_seconds" else LEAST / 1000
            if type(value) not in (int, float) or not least <= value < math.inf:
                raise ValueError(f"{name} is {value!r}; give seconds, {least} or more")
        if self.min_seconds > self.max_seconds:
            raise ValueError(
                f"min_seconds ({self.min_seconds}) is more than "
                f"max_seconds ({self.max_seconds}); change one of them"
            )

    def cues(self, transcript: Transcript) -> list[Cue]:
        """The cues of a transcript in order of time. None overlaps another or the end of the recording."""
        groups = [
            group
            for segment in transcript.segments
            if segment.found
            for group in self._groups(timed_pieces(segment))
        ]
        groups.sort(key=lambda group: group[0].start)
        spans = []
        for group in groups:
            start, end = group[0].start, group[-1].end
            end = min(max(end, start + self.min_seconds), start + self.max_seconds)
            spans.append((round(start * 1000), round(end * 1000)))
        limit = max(math.floor(transcript.duration * 1000), LEAST * len(spans))
        return [
            Cue(start, end, self._lines(group))
            for (start, end), group in zip(apart(spans, limit, LEAST), groups, strict=True)
        ]

    def _groups(self, words: Sequence[Piece]) -> list[Sequence[Piece]]:
        """Split the words of a segment into cues."""
        reach, widths = self._reach(words), _sums(words)
        max_words = self.max_words or len(words)
        pauses = [False, *(after.start - before.end > self.max_gap for before, after in pairwise(words))]

        def fits(first: int, last: int) -> bool:
            end = first
            for _ in range(self.max_lines):
                end = reach[end]
            seconds = words[last - 1].end - words[first].start
            return (
                last <= end
                and last - first <= max_words
                and seconds <= self.max_seconds
                and not any(pauses[first + 1 : last])
            )

        def cost(first: int, last: int) -> float:
            if last - first > 1 and not fits(first, last):
                return math.inf
            empty = 1 - (widths[last] - widths[first]) / (self.max_chars * self.max_lines)
            return 0.5 + self._break_cost(words, last) + 0.5 * empty**2

        return [words[first:last] for first, last in _parts(len(words), cost)]

    def _lines(self, words: Sequence[Piece]) -> tuple[tuple[Piece, ...], ...]:
        """Break the words of a cue into as few and as even lines as possible, the last rather longer."""
        reach, widths = self._reach(words), _sums(words)

        def cost(first: int, last: int) -> float:
            if last > reach[first]:
                return math.inf
            width = (widths[last] - widths[first]) / self.max_chars
            upper = 0.2 * width if last < len(words) else 0.0
            return 100 + width**2 + upper + 0.15 * self._break_cost(words, last)

        return tuple(words[first:last] for first, last in _parts(len(words), cost))

    def _reach(self, words: Sequence[Piece]) -> list[int]:
        """For each word, and for the end, the last word that fits on a line beginning there."""
        widths, reach, last = _sums(words), [], 0
        for first in range(len(words)):
            last = max(last, first + 1)
            # The sums count the space after each word; a line has none after its last.
            while last < len(words):
                if widths[last + 1] - widths[first] - len(words[last].space) > self.max_chars:
                    break
                last += 1
            reach.append(last)
        return [*reach, len(words)]

    def _break_cost(self, words: Sequence[Piece], index: int) -> float:
        """Cost of a break before the word at `index`, from 0 (the end) to 1."""
        if index == len(words):
            return 0.0
        before, after = words[index - 1], words[index]
        pause = min(max(after.start - before.end, 0.0) / self.max_gap, 1.0)
        if SENTENCE_END.search(before.text):
            return 0.0
        return (1 - pause) * (0.3 if CLAUSE_END.search(before.text) else 1.0)


@dataclass(frozen=True)
class SRT(Subtitles):
    """SubRip subtitles."""

    extension: ClassVar[str] = "srt"

    def write(self, transcript: Transcript, file: TextIO) -> None:
        for number, cue in enumerate(self.cues(transcript), 1):
            text = "\n".join(
                _marked(
                    "".join(one_line(word.text) + word.space for word in line).rstrip(" "), cue.right_to_left
                )
                for line in cue.lines
            )
            # Players take the arrow for a line of times.
            text = text.replace("-->", "->")
            file.write(f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{text}\n\n")


@dataclass(frozen=True)
class VTT(Subtitles):
    """WebVTT subtitles, for browsers."""

    extension: ClassVar[str] = "vtt"

    highlight_words: bool = False
    """Whether to write a time stamp for each word, so that a player can highlight it."""

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.highlight_words, bool):
            raise ValueError(f"highlight_words is {self.highlight_words!r}; give True or False")

    def write(self, transcript: Transcript, file: TextIO) -> None:
        file.write("WEBVTT\n\n")
        for cue in self.cues(transcript):
            lines = ("".join(line).rstrip(" ") for line in self._stamped(cue))
            text = "\n".join(_marked(line, cue.right_to_left) for line in lines)
            file.write(f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n{text}\n\n")

    def _stamped(self, cue: Cue) -> Iterator[list[str]]:
        """The lines of a cue, escaped, with time stamps that lie within the cue and increase."""
        latest = cue.start
        for line in cue.lines:
            texts = []
            for word in line:
                text = one_line(word.text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                time = round(word.start * 1000)
                if self.highlight_words and latest < time < cue.end:
                    text, latest = f"<{_clock(time, '.')}>{text}", time
                texts.append(text + word.space)
            yield texts


def _parts(count: int, cost: Callable[[int, int], float]) -> list[tuple[int, int]]:
    """Partition a sequence of `count` items into parts (first, last + 1) of the least total cost.

    The cost of a single item must be finite. If a part has infinite cost, so must every longer part with the
    same end.
    """
    best, cuts = [0.0], [0]
    for last in range(1, count + 1):
        least, cut = math.inf, 0
        for first in range(last - 1, -1, -1):
            price = cost(first, last)
            if price == math.inf:
                break
            if best[first] + price < least:
                least, cut = best[first] + price, first
        best.append(least)
        cuts.append(cut)
    parts = []
    while count:
        parts.append((cuts[count], count))
        count = cuts[count]
    return parts[::-1]


def _marked(line: str, right_to_left: bool) -> str:
    """A line with a mark where it begins or ends with anything but a right-to-left letter.

    Players take the direction of a line from its first letter, or take all lines for left-to-right: a number,
    a name or a full stop would stand at the wrong end.
    """
    if not right_to_left or not line:
        return line
    edges = (unicodedata.bidirectional(line[place]) in ("R", "AL") for place in (0, -1))
    before, after = ("" if strong else MARK for strong in edges)
    return before + line + after


def _sums(words: Sequence[Piece]) -> list[int]:
    """Cumulative visible widths of words, each with the space after it."""
    sums = [0]
    for word in words:
        visible = sum(unicodedata.category(character) not in ("Mn", "Me", "Cf") for character in word.text)
        sums.append(sums[-1] + visible + len(word.space))
    return sums


def _clock(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{point}{milliseconds:03d}"


FORMATS = {"srt": SRT, "vtt": VTT}
