"""Training augmentation of ink, on levelled strokes.

Strokes are those of `encoders.pen.level`, in core heights, which is the unit of all strengths; properties
that are normalised vary only as much as normalisation errs. The order of strokes is kept, including late dots
and bars. All random numbers come from the given generator, so that a resumed run sees the same variants.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from recipes.ink.options import InkAugmentation

WAVES = 3  # number of sines in a warp


def vary(
    strokes: Sequence[np.ndarray], options: InkAugmentation, generator: torch.Generator
) -> tuple[list[np.ndarray], float]:
    """One variant of a line.

    Args:
        strokes: each (points, 2), levelled.

    Returns:
        The strokes without tiny ones, and a factor for the spacing: `trace(strokes, factor * spacing)`.
    """
    change = _matrix(options, generator)
    lower = _uniform(options.shift, generator)
    waves = _draw(2, WAVES, 3, generator=generator)
    spacing = 1.0 + _uniform(options.resampling, generator)
    kept = _without_tiny([stroke for stroke in strokes if len(stroke)], options, generator)
    every = np.concatenate(kept)[:, 0]
    middle = np.array([(every.min() + every.max()) / 2, 0.0])
    varied = []
    for stroke in kept:
        moved = stroke + _tremble(stroke, options, generator)
        moved = moved + options.warp * _warp(stroke[:, 0], waves, options.warp_length)
        varied.append((moved - middle) @ change.T + middle + (0.0, lower))
    return varied, spacing


def _draw(*size: int, generator: torch.Generator) -> np.ndarray:
    """Uniform random numbers in [0, 1)."""
    return torch.rand(size, generator=generator, dtype=torch.float64).numpy()


def _uniform(largest: float, generator: torch.Generator) -> float:
    return largest * float(2 * _draw(generator=generator) - 1)


def _matrix(options: InkAugmentation, generator: torch.Generator) -> np.ndarray:
    """The linear map of slant, then scaling, then rotation."""
    slant = _uniform(options.slant, generator)
    across, down = (1.0 + _uniform(largest, generator) for largest in (options.width, options.height))
    angle = np.radians(_uniform(options.rotation, generator))
    rotated = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotated @ np.diag([across, down]) @ np.array([[1.0, -slant], [0.0, 1.0]])


def _without_tiny(
    strokes: list[np.ndarray], options: InkAugmentation, generator: torch.Generator
) -> list[np.ndarray]:
    """Drop tiny strokes, but keep at least one."""
    lengths = [float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes]
    drawn = _draw(len(strokes), generator=generator)
    kept = [
        stroke
        for stroke, length, chance in zip(strokes, lengths, drawn, strict=True)
        if length > options.tiny or chance >= options.drop
    ]
    return kept or strokes


def _tremble(stroke: np.ndarray, options: InkAugmentation, generator: torch.Generator) -> np.ndarray:
    """Offsets that vary smoothly along a stroke, independent of its sampling, (points, 2)."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()]) / options.noise_length
    knots = torch.randn(int(along[-1]) + 2, 2, generator=generator, dtype=torch.float64).numpy()
    places = np.arange(len(knots))
    return options.noise * np.stack([np.interp(along, places, column) for column in knots.T], axis=1)


def _warp(x: np.ndarray, waves: np.ndarray, shortest: float) -> np.ndarray:
    """Offsets of unit deviation, (points, 2): for each axis a mean of sines over x."""
    size, period, phase = waves.transpose(2, 0, 1)[:, :, :, None]
    sines = (2 * size - 1) * np.sin(2 * np.pi * (x / (shortest * (1 + 2 * period)) + phase))
    return np.sqrt(6.0 / WAVES) * sines.sum(axis=1).T
