"""Makes small pictures and PDF documents for the tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def ramp(height: int = 20, width: int = 30) -> np.ndarray:
    """(height, width) uint8 that grows downwards and to the right: no two turns of it are alike."""
    rows, columns = np.mgrid[:height, :width]
    return (255 * (2 * rows / height + columns / width) / 3).astype(np.uint8)


def write_pdf(path: Path, pages: list[np.ndarray], dpi: float = 72) -> Path:
    """A PDF with an image a page, one pixel of it a pixel at this dpi."""
    first, *others = [Image.fromarray(page) for page in pages]
    first.save(path, save_all=True, append_images=others, resolution=dpi, quality=95)
    return path


def bars(text: str, height: int = 60, pitch: int = 40) -> np.ndarray:
    """A line of "handwriting" that `BarReader` reads, (height, width) uint8, a letter every `pitch` pixels.

    a is a bar of full height, b one of half, each in the middle of its pitch; a space is a faint one, too
    faint to be writing.
    """
    line = np.full((height, pitch * len(text)), 230, np.uint8)
    for place, letter in enumerate(text):
        left = place * pitch + pitch // 2 - 6
        top, grey = {"a": (0, 20), "b": (height // 2, 20), " ": (0, 195)}[letter]
        line[top:, left : left + 12] = grey
    return line
