"""Training augmentation of line images: geometric distortion, strokes, contrast, noise and masks.

It works on prepared lines (ink towards 255, paper 0; see `LineImage.prepare`). All random numbers come from
the given generator, so that a resumed run sees the same variants.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from recipes.handwriting.options import LineAugmentation


def vary(
    line: np.ndarray, options: LineAugmentation, random: np.random.Generator, behind: np.ndarray | None = None
) -> np.ndarray:
    """One variant of a line.

    Args:
        line: (height, columns) uint8, ink towards 255.
        behind: another line, for show-through.

    Returns:
        (height, new columns) uint8.
    """
    pixel = max(1.0, len(line) / 48)  # strokes, blur and grain were chosen for lines 48 pixels high
    line = _warped(line, options, random)
    if random.random() < options.stroke:
        line = _restroked(line, random.uniform(-0.8, 0.8), pixel)
    if behind is not None and random.random() < options.show_through:
        line = _shone_through(line, behind, random, pixel)
    if random.random() < options.blur:
        line = cv2.GaussianBlur(line, (0, 0), pixel * random.uniform(0.4, 1.0))
    values = line.astype(np.float32)
    if random.random() < options.contrast:
        values = 255.0 * (values / 255.0) ** random.uniform(0.6, 1.6) * random.uniform(0.6, 1.0)
    if random.random() < options.noise:
        grain = random.standard_normal(line.shape, np.float32) * random.uniform(2.0, 16.0)
        if random.random() < 0.5:
            grain = cv2.GaussianBlur(grain, (0, 0), 0.8 * pixel) * pixel
        values = values + grain
    return values.clip(0, 255).astype(np.uint8)


def blot(columns: Tensor, lengths: Tensor, height: float, options: LineAugmentation) -> Tensor:
    """Mask random spans of (batch, columns, features), different ones for each line.

    Args:
        lengths: number of columns of each line.
        height: number of columns as wide as a line is high.
    """
    place = torch.arange(columns.size(1), device=columns.device)
    masked = torch.zeros(columns.shape[:2], dtype=torch.bool, device=columns.device)
    for _ in range(options.masks):
        width = torch.rand(len(columns), 1, device=columns.device) * options.mask_width * height
        start = torch.rand(len(columns), 1, device=columns.device) * lengths[:, None]
        masked |= (place >= start) & (place < start + width)
    return columns.masked_fill(masked[:, :, None], 0)


def _warped(line: np.ndarray, options: LineAugmentation, random: np.random.Generator) -> np.ndarray:
    """Stretch, shear, tilt, shift and distort in a single resampling."""
    height, columns = line.shape
    stretch = random.uniform(1 - options.stretch, 1 + options.stretch)
    size = random.uniform(1 - options.size, 1 + options.size)
    width = max(1, round(columns * stretch))
    slant = random.uniform(-options.slant, options.slant)
    rise = random.uniform(-options.skew, options.skew) * height
    shift = random.uniform(-options.offset, options.offset) * height
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = x / width - 0.5
    from_y = (y - height / 2 - shift - rise * along) / size + height / 2
    from_x = x / stretch + slant * (y - height / 2)
    if options.elastic:
        step = max(4, height // 3)
        grid = (2, height // step + 2, width // step + 2)
        field = random.standard_normal(grid, np.float32) * options.elastic * height
        from_x += cv2.resize(field[0], (width, height), interpolation=cv2.INTER_CUBIC)
        from_y += cv2.resize(field[1], (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.remap(line, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _restroked(line: np.ndarray, change: float, pixel: float) -> np.ndarray:
    """Make strokes thicker (above 0) or thinner (below 0); 1 is a whole pixel on either side."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(pixel) + 1,) * 2)
    other = cv2.dilate(line, kernel) if change > 0 else cv2.erode(line, kernel)
    return cv2.addWeighted(line, 1 - abs(change), other, abs(change), 0)


def _shone_through(
    line: np.ndarray, behind: np.ndarray, random: np.random.Generator, pixel: float
) -> np.ndarray:
    height, width = line.shape
    behind = cv2.GaussianBlur(behind[:, ::-1], (0, 0), pixel * random.uniform(0.7, 1.5))
    behind = np.roll(np.resize(behind.T, (width, height)).T, int(random.integers(height)), axis=0)
    return np.maximum(line, (behind * random.uniform(0.1, 0.45)).astype(np.uint8))
