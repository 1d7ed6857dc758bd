"""Training lines in pieces, to make other lines of: where they part, by what a model reads."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from torch import Tensor

from decoders.alignment.short import align
from decoders.ctc import frames_needed
from encoders.upright import core
from recipes.learning.reading_task import Sample

LONGEST = 12  # letters of a piece
SMALL = 0.5, 0.75  # least and most height of small capitals, of that of capitals
KEPT = 0.15  # share of the letters that a hand in small capitals writes as small letters all the same
INKED = 100  # of 255: what is darker is stroke
GAP = 0.2, 0.5  # least and most width of a space between small capitals, of a line's height
END = "\0"  # behind each line


def cuts(
    line: np.ndarray | None, log_probs: Tensor, labels: list[int], space: list[int], stride: int
) -> list[int]:
    """Where each label of a line begins: the emptiest place between the letters beside it.

    A space begins and ends in the same place, in the middle of its gap.

    Args:
        line: (columns, height) uint8, ink towards 255; or None, when the middle between two letters must do.
        log_probs: (frames, labels), what a model with CTC reads in it.
        labels: of its text.
        space: its label, or none in an alphabet without.
        stride: columns a frame.

    Returns:
        A column for each label, and the line's end.
    """
    end, count = len(log_probs) * stride if line is None else len(line), len(labels)
    if frames_needed(labels) > len(log_probs):  # nothing is learnt from such a line either
        return [end * place // count for place in range(count)] + [end]
    placed = align(log_probs, [labels])[0].labels
    if line is not None:
        ink = line.sum(axis=1, dtype=np.float32)[:, None]
        about = {share: cv2.blur(ink, (1, max(1, line.shape[1] // share)))[:, 0] for share in (6, 16)}
    found = [0]
    for place in range(1, count):
        if place > 1 and labels[place - 1] in space:
            found.append(found[-1])
            continue
        gap = labels[place] in space
        if gap and place + 1 == count:
            found.append(end)
            continue
        first = int((placed.ends[place - 1] - 0.5) * stride)
        last = min(int((placed.starts[place + gap] + 0.5) * stride), end - 1)
        first = max(min(first, last), found[-1])
        last = max(last, first)
        if line is None:
            found.append((first + last + 1) // 2)
        else:
            found.append(first + int(about[6 if gap else 16][first : last + 1].argmin()))
    return [*found, end]


@dataclass(frozen=True)
class Capital(Sample):
    """A letter that is drawn by itself, in another size.

    Attributes:
        size: of what it is in its line; 0 for a gap, `length` columns wide.
    """

    size: float = 1.0


def drawn(line: np.ndarray, capital: Capital) -> np.ndarray:
    """A capital as it stands in its line, without the gaps beside it, shrunk towards the foot of the letters.

    Args:
        line: (columns, height) uint8, ink towards 255.

    Returns:
        (columns, height) uint8, two of them empty on either side.
    """
    if not capital.size or not capital.length:
        return np.zeros((capital.length, line.shape[1]), np.uint8)
    foot = core(np.ascontiguousarray(line.T))[1]
    letter = line[capital.first : capital.first + capital.length]
    inked = np.flatnonzero((letter > INKED).any(axis=1))
    if len(inked):
        letter = letter[inked[0] : inked[-1] + 1]
    width = max(1, round(len(letter) * capital.size))
    if capital.size < 1:  # with strokes that stay as wide
        thick = round((1 - capital.size) * line.shape[1] / 24) + 1
        letter = cv2.dilate(letter, np.ones((thick, thick), np.uint8))
    along = capital.size, 0.0, foot * (1 - capital.size)  # rows; columns run downwards here
    down = 0.0, width / len(letter), 2.0
    return cv2.warpAffine(letter, np.array([along, down]), (line.shape[1], width + 4), flags=cv2.INTER_AREA)


class Pieces:
    """Pieces of training lines.

    Args:
        lines: whole, in the order of their folder.
        texts: theirs.
        cuts: of all lines, one line's after the other's; see `cuts`.
        near: lines before and behind one that give it pieces.
    """

    def __init__(self, lines: Sequence[Sample], texts: Sequence[str], cuts: Sequence[int], near: int):
        self.lines, self.cuts, self.near = lines, cuts, near
        self.text = END.join([*texts, ""])
        self.starts = [0]
        for text in texts:
            self.starts.append(self.starts[-1] + len(text) + 1)

    def piece(self, place: int, length: int) -> Sample:
        """So many letters from this place of `text` on."""
        number = bisect_right(self.starts, place) - 1
        line, start = self.lines[number], place - self.starts[number]
        first, end = self.cuts[place], self.cuts[place + length]
        return Sample(line.index, end - first, line.labels[start : start + length], line.group, first)

    def neighbours(self, number: int) -> range:
        """The lines that give pieces to a line, itself among them."""
        return range(max(0, number - self.near), min(len(self.lines), number + self.near + 1))

    def words(self, number: int) -> list[Sample]:
        """The words of a line."""
        start = self.starts[number]
        found = []
        for word in self.text[start : self.starts[number + 1] - 1].split(" "):
            found.append(self.piece(start, len(word)))
            start += len(word) + 1
        return found

    def composed(self, text: str, number: int, chooser: random.Random) -> list[Sample] | None:
        """A text in pieces of the lines near a line: the longest that they have, each taken from behind the

        letter that stands before it.

        Returns:
            None where a letter is in no line.
        """
        near = self.neighbours(number)
        near = self.starts[near.start], self.starts[near.stop]
        pieces, place = [], 0
        while place < len(text):
            before = text[place - 1] if place else " "
            longest = 0
            while longest < min(LONGEST, len(text) - place):
                if self.text.find(before + text[place : place + longest + 1], *near) < 0:
                    break
                longest += 1
            if longest:
                found = self._somewhere(before + text[place : place + longest], near, chooser) + 1
            else:
                found = self._somewhere(text[place], near, chooser)
                if found < 0:
                    found = self._somewhere(text[place], (0, len(self.text)), chooser)
                if found < 0:
                    return None
            pieces.append(self.piece(found, max(1, longest)))
            place += max(1, longest)
        return pieces

    def small_capitals(
        self, text: str, labels: Sequence[int], height: int, chooser: random.Random
    ) -> list[Sample] | None:
        """A text as somebody writes it who writes capitals only, small ones in place of small letters.

        Args:
            labels: of the text; those of the pieces, whatever they show.
            height: of a line.

        Returns:
            None where a letter is in no line.
        """
        whole, size = (0, len(self.text)), chooser.uniform(*SMALL)
        kept = {letter for letter in set(text) if chooser.random() < KEPT}
        gap = round(chooser.uniform(*GAP) * height)
        pieces: list[Sample] = []
        for letter, label in zip(text, labels, strict=True):
            if letter == " ":
                pieces.append(Capital(0, gap, [label], None, size=0.0))
                continue
            capital = letter.upper()
            small = capital != letter and letter not in kept and len(capital) == 1 and capital in self.text
            found = self._somewhere(capital if small else letter, whole, chooser)
            if found < 0:
                return None
            piece = self.piece(found, 1)
            pieces.append(
                Capital(piece.index, piece.length, [label], piece.group, piece.first, size if small else 1.0)
            )
        return pieces

    def _somewhere(self, part: str, within: tuple[int, int], chooser: random.Random) -> int:
        found = self.text.find(part, chooser.randrange(*within), within[1])
        return found if found >= 0 else self.text.find(part, *within)


def spliced(pieces: Pieces, number: int, space: list[int], chooser: random.Random) -> list[Sample]:
    """A line in which half the words give way to words of lines near it.

    Args:
        space: its label, or none in an alphabet without.
    """
    own = pieces.words(number)
    others = [chooser.choice(pieces.words(chooser.choice(pieces.neighbours(number)))) for _ in own]
    first, *more = [chooser.choice(pair) for pair in zip(own, others, strict=True)]
    return [first, *(replace(word, labels=space + word.labels) for word in more)]


def cut_out(text: str, size: int, chooser: random.Random) -> str:
    """Whole words from somewhere in a text, of up to so many letters together; without spaces, any."""
    if " " not in text:
        start = chooser.randrange(max(1, len(text) - size + 1))
        return text[start : start + size]
    start = text.find(" ", chooser.randrange(max(1, len(text) - size))) + 1
    return text[start : start + size + 1].rpartition(" ")[0].strip()
