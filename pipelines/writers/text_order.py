"""The order in which Poppler's pdftotext gives lines that stand apart, from where they stand.

Thomas M. Breuel (2003), "High performance document layout analysis": of two lines that are above each other,
the upper one comes first; of others the left one, unless something lies between. As Poppler does it, each
line is extended to the sides first, as far as nothing beside it is in the way and lines below reach.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

STEP = 4.0  # points: lines this close in height are looked through from the left
LOOKED = 4  # of these steps at a time

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in points, from the upper left corner of the page."""


def agreeing(boxes: Sequence[Box], bases: Sequence[float], right_to_left: bool = False) -> list[int]:
    """Which lines, as many as can be, pdftotext gives in the order in which they are listed.

    Args:
        boxes: of lines, none of which touch.
        bases: their baselines in points from the top of the page.
        right_to_left: whether most of the text is.
    """
    chosen = list(range(len(boxes)))
    while chosen:
        order = order_of([boxes[each] for each in chosen], [bases[each] for each in chosen], right_to_left)
        if order == sorted(order):
            break
        ranks = np.argsort(order).tolist()
        chosen = [chosen[place] for place in _longest_rising(ranks)]
    return chosen


def order_of(boxes: Sequence[Box], bases: Sequence[float], right_to_left: bool = False) -> list[int]:
    """The lines in the order in which pdftotext gives them."""
    if not boxes:
        return []
    left, top, right, bottom = np.array(boxes, float).T
    widest = _extended(left, top, right, bottom)
    overlap = (widest[0][:, None] <= widest[1]) & (widest[0] <= widest[1][:, None])
    above = overlap & (top[:, None] < top)
    beside = widest[1][:, None] <= widest[0]
    beside = beside.T if right_to_left else beside
    between = (above.astype(np.float32) @ above.astype(np.float32)) > 0  # [i, j]: i above some k above j
    before = above | (beside & ~between.T)
    found: list[int] = []
    visited = [False] * len(boxes)
    start = _as_found(left, bases)
    for first in start:
        _visit(first, before, start, visited, found)
    return found


def _visit(first: int, before: np.ndarray, listed: list[int], visited: list[bool], found: list[int]) -> None:
    """Depth first, without recursion: whatever comes before a line, then the line."""
    if visited[first]:
        return
    visited[first] = True
    waiting = [(first, iter(listed))]
    while waiting:
        line, others = waiting[-1]
        following = next((each for each in others if not visited[each] and before[each, line]), None)
        if following is None:
            found.append(line)
            waiting.pop()
        else:
            visited[following] = True
            waiting.append((following, iter(listed)))


def _extended(left, top, right, bottom) -> tuple[np.ndarray, np.ndarray]:
    level = (top[:, None] <= bottom) & (bottom[:, None] >= top)
    np.fill_diagonal(level, False)
    lower = top >= bottom[:, None]
    wall = np.where(level & (left > right[:, None]), left, np.inf).min(axis=1)
    reached = np.where(lower & (right <= wall[:, None]), right, -np.inf).max(axis=1)
    other_wall = np.where(level & (right < left[:, None]), right, 0.0).max(axis=1)
    other = np.where(lower & (left >= other_wall[:, None]), left, np.inf).min(axis=1)
    return np.minimum(left, other), np.maximum(right, reached)


def _as_found(left: np.ndarray, bases: Sequence[float]) -> list[int]:
    """From the top, in steps; of a few steps the leftmost first."""
    rest: dict[int, list[int]] = {}
    for line in sorted(range(len(left)), key=lambda line: left[line]):
        rest.setdefault(int(bases[line] / STEP), []).append(line)
    found = []
    while rest:
        first = min(rest)
        near = [step for step in range(first, first + LOOKED) if step in rest]
        step = min(near, key=lambda step: left[rest[step][0]])
        found.append(rest[step].pop(0))
        if not rest[step]:
            del rest[step]
    return found


def _longest_rising(ranks: list[int]) -> list[int]:
    """Places of a longest subsequence that rises."""
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, rank in enumerate(ranks):
        size = bisect_left(ends, rank)
        before.append(places[size - 1] if size else -1)
        ends[size:], places[size:] = (
            ([rank], [place])
            if size == len(ends)
            else ([rank, *ends[size + 1 :]], [place, *places[size + 1 :]])
        )
    found, place = [], places[-1] if places else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]
