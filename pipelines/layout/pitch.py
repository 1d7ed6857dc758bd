"""The pitch of a typewriter: all its letters are as wide, unlike those of hands and of print."""

from __future__ import annotations

import cv2
import numpy as np

NARROWEST, WIDEST = 3.5, 14.0  # columns
LENGTH = 2048  # columns of a row, padded, whose spectrum is taken
NEAR = 60  # frequencies on either side with which one is compared
CLEAR, FEW = 1.5, 4.5  # how many times as strong the pitch is: CLEAR + FEW / sqrt(lines); by hand 1.3 + 1.3
ROWS = 3  # that are added up, against noise


def find_pitch(ink: np.ndarray, distance: float) -> float | None:
    """Columns from one letter to the next on a typed page; None on any other.

    The spectra of its rows have a sharp peak in common.

    Args:
        ink: (height, width) float32 in [0, 1], nearly level.
        distance: line distance in rows.
    """
    height, width = ink.shape
    rows = ink[: height // ROWS * ROWS].reshape(-1, ROWS, width).sum(axis=1)[:, :LENGTH]
    rows = rows[(rows > 0).sum(axis=1) > WIDEST]
    if not len(rows) or width < 2 * WIDEST:
        return None
    rows -= cv2.GaussianBlur(rows, (0, 0), sigmaX=8, sigmaY=0.01)
    power = (np.abs(np.fft.rfft(rows * np.hanning(rows.shape[1]), LENGTH, axis=1)) ** 2).sum(axis=0)
    first, end = round(LENGTH / WIDEST), round(LENGTH / NARROWEST) + 1
    around = np.lib.stride_tricks.sliding_window_view(power[first - NEAR : end + NEAR], 2 * NEAR + 1)
    clear = power[first:end] / np.maximum(np.median(around, axis=1), 1e-9)
    best = int(clear.argmax())
    lines = max(1.0, ROWS * len(rows) / distance)
    return LENGTH / (first + best) if clear[best] > CLEAR + FEW / lines**0.5 else None
