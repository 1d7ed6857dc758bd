"""Animated images that FFmpeg does not decode (WebP), and whether others are whole (GIF, PNG)."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import BinaryIO

from pipelines.media.files import Opener, readable
from pipelines.media.footage import Shot, Track, Video
from pipelines.media.images import damage_named, open_image, orientation, pixels_of
from pipelines.media.picture_frames import resized

SHORTEST = 0.011  # seconds: what claims to be shown for less is shown for `USUAL`, as browsers do
USUAL = 0.1
CUT = "is cut off"


def open_animation(name: str, open_it: Opener) -> Video:
    """Open an animated image of any format that Pillow reads.

    Raises:
        MediaError: it is damaged or cut off.
    """
    with _opened(name, open_it) as image:
        lasting = []
        for index in range(image.n_frames):
            image.seek(index)
            image.load()
            seconds = image.info.get("duration", 0) / 1000
            lasting.append(seconds if seconds >= SHORTEST else USUAL)
        size = image.size if orientation(image) < 5 else image.size[::-1]
    ends = list(accumulate(lasting))
    starts = [0.0, *ends[:-1]]

    def decode(place: float) -> Iterator[Shot | None]:
        with _opened(name, open_it) as image:
            for index in range(max(0, bisect_right(starts, place) - 1), len(starts)):
                image.seek(index)
                pixels = pixels_of(image, name, colour=True)
                yield starts[index], lambda side, pixels=pixels: resized(pixels, size, side)

    @contextlib.contextmanager
    def opened(threads: int) -> Iterator[Track]:
        yield Track(decode, lambda: ends[-1], ends[-1] / len(ends))

    return Video(name, size, 0, len(ends) / ends[-1], ends[-1], opened)


@contextlib.contextmanager
def _opened(name: str, open_it: Opener) -> Iterator:
    with readable(name, open_it) as file, damage_named(name), open_image(file, name) as image:
        yield image


def cut_of(file: BinaryIO) -> str | None:
    """What is missing at the end of a GIF or PNG file, which FFmpeg does not tell; None if it is whole.

    Args:
        file: at its start.
    """
    head = file.read(13)
    whole = _gif_is_whole(file, head) if head.startswith(b"GIF8") else _png_is_whole(file)
    return None if whole else CUT


def _gif_is_whole(file: BinaryIO, head: bytes) -> bool:
    """Whether no block of a GIF is cut off; many lack nothing but the last byte, the trailer."""
    _skip_colours(file, head[10])
    while (kind := file.read(1)) not in (b"", b";"):
        if kind == b"!":
            file.read(1)
        elif kind == b",":
            place = file.read(9)
            if len(place) < 9:
                return False
            _skip_colours(file, place[8])
            file.read(1)
        else:
            return True  # no GIF of which one could tell
        while size := file.read(1):
            if size == b"\0":
                break
            if len(file.read(size[0])) < size[0]:
                return False
        else:
            return False
    return True


def _skip_colours(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        file.read(3 << (flags & 7) + 1)


def _png_is_whole(file: BinaryIO) -> bool:
    file.seek(8)
    while len(chunk := file.read(8)) == 8:
        if chunk[4:] == b"IEND":
            return True
        file.seek(int.from_bytes(chunk[:4], "big") + 4, 1)
    return False
