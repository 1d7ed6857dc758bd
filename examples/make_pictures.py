"""Rebuilds examples/pictures: plain drawings of things that are emoji, too.

python examples/make_pictures.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HERE = Path(__file__).parent / "pictures"
SIDE, FINER = 128, 4  # pixels, and how much finer they are drawn
COLOURS = {"red": (222, 46, 60), "blue": (40, 120, 240), "green": (90, 170, 60), "orange": (245, 140, 30)}


def heart() -> list[tuple[float, float]]:
    """Its outline in a square from 0 to 1."""
    angles = np.linspace(0, 2 * np.pi, 200)
    across = 16 * np.sin(angles) ** 3
    up = 13 * np.cos(angles) - 5 * np.cos(2 * angles) - 2 * np.cos(3 * angles) - np.cos(4 * angles)
    return [(0.5 + x / 36, 0.46 - y / 36) for x, y in zip(across, up, strict=True)]


def drawn(shape: str, colour: tuple[int, int, int]) -> Image.Image:
    size = SIDE * FINER
    picture = Image.new("RGB", (size, size), "white")
    draw = ImageDraw.Draw(picture)
    box = (0.06 * size, 0.06 * size, 0.94 * size, 0.94 * size)
    if shape == "circle":
        draw.ellipse(box, colour)
    elif shape == "square":
        draw.rounded_rectangle(box, 0.05 * size, colour)
    else:
        draw.polygon([(x * size, y * size) for x, y in heart()], colour)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def main() -> None:
    for name in ("red heart", "blue heart", "green heart", "orange circle", "blue circle", "orange square"):
        colour, shape = name.split()
        drawn(shape, COLOURS[colour]).save(HERE / f"{colour}-{shape}.png", optimize=True)
        Path(HERE, f"{colour}-{shape}.txt").write_text(f"{name}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
