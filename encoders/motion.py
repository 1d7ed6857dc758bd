"""Motion features between frames: differences and optical flow, summarised on a grid over the picture.

The flow is OpenCV's DIS (Kroeger et al. 2016, "Fast optical flow using dense inverse search"), summarised by
histograms of oriented flow (Laptev et al. 2008, "Learning realistic human actions from movies"). These are
pure functions of the pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import torch
from torch import Tensor

BINS = 8  # directions of the histogram: right, down and right, down, ... clockwise as seen
STILL = 0.005  # fraction of the shorter side; what moves less from frame to frame counts as still
UNCHANGED = 2.0  # grey levels; flow is not trusted where the mean change around a pixel is smaller
CELL = BINS + 2  # features per cell: histogram, share of still pixels, difference
RANKS = 0.0, 0.07, 0.14, 0.27, 0.54, 1.0  # quantiles of the cells, from the one that moves most
ANYWHERE = 5 * len(RANKS) + 1  # features that `anywhere` returns
SIDE = 96  # shorter side at which motion is computed, pixels


def motion(frames: Iterable[np.ndarray], grid: tuple[int, int] = (4, 4)) -> Iterator[np.ndarray]:
    """Motion features of each frame relative to the one before it.

    Args:
        frames: each (height, width, 3) or (height, width) uint8, all of one size; consumed lazily.
        grid: rows and columns of cells over the picture.

    Yields:
        (rows * columns * CELL,) float32 per frame, zeros for the first: for each cell, row by row,
        `flow_histogram`, then `difference`.
    """
    before = None
    for frame in frames:
        now = _small_grey(frame)
        if before is None:
            yield np.zeros(grid[0] * grid[1] * CELL, np.float32)
        else:
            flow = flow_histogram(optical_flow(before, now), grid)
            yield np.concatenate([flow, difference(before, now, grid)[..., None]], axis=2).ravel()
        before = now


def difference(before: np.ndarray, now: np.ndarray, grid: tuple[int, int] = (4, 4)) -> np.ndarray:
    """Mean absolute change of a pixel, from 0 to 1: two (height, width) uint8 -> (rows, columns) float32."""
    return _cell_means(cv2.absdiff(before, now).astype(np.float32)[..., None] / 255.0, grid)[..., 0]


def optical_flow(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Optical flow from one frame to the next: two (height, width) uint8 -> (height, width, 2) float32.

    The displacement of each pixel of the first frame, in pixels to the right and downwards; zero where
    nothing changes. Frames must have at least 12 pixels on each side.
    """
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(before, now, None)
    flow[cv2.blur(cv2.absdiff(before, now).astype(np.float32), (5, 5)) < UNCHANGED] = 0.0
    return flow


def flow_histogram(flow: np.ndarray, grid: tuple[int, int] = (4, 4)) -> np.ndarray:
    """Histograms of oriented flow: (height, width, 2) pixels -> (rows, columns, BINS + 1) float32.

    The first `BINS` are the mean displacement of a cell's pixels in each direction, as a fraction of the
    picture's shorter side; a displacement between two directions is shared between them linearly. The last is
    the share of still pixels.
    """
    height, width = flow.shape[:2]
    flow = flow.astype(np.float32) / min(height, width)
    distance = np.hypot(flow[..., 0], flow[..., 1])
    moves = distance > STILL
    place = np.arctan2(flow[..., 1], flow[..., 0]) * (BINS / (2 * np.pi)) % BINS
    apart = np.abs(place[..., None] - np.arange(BINS, dtype=np.float32))
    share = np.maximum(0.0, 1.0 - np.minimum(apart, BINS - apart))  # (height, width, BINS)
    histogram = share * (distance * moves)[..., None]
    return _cell_means(np.concatenate([histogram, ~moves[..., None]], axis=2, dtype=np.float32), grid)


def anywhere(moves: Tensor) -> Tensor:
    """Summarise motion features regardless of position: amount, speed and number of directions.

    With few clips, positions would only be learnt by heart: the next camera has another view.

    Args:
        moves: (..., cells * CELL), from `motion`.

    Returns:
        (..., ANYWHERE): with cells sorted by their motion, at each quantile in `RANKS`, the logarithms of
        displacement, speed and change of pixels, and the share of moving pixels; then the entropy of the
        directions at each of `RANKS`, and over all cells.
    """
    cells = moves.unflatten(-1, (-1, CELL))
    ranks = torch.tensor([int(rank * (cells.size(-2) - 1)) for rank in RANKS], device=moves.device)
    histogram, still, change = cells[..., :BINS], cells[..., BINS], cells[..., BINS + 1]
    movement, order = histogram.sum(dim=-1).sort(dim=-1, descending=True)
    moving = 1.0 - still.gather(-1, order)
    speed = (movement / (moving + 1e-3)).sort(dim=-1, descending=True).values
    change = change.sort(dim=-1, descending=True).values
    ways = _entropy(histogram).gather(-1, order)
    found = [(movement + 1e-4).log(), (speed + 1e-3).log(), (change + 1e-3).log(), moving, ways]
    parts = [each.index_select(-1, ranks) for each in found]
    return torch.cat([*parts, _entropy(histogram.sum(dim=-2))[..., None]], dim=-1)


def _entropy(histogram: Tensor) -> Tensor:
    """Entropy in nats: (..., BINS) -> (...), 0 without any motion."""
    share = histogram / (histogram.sum(dim=-1, keepdim=True) + 1e-6)
    return -(share * (share + 1e-6).log()).sum(dim=-1)


def backwards(moves: np.ndarray, grid: tuple[int, int] = (4, 4)) -> np.ndarray:
    """Approximate motion features of the same frames in reverse order; (time, rows * columns * CELL).

    A displacement is attributed to the place where it ends. The first frame's features are zero, as in
    `motion`.
    """
    cells = moves.reshape(-1, *grid, CELL)[:0:-1]
    turned = (np.arange(BINS) + BINS // 2) % BINS
    cells = np.concatenate([cells[..., turned], cells[..., BINS:]], axis=3)
    return np.concatenate([np.zeros_like(moves[:1]), cells.reshape(len(cells), -1)])


def _cell_means(values: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Means over the cells of the grid: (height, width, n) -> (rows, columns, n)."""
    height, width = values.shape[:2]
    rows, columns = grid
    if not 1 <= rows <= height or not 1 <= columns <= width:
        raise ValueError(f"a grid of {rows} x {columns} cells does not fit {height} x {width} pixels")
    tops = np.arange(rows + 1) * height // rows
    lefts = np.arange(columns + 1) * width // columns
    sums = np.add.reduceat(np.add.reduceat(values, tops[:-1], axis=0), lefts[:-1], axis=1)
    return sums / np.outer(np.diff(tops), np.diff(lefts))[..., None].astype(np.float32)


def _small_grey(frame: np.ndarray) -> np.ndarray:
    """The frame in grey, (height, width) uint8, resized to a shorter side of `SIDE` pixels."""
    if frame.ndim not in (2, 3) or frame.dtype != np.uint8 or not frame.size:
        raise ValueError(f"a frame must be (height, width, 3) uint8, not {frame.dtype} {frame.shape}")
    height, width = frame.shape[:2]
    share = SIDE / min(height, width)
    size = max(SIDE, round(width * share)), max(SIDE, round(height * share))
    if (width, height) != size:
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    return frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
