"""Signals whose channels have rates of their own, stored in blocks of the same length in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Decode = Callable[[int, int], list[np.ndarray]]
"""(first block, block after the last) -> for each channel, (samples,) in physical units; NaN is missing."""


def reader_of(
    counts: Sequence[int], blocks: int, decode: Decode, starts: Sequence[int] | None = None
) -> tuple[Callable[[int, int], np.ndarray], int]:
    """What reads stretches of all channels at the rate of the fastest.

    Slower channels are interpolated linearly between their samples.

    Args:
        counts: samples of each channel in a block.
        blocks: number of blocks.
        decode: reads blocks.
        starts: steps, at the rate of the fastest, at which blocks begin, where there are gaps between them.

    Returns:
        A function (first step, step after the last) -> (time, channels) float32; and the number of steps.
    """
    most = max(counts)
    if starts is not None:
        return _with_gaps(counts, blocks, decode, np.asarray(starts)), int(starts[-1]) + most

    def read(first: int, last: int) -> np.ndarray:
        # A block more on each side, for what lies between the samples of slower channels.
        begin, end = max(0, first // most - 1), min(blocks, -(-last // most) + 1)
        found = np.empty((last - first, len(counts)), dtype=np.float32)
        steps = np.arange(first - begin * most, last - begin * most)
        for channel, (samples, count) in enumerate(zip(decode(begin, end), counts, strict=True)):
            if count == most:
                found[:, channel] = samples[steps[0] : steps[0] + len(steps)] if len(steps) else ()
            else:
                found[:, channel] = np.interp(steps * (count / most), np.arange(len(samples)), samples)
        return found

    return read, blocks * most


def _with_gaps(counts: Sequence[int], blocks: int, decode: Decode, starts: np.ndarray):
    most = max(counts)

    def read(first: int, last: int) -> np.ndarray:
        found = np.full((last - first, len(counts)), np.nan, dtype=np.float32)
        begin = max(0, int(np.searchsorted(starts, first - most, "right")))
        end = min(blocks, int(np.searchsorted(starts, last, "left")))
        for block in range(begin, end):
            place = int(starts[block]) - first
            into = slice(max(0, place), max(0, min(len(found), place + most)))
            for channel, (samples, count) in enumerate(zip(decode(block, block + 1), counts, strict=True)):
                steps = np.arange(into.start - place, into.stop - place)
                found[into, channel] = np.interp(steps * (count / most), np.arange(count), samples)
        return found

    return read
