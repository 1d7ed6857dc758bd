"""The pitch of a typewriter: all its letters are as wide, unlike those of hands and of print."""

from __future__ import annotations

import cv2
import numpy as np

NARROWEST, WIDEST = 3.5, 14.0  # columns
LENGTH = 2048  # columns of a row, padded, whose spectrum is taken
NEAR = 60  # frequencies on either side with which one is compared
ROWS = 5  # that are added up, against noise
CLEAR = 4.8  # least strength of a pitch; 54 pages by hand have at most 2.0, or 3.6 on squared paper
CLOSE, WIDE = 1.2, 6.5  # pitches: line distances of typewriters, from single to triple spacing
SHARP = 6.0  # the same, relative to the strongest tenth of frequencies, which like lines make strong, too
SQUARES = 0.5  # share of that strength at twice the pitch, from which it is that of squared paper


def find_pitch(ink: np.ndarray, distance: float) -> float | None:
    """Columns from one letter to the next on a typed page; None on any other.

    The spectra of its rows have a sharp peak in common. How strong it is, is how far it rises above the
    frequencies around, relative to what would by chance with so many lines.

    Args:
        ink: (height, width) float32 in [0, 1], nearly level.
        distance: line distance in rows.
    """
    height, width = ink.shape
    rows = ink[: height // ROWS * ROWS].reshape(-1, ROWS, width).sum(axis=1)[:, :LENGTH]
    rows = rows[(rows > 0).sum(axis=1) > WIDEST]
    if not len(rows):
        return None
    rows -= cv2.GaussianBlur(rows, (0, 0), sigmaX=8, sigmaY=0.01)
    power = np.abs(np.fft.rfft(rows * np.hanning(rows.shape[1]), LENGTH, axis=1)) ** 2
    power = (power / np.maximum(power.sum(axis=1, keepdims=True), 1e-9)).sum(axis=0)
    lowest = round(LENGTH / WIDEST / 2)
    around = np.lib.stride_tricks.sliding_window_view(power[lowest - NEAR :], 2 * NEAR + 1)
    usual = np.maximum(np.median(around, axis=1), 1e-9)
    clear = np.zeros(len(power))  # of each frequency
    clear[lowest : lowest + len(usual)] = power[lowest : lowest + len(usual)] / usual - 1
    clear *= max(1.0, ROWS * len(rows) / distance) ** 0.5
    first, end = round(LENGTH / WIDEST), round(LENGTH / NARROWEST) + 1
    best = first + int(clear[first:end].argmax())
    twice = clear[best // 2 - 1 : best // 2 + 3].max()
    pitch = LENGTH / best
    sharp = clear[best] > max(CLEAR, SHARP * np.quantile(clear[first:end], 0.9))
    lone = twice < SQUARES * clear[best]
    return pitch if sharp and lone and CLOSE < distance / pitch < WIDE else None
