"""Batches of texts of similar length in random order, so that little is computed for padding."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Sample = TypeVar("Sample")

SORTED = 50  # batches whose texts are sorted by length together


def by_length(
    samples: Sequence[Sample], length: Callable[[Sample], int], size: int, chooser: random.Random
) -> list[list[Sample]]:
    """Every sample once; the longest of a batch is its last."""
    chosen = chooser.sample(samples, len(samples))
    batches = []
    for start in range(0, len(chosen), SORTED * size):
        part = sorted(chosen[start : start + SORTED * size], key=length)
        batches += [part[place : place + size] for place in range(0, len(part), size)]
    chooser.shuffle(batches)
    return batches
