"""The words of training lines, to make other lines of: where they part, by what a model reads."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from decoders.alignment import align
from decoders.ctc import frames_needed
from recipes.reading_task import Sample

NEAR = 10  # lines before and behind: of one page and hand, as folders are sorted


def gaps(line: np.ndarray, log_probs: Tensor, labels: list[int], space: int, stride: int) -> list[int]:
    """Where each space of a line lies: the emptiest place between the letters beside it.

    Args:
        line: (columns, height) uint8, ink towards 255.
        log_probs: (frames, labels), what a model with CTC reads in it.
        labels: of its text.
        stride: columns a frame.

    Returns:
        A column for each space.
    """
    if frames_needed(labels) > len(log_probs):  # nothing is learnt from such a line either
        return [len(line) * place // len(labels) for place, label in enumerate(labels) if label == space]
    placed = align(log_probs, [labels])[0].labels
    ink = line.sum(axis=1, dtype=np.float32)
    ink = cv2.blur(ink[:, None], (1, max(1, line.shape[1] // 6)), borderType=cv2.BORDER_REPLICATE)[:, 0]
    found = []
    for place in (place for place, label in enumerate(labels) if label == space):
        before = placed.ends[place - 1] - 1 if place else 0
        behind = placed.starts[place + 1] if place + 1 < len(labels) else len(log_probs) - 1
        first, last = (int((frame + 0.5) * stride) for frame in (before, behind))
        last = min(last, len(line) - 1)
        first = min(first, last)
        found.append(first + int(ink[first : last + 1].argmin()))
    return found


def words(lines: Sequence[Sample], space: int, gaps: Sequence[int]) -> list[list[Sample]]:
    """The parts of each line between its gaps, all lines' gaps one after the other."""
    waiting, parts = iter(gaps), []
    for line in lines:
        own, first, start = [], 0, 0
        for place, label in enumerate([*line.labels, space]):
            if label != space:
                continue
            end = line.length if place == len(line.labels) else next(waiting)
            own.append(Sample(line.index, end - first, line.labels[start:place], line.group, first))
            first, start = end, place + 1
        parts.append(own)
    return parts
