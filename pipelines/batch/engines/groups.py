"""Units in groups that are read together: of the same routes, and alike in size, so that little is padded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.media.remote import is_remote, state_at

if TYPE_CHECKING:
    from pipelines.batch.units import Unit

MOST, LEAST = 32, 8  # units of a group, while there are as many for each reader
LARGEST = 4_000_000  # bytes of the files of a group; a larger file is one by itself
WINDOW = 4096  # units that are sorted by size at once

Numbered = tuple[int, "Unit"]
"""A unit and its place among all."""


def grouped(units: Sequence[Unit], readers: int = 1) -> Iterator[list[Numbered]]:
    """Groups of units, the largest first among those with the same routes, so that all readers end together.

    Parts of a document stay together and in order.

    Args:
        units: of one route after the other.
        readers: how many groups are read at once.
    """
    left = len(units)
    for start in range(0, len(units), WINDOW):
        window = list(enumerate(units[start : start + WINDOW], start))
        for _, run in groupby(window, key=lambda numbered: numbered[1].routes):
            sized = [(size_of(unit), number, unit) for number, unit in run]
            sized.sort(key=lambda each: (-each[0], each[1]))
            group: list[Numbered] = []
            total = 0
            for size, number, unit in sized:
                most = min(MOST, max(LEAST, left // (2 * readers)))
                if group and (len(group) >= most or total + size > LARGEST):
                    yield group
                    left -= len(group)
                    group, total = [], 0
                group.append((number, unit))
                total += size
            if group:
                yield group
                left -= len(group)


def size_of(unit: Unit) -> int:
    """Bytes of a unit's file; of a page, those of a usual one, since its document holds others."""
    if unit.part is not None:
        return LARGEST // LEAST
    if is_remote(unit.source):
        return (state_at(unit.source) or [0])[0]
    try:
        return os.stat(unit.source).st_size
    except (OSError, TypeError, ValueError):
        return 0
