"""Training augmentation of ink, on levelled strokes.

Strokes come as `encoders.pen.level` makes them, in core heights, so that every strength has that unit
and what normalisation took away is varied only by as much as it may err. Stroke order stays as it was,
that of late dots and bars too. Everything draws from the given generator, so a run that is resumed sees
the very same variants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

WAVES = 3  # sines that a warp is made of


@dataclass(frozen=True)
class InkAugmentation:
    """How far training varies each line of ink."""

    slant: float = 0.25
    """Largest slant added, core heights across for each one up."""
    width: float = 0.15
    """Largest relative change of width."""
    height: float = 0.15
    """Largest relative change of height."""
    rotation: float = 0.7
    """Largest rotation around the middle, degrees."""
    shift: float = 0.15
    """Largest shift of the baseline, core heights."""
    noise: float = 0.02
    """Deviation of a trembling pen, core heights."""
    noise_length: float = 0.4
    """Core heights of stroke from tremble to tremble."""
    warp: float = 0.12
    """Deviation of a smooth warp, which moves, stretches and bends letters, core heights."""
    warp_length: float = 6.0
    """Core heights across of the warp's shortest wave."""
    resampling: float = 0.1
    """Largest relative change of the spacing of points."""
    drop: float = 0.03
    """Share of tiny strokes, such as dots, that are left out."""
    tiny: float = 0.4
    """Core heights of stroke up to which one is tiny."""

    def __post_init__(self):
        for name in ("slant", "rotation", "shift", "noise", "warp", "tiny"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
        for name in ("width", "height", "resampling"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is a change from 0 to below 1, not {getattr(self, name)}")
        for name in ("noise_length", "warp_length"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)}")
        if not 0 <= self.drop <= 1:
            raise ValueError(f"drop is a share from 0 to 1, not {self.drop}")


def vary(
    strokes: Sequence[np.ndarray], options: InkAugmentation, generator: torch.Generator
) -> tuple[list[np.ndarray], float]:
    """One variant of a line.

    Args:
        strokes: each (points, 2), levelled.

    Returns:
        Strokes of the same points, but for tiny ones left out, and the factor to trace them with:
        `trace(strokes, factor * spacing)`.
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
    """Numbers in [0, 1)."""
    return torch.rand(size, generator=generator, dtype=torch.float64).numpy()


def _uniform(largest: float, generator: torch.Generator) -> float:
    return largest * float(2 * _draw(generator=generator) - 1)


def _matrix(options: InkAugmentation, generator: torch.Generator) -> np.ndarray:
    """Slant, then stretching, then rotation."""
    slant = _uniform(options.slant, generator)
    across, down = (1.0 + _uniform(largest, generator) for largest in (options.width, options.height))
    angle = np.radians(_uniform(options.rotation, generator))
    rotated = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotated @ np.diag([across, down]) @ np.array([[1.0, -slant], [0.0, 1.0]])


def _without_tiny(
    strokes: list[np.ndarray], options: InkAugmentation, generator: torch.Generator
) -> list[np.ndarray]:
    """At least one stroke is left."""
    lengths = [float(np.hypot(*np.diff(stroke, axis=0).T).sum()) for stroke in strokes]
    drawn = _draw(len(strokes), generator=generator)
    kept = [
        stroke
        for stroke, length, chance in zip(strokes, lengths, drawn, strict=True)
        if length > options.tiny or chance >= options.drop
    ]
    return kept or strokes


def _tremble(stroke: np.ndarray, options: InkAugmentation, generator: torch.Generator) -> np.ndarray:
    """(points, 2) that vary smoothly along the stroke, however densely it was sampled."""
    along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()]) / options.noise_length
    knots = torch.randn(int(along[-1]) + 2, 2, generator=generator, dtype=torch.float64).numpy()
    places = np.arange(len(knots))
    return options.noise * np.stack([np.interp(along, places, column) for column in knots.T], axis=1)


def _warp(x: np.ndarray, waves: np.ndarray, shortest: float) -> np.ndarray:
    """(points, 2) of unit deviation: for each axis the mean of sines over x, by (2, WAVES, 3) draws."""
    size, period, phase = waves.transpose(2, 0, 1)[:, :, :, None]
    sines = (2 * size - 1) * np.sin(2 * np.pi * (x / (shortest * (1 + 2 * period)) + phase))
    return np.sqrt(6.0 / WAVES) * sines.sum(axis=1).T
