"""Pictures of coloured shapes with sentences about them, which few words make up in many ways."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COLOURS = {"red": (220, 30, 30), "green": (20, 160, 40), "blue": (30, 50, 220)}
SHAPES = ("square", "triangle")
SIDES = ("left", "right")
SIDE = 48  # pixels


def drawn(colour: str, shape: str, side: str, seed: int = 0) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: the shape on light paper, not always at the very same place."""
    random = np.random.default_rng(seed)
    picture = np.full((SIDE, SIDE, 3), 235, np.uint8)
    x, y = (12 if side == "left" else 36) + random.integers(-2, 3), 24 + random.integers(-6, 7)
    corners = [(-8, -8), (8, -8), (8, 8), (-8, 8)] if shape == "square" else [(0, -9), (9, 8), (-9, 8)]
    points = np.array([(x + dx, y + dy) for dx, dy in corners], np.int32)
    cv2.fillPoly(picture, [points], COLOURS[colour])
    return picture


def write_shapes(root: Path, each: int = 11) -> Path:
    """A captions.tsv of so many pictures of each combination, one for the test and one to validate."""
    (root / "images").mkdir(parents=True)
    splits = {0: "test", 1: "valid"}
    rows = ["image\tcaption\tsplit"]
    for number, (colour, shape, side) in enumerate(product(COLOURS, SHAPES, SIDES)):
        for copy in range(each):
            name = f"{colour}-{shape}-{side}-{copy}.png"
            Image.fromarray(drawn(colour, shape, side, number * 100 + copy)).save(root / "images" / name)
            split = splits.get(copy, "train")
            sentences = [f"A {colour} {shape}, {side}."]
            if split == "train":
                sentences.append(f"A {colour} {shape} {side}")
            rows += [f"{name}\t{sentence}\t{split}" for sentence in sentences]
    (root / "captions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root
