"""Places of the words of a corrected text: kept where the words are as before, else taken from the others.

Old and new words are aligned by their texts. Between words that are alike, one word for another has its
place; otherwise the characters are aligned, and what is between those that are alike is shared out evenly. A
word where none was is put into the gap, or if that is too narrow shares the place of its neighbour.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

Span = tuple[float, float]
LARGEST = 4_000_000  # product of the lengths of texts that are aligned by characters
Knots = list[tuple[float, float]]


@dataclass(frozen=True)
class Placed:
    """A word of the new text.

    Attributes:
        text: of the word.
        kept: index of the old word that it is, or None.
        near: indices of the old words whose place it shares, first and last.
        edges: where its characters begin and where the last one ends, one number more than characters, on
            the axis of the old words' spans.
        likes: for each character the old word and the number in it of the character in whose place it is,
            or None; no two have the same.
    """

    text: str
    kept: int | None
    near: tuple[int, int]
    edges: tuple[float, ...]
    likes: tuple[tuple[int, int] | None, ...]


def place_words(texts: Sequence[str], spans: Sequence[Span], new: str) -> list[Placed]:
    """Find where the words of a corrected text are.

    Args:
        texts: the old words.
        spans: where each begins and ends, on an axis along which they are written or spoken; from right to
            left, the end is the smaller number.
        new: the corrected text, in which white space separates words.
    """
    words = new.split()
    if not texts or not words:
        return []
    placed: list[Placed] = []
    for old, own in _blocks(texts, spans, words):
        if _are_alike(texts, words, old, own):
            placed += [_kept(texts[index], index, spans[index]) for index in old]
        elif not old:
            placed += _in_gap(words[own.start : own.stop], spans, old.start)
        elif len(old) == len(own):
            for index, place in zip(old, own, strict=True):
                placed += _aligned([words[place]], texts, spans, range(index, index + 1))
        else:
            placed += _aligned(words[own.start : own.stop], texts, spans, old)
    return placed


def _blocks(texts: Sequence[str], spans: Sequence[Span], words: list[str]) -> list[tuple[range, range]]:
    """Which old words each stretch of the new text stands for; none where it goes into a gap."""
    blocks: list[tuple[range, range]] = []
    early = 0  # new words before the first old one
    for kind, first, last, start, end in SequenceMatcher(None, texts, words, autojunk=False).get_opcodes():
        if kind == "insert" and first == 0:
            early = end
        elif kind == "insert" and not _fits(" ".join(words[start:end]), texts, spans, first):
            old, own = blocks.pop()
            if _are_alike(texts, words, old, own) and len(old) > 1:
                blocks.append((old[:-1], own[:-1]))
                old, own = old[-1:], own[-1:]
            blocks.append((old, range(own.start, end)))
        elif kind != "delete":
            blocks.append((range(first, last), range(start, end)))
    if early:
        old, own = blocks.pop(0)
        if _are_alike(texts, words, old, own) and len(old) > 1:
            blocks.insert(0, (old[1:], own[1:]))
            old, own = old[:1], own[:1]
        blocks.insert(0, (old, range(own.stop)))
    return blocks


def _are_alike(texts: Sequence[str], words: list[str], old: range, own: range) -> bool:
    """Whether the old and the new words are the same."""
    return [texts[index] for index in old] == [words[place] for place in own]


def _fits(text: str, texts: Sequence[str], spans: Sequence[Span], place: int) -> bool:
    """Whether there is room for a text before the old word of an index: half its width at least."""
    if place >= len(texts):
        return False
    (first, last), gap = spans[place - 1], spans[place][0] - spans[place - 1][1]
    width = (last - first) / max(1, len(texts[place - 1]))
    return gap * width > 0 and abs(gap) >= 0.5 * abs(width) * len(text)


def _in_gap(words: list[str], spans: Sequence[Span], place: int) -> list[Placed]:
    (_, start), (end, _) = spans[place - 1], spans[place]
    step = (end - start) / len(" ".join(words))
    placed, before = [], 0
    for word in words:
        edges = tuple(start + step * (before + each) for each in range(len(word) + 1))
        placed.append(Placed(word, None, (place - 1, place), edges, (None,) * len(word)))
        before += len(word) + 1
    return placed


def _kept(text: str, index: int, span: Span) -> Placed:
    step = (span[1] - span[0]) / max(1, len(text))
    edges = tuple(span[0] + step * place for place in range(len(text) + 1))
    return Placed(text, index, (index, index), edges, tuple((index, place) for place in range(len(text))))


def _aligned(words: list[str], texts: Sequence[str], spans: Sequence[Span], old: range) -> list[Placed]:
    """New words in the place of old ones, character by character."""
    before, after = " ".join(texts[index] for index in old), " ".join(words)
    like = _alike(before, after)
    ends = [(0.0, 0.0), (float(len(after)), float(len(before)))]
    around = {(new + side, own + side) for new, own in like.items() for side in (0, 1)}
    knots = sorted({*ends, *around})
    starts = [sum(len(word) + 1 for word in words[:number]) for number in range(len(words))]
    spaces = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    if any(_at(end, knots) - _at(start, knots) < 0.5 for start, end in spaces):
        knots = ends  # otherwise there would be no room for a word
    owners = [(index, place) for index in old for place in (*range(len(texts[index])), None)]
    places = _places(texts, spans, old)
    reserved = {owners[place] for place in like.values()}  # alike goes before near
    placed, taken = [], set()
    for word, start in zip(words, starts, strict=True):
        borders = [_at(start + place, knots) for place in range(len(word) + 1)]
        likes = []
        for place in range(len(word)):
            middle = min(int((borders[place] + borders[place + 1]) / 2), len(before) - 1)
            is_alike = start + place in like
            owner = owners[like[start + place] if is_alike else middle]
            is_free = is_alike or owner not in reserved | taken
            likes.append(owner if is_free and owner[1] is not None else None)
            taken.add(owner)
        near = owners[min(int(borders[0]), len(before) - 1)][0], owners[max(0, int(borders[-1] - 1e-9))][0]
        edges = tuple(_at(border, places) for border in borders)
        placed.append(Placed(word, None, near, edges, tuple(likes)))
    return placed


def _alike(before: str, after: str) -> dict[int, int]:
    """Characters of a new text -> those of the old one that they are, or stand for, with the fewest edits.

    Source: R. A. Wagner, M. J. Fischer: The String-to-String Correction Problem, J. ACM 21 (1974).
    """
    if len(before) * len(after) > LARGEST:
        return {}
    costs = [list(range(len(before) + 1))]
    for row, new in enumerate(after, 1):
        line = [row]
        for column, old in enumerate(before, 1):
            change = 0 if new == old else 1 if (new == " ") == (old == " ") else 2
            line.append(min(costs[-1][column - 1] + change, costs[-1][column] + 1, line[-1] + 1))
        costs.append(line)
    pairs, row, column = {}, len(after), len(before)
    while row and column:
        here = costs[row][column]
        if here == costs[row - 1][column] + 1:
            row -= 1
        elif here == costs[row][column - 1] + 1:
            column -= 1
        else:
            row, column = row - 1, column - 1
            pairs[row] = column
    return pairs


def _places(texts: Sequence[str], spans: Sequence[Span], old: range) -> Knots:
    """Where the characters of old words, joined by spaces, are on the axis."""
    knots: Knots = []
    before = 0
    for index in old:
        knots += [(before, spans[index][0]), (before + len(texts[index]), spans[index][1])]
        before += len(texts[index]) + 1
    return knots


def _at(place: float, knots: Knots) -> float:
    """Piecewise linear interpolation; the knots are in order."""
    number = min(max(bisect_right(knots, (place, float("inf"))), 1), len(knots) - 1)
    (left, low), (right, high) = knots[number - 1], knots[number]
    share = (place - left) / (right - left) if right > left else 1.0
    return low + min(max(share, 0.0), 1.0) * (high - low)
