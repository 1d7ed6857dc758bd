"""Clips made by program: shapes that rise, fall, rotate, bounce or approach before all kinds of backgrounds.

    python -m recipes.action.shapes --out clips --clips 1200

writes a folder of videos with labels.csv, which `recipes.action` reads. The bundled model was trained so.
"""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import tyro

from pipelines.writers import write_atomically
from pipelines.writers.videos import write_video
from recipes.learning.progress import followed

RATE = 8  # frames a second
SECONDS = (1.5, 2.5)
SIDE = 64  # pixels
FINE = 4  # bits behind the point in places that are drawn


def shapes_clip(label: str, rng: np.random.Generator, side: int = SIDE) -> np.ndarray:
    """(time, side, side, 3) uint8 of one movement.

    Raises:
        KeyError: the label is none of `MOVEMENTS`.
    """
    time = np.linspace(0, 1, round(RATE * rng.uniform(*SECONDS)))
    across, down, scale, angle = MOVEMENTS[label](time, rng)
    corners = _shape(rng) * rng.uniform(0.11, 0.17)
    drift = rng.normal(0, 0.012, 2)  # of the camera, a second
    frames = []
    ground = _background(rng, side)
    colour = _contrasting(ground, rng)
    for frame, now in enumerate(time):
        turn = angle[frame]
        matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        place = np.array([across[frame], down[frame]]) + drift * now
        outline = ((corners * scale[frame]) @ matrix.T + place) * side * 2**FINE
        picture = np.roll(ground, tuple((drift[::-1] * now * side).round().astype(int)), (0, 1)).copy()
        cv2.fillPoly(picture, [outline.round().astype(np.int32)], colour, cv2.LINE_AA, FINE)
        frames.append(picture)
    clip = np.stack(frames).astype(np.float32) * rng.uniform(0.85, 1.1)
    clip += rng.normal(0, rng.uniform(1, 7), clip.shape)
    return clip.clip(0, 255).astype(np.uint8)


def _rise(time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return _line(time, rng, -1)


def _fall(time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return _line(time, rng, 1)


def _line(time: np.ndarray, rng: np.random.Generator, way: int) -> tuple[np.ndarray, ...]:
    reach, tilt = rng.uniform(0.35, 0.6), rng.uniform(-0.15, 0.15)
    pace = time ** rng.uniform(0.8, 1.6)
    across = rng.uniform(0.3, 0.7) + tilt * pace
    return across, 0.5 + way * reach * (pace - 0.5), np.ones_like(time), _still(time, rng)


def _rotate(time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    turns = rng.choice([-1, 1]) * rng.uniform(1.2, 4.5)
    across, down = (rng.uniform(0.3, 0.7) + rng.normal(0, 0.03) * time for _ in range(2))
    return across, down, np.full_like(time, rng.uniform(1.0, 1.6)), rng.uniform(0, 6) + turns * time


def _bounce(time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    height, floor = rng.uniform(0.25, 0.5), rng.uniform(0.7, 0.85)
    phase = rng.uniform(0, 1) + rng.uniform(2, 3.5) * time
    across = rng.uniform(0.3, 0.7) + rng.uniform(-0.2, 0.2) * (time - 0.5)
    return across, floor - height * np.abs(np.sin(np.pi * phase)), np.ones_like(time), _still(time, rng)


def _approach(time: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    across, down = (rng.uniform(0.35, 0.65) + rng.normal(0, 0.05) * time for _ in range(2))
    return across, down, 0.6 / (1 - rng.uniform(0.6, 0.78) * time), _still(time, rng)


def _still(time: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An angle that hardly changes."""
    return rng.uniform(0, 6) + rng.normal(0, 0.12) * time


MOVEMENTS = {"rise": _rise, "fall": _fall, "rotate": _rotate, "bounce": _bounce, "approach": _approach}
"""For each label: moments from 0 to 1 -> across, down (shares of the picture), scale and angle (radians)."""


def _shape(rng: np.random.Generator) -> np.ndarray:
    """(corners, 2) of a polygon or star about 1 from its middle; never round, which would hide its turns."""
    count = int(rng.integers(3, 6))
    if rng.random() < 0.5:
        angles = np.arange(count) * 2 * np.pi / count
        return np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.5, 1.0)], axis=1)
    angles = np.arange(2 * count) * np.pi / count
    reach = np.where(np.arange(2 * count) % 2, rng.uniform(0.35, 0.6), 1.2)
    return np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)


def _background(rng: np.random.Generator, side: int) -> np.ndarray:
    """(side, side, 3) uint8: a slope between two colours, with soft or hard patches on it."""
    ends = rng.uniform(20, 235, (2, 3))
    slope = rng.normal(size=2)
    places = np.mgrid[:side, :side] / side - 0.5
    share = (0.5 + np.tensordot(slope / np.linalg.norm(slope), places, 1))[..., None].clip(0, 1)
    ground = ends[0] * (1 - share) + ends[1] * share
    grain = int(rng.integers(3, 12))
    patches = rng.normal(0, rng.uniform(0, 30), (grain, grain, 3)).astype(np.float32)
    how = cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST
    return (ground + cv2.resize(patches, (side, side), interpolation=how)).clip(0, 255).astype(np.uint8)


def _contrasting(ground: np.ndarray, rng: np.random.Generator) -> tuple[int, ...]:
    """A colour that is told from the background's mean."""
    mean = ground.reshape(-1, 3).mean(axis=0)
    choices = rng.integers(0, 256, (8, 3))
    return tuple(int(value) for value in choices[np.abs(choices - mean).sum(axis=1).argmax()])


def main(out: Path, clips: int = 1200, seed: int = 1, valid: float = 0.1, test: float = 0.15) -> None:
    """Write clips and labels.csv.

    Args:
        out: a folder.
        clips: how many in all, of each movement equally many.
        seed: which.
        valid, test: shares of these splits.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for index in followed(range(clips), "making clips", "clip"):
        label = list(MOVEMENTS)[index % len(MOVEMENTS)]
        split = "valid" if index < valid * clips else "test" if index < (valid + test) * clips else "train"
        path = out / label / f"{index:05}.mp4"
        with write_atomically(path, "wb") as file:
            frames = ((place / RATE, frame) for place, frame in enumerate(shapes_clip(label, rng)))
            write_video(file, frames, f"generated: {label}")
        rows.append((path.relative_to(out), label, split))
    with write_atomically(out / "labels.csv") as file:
        csv.writer(file, lineterminator="\n").writerows([("path", "label", "split"), *rows])


if __name__ == "__main__":
    tyro.cli(main)
