"""Folders of images and arrays as videos."""

from __future__ import annotations

import contextlib
import math
import os
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.footage import Shot, Track, Video, reduced
from pipelines.media.images import read_image

if TYPE_CHECKING:
    import torch

IMAGES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".webp", ".avif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm",
    ".jp2",
)  # fmt: skip
"""Endings of what is taken for frames in a folder."""


def open_folder(folder: Path, fps: float) -> Video:
    """Open a folder of images, in the order of the numbers in their names."""
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.name.lower().endswith(IMAGES)]
    except OSError as error:
        raise MediaError(folder, f"cannot be read ({error.strerror})", "check its permissions") from error
    paths = [folder / name for name in sorted(names, key=_numbers_in) if not name.startswith(".")]
    lost: set[str] = set()

    def read(index: int) -> np.ndarray | None:
        try:
            return read_image(paths[index], colour=True).pixels
        except MediaError:
            lost.add(paths[index].name)
            return None

    first = next((pixels for pixels in map(read, range(len(paths))) if pixels is not None), None)
    if first is None:
        raise MediaError(folder, "is a folder without images that can be read", "give a video or frames")
    return _open_pictures(str(folder), read, len(paths), first.shape, fps, lost)


def open_array(source: np.ndarray | torch.Tensor, fps: float) -> Video:
    """Open an array or tensor of shape (frames, height, width, 3), uint8."""
    pixels = source if isinstance(source, np.ndarray) else source.detach().cpu().numpy()
    if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        cause = f"has the shape {pixels.shape} and holds {pixels.dtype} values"
        raise MediaError("<array>", cause, "give (frames, height, width, 3) of uint8")
    return _open_pictures("<array>", pixels.__getitem__, len(pixels), pixels.shape[1:], fps)


def _open_pictures(
    name: str,
    read: Callable[[int], np.ndarray | None],
    count: int,
    shape: tuple[int, ...],
    fps: float,
    lost: Collection[str] = (),
) -> Video:
    size = (shape[1], shape[0])

    def decode(place: float) -> Iterator[Shot | None]:
        for index in range(min(count - 1, math.floor(place * fps + 1e-6)), count):
            pixels = read(index)
            shown = None if pixels is None else lambda side, pixels=pixels: resized(pixels, size, side)
            yield None if shown is None else (index / fps, shown)

    @contextlib.contextmanager
    def opened(threads: int) -> Iterator[Track]:
        yield Track(decode, lambda: count / fps, 1 / fps, leap=2 / fps)

    return Video(name, size, 0, fps, count / fps, opened, lost=lost)


def resized(pixels: np.ndarray, size: tuple[int, int], side: int | None) -> np.ndarray:
    """A picture of a video whose frames are of a size, (width, height), with `side` as in `Video.frames`."""
    wanted = reduced(size, side)
    if wanted == pixels.shape[1::-1]:
        return pixels.copy()
    import cv2

    return cv2.resize(pixels, wanted, interpolation=cv2.INTER_AREA)


def _numbers_in(name: str) -> list[tuple[int, str]]:
    """A sort key by which frame2 comes before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
