"""Ink made here: a stroke font of a few letters, and whose point is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FONT = {
    "a": [[(0.9, -0.8), (0.6, -1), (0.2, -0.9), (0, -0.5), (0.2, -0.1), (0.5, 0), (0.8, -0.3), (0.9, -0.8),
           (0.9, -0.2), (1.1, 0)]],
    "c": [[(0.8, -0.8), (0.5, -1), (0.1, -0.8), (0, -0.5), (0.1, -0.1), (0.4, 0), (0.8, -0.2)]],
    "i": [[(0, -1), (0, -0.2), (0.2, 0)], [(0.02, -1.6), (0.08, -1.65)]],
    "l": [[(0, -2), (0, -0.2), (0.2, 0)]],
    "n": [[(0, -1), (0, 0), (0, -0.6), (0.3, -1), (0.6, -0.9), (0.7, -0.5), (0.7, 0)]],
    "o": [[(0.5, -1), (0.1, -0.8), (0, -0.5), (0.1, -0.2), (0.5, 0), (0.9, -0.2), (1, -0.5), (0.9, -0.8),
           (0.5, -1)]],
    "t": [[(0.3, -1.9), (0.3, -0.2), (0.5, 0)], [(0, -1.2), (0.6, -1.25)]],
    "u": [[(0, -1), (0, -0.3), (0.3, 0), (0.6, -0.3), (0.7, -1), (0.7, -0.2), (0.9, 0)]],
}  # fmt: skip
"""Letter -> its strokes as corners, one core high, y downwards, 0 on the baseline; dots and bars last."""

SPACE = 1.5  # core heights between words
APART = 0.4  # core heights between letters


@dataclass(frozen=True)
class Written:
    """Strokes, each (points, 2), and for each its points' (points,) letters, counted without spaces;
    -1 on what joins two letters."""

    text: str
    strokes: list[np.ndarray]
    owners: list[np.ndarray]


def write(text: str, joined: bool = False, late: bool = False, step: float = 0.05) -> Written:
    """Write a text with `FONT`.

    Args:
        joined: the letters of a word in one stroke.
        late: dots and bars after the word, not after their letter.
        step: core heights from point to point.
    """
    pen, letter = 0.0, 0
    strokes: list[tuple[np.ndarray, np.ndarray]] = []
    for word in text.split(" "):
        bodies, marks = [], []
        for symbol in word:
            body, *others = (_dense(np.array(corners) + (pen, 0.0), step) for corners in FONT[symbol])
            bodies.append((body, np.full(len(body), letter)))
            added = [(other, np.full(len(other), letter)) for other in others]
            if joined or late:
                marks += added
            else:
                bodies += added
            pen += np.ptp(body[:, 0]) + APART
            letter += 1
        strokes += [_joined(bodies, step)] if joined else bodies
        strokes += marks
        pen += SPACE
    return Written(text, [points for points, _ in strokes], [owners for _, owners in strokes])


def moved(strokes, scale=1.0, slant=0.0, degrees=0.0, offset=(0.0, 0.0)) -> list[np.ndarray]:
    """Leaning to the right by `slant`, turned clockwise, scaled, and put somewhere else."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    change = scale * turn @ np.array([[1.0, -slant], [0.0, 1.0]])
    return [stroke @ change.T + offset for stroke in strokes]


def _dense(corners: np.ndarray, step: float) -> np.ndarray:
    """Points about `step` apart on the way through the corners."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(corners, axis=0).T).cumsum()])
    wanted = np.linspace(0.0, along[-1], max(2, round(along[-1] / step)))
    return np.stack([np.interp(wanted, along, column) for column in corners.T], axis=1)


def _joined(bodies: list[tuple[np.ndarray, np.ndarray]], step: float) -> tuple[np.ndarray, np.ndarray]:
    points, owners = [bodies[0][0]], [bodies[0][1]]
    for body, owner in bodies[1:]:
        link = _dense(np.array([points[-1][-1], body[0]]), step)[1:-1]
        points += [link, body]
        owners += [np.full(len(link), -1), owner]
    return np.concatenate(points), np.concatenate(owners)
