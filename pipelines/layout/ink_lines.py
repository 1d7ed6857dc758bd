"""Whether ink holds more than the one line of writing that it is read as."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LOWER = 1.4  # letter heights by which the middle of a new line lies below the one before it
BROAD = 3.0  # letter heights that each line is wide; notes, fractions and underlines are narrower or flatter
FLAT = 0.25  # share of the height of tall strokes below which a stroke says nothing of it: dots, bars


def count_lines(strokes: Sequence[np.ndarray]) -> int:
    """How many lines of writing there are, one below the other, in the order in which they were written.

    A new line begins with a stroke that lies below all that the line has at this place.

    Args:
        strokes: each (points, 2 or more): x, y downwards.
    """
    boxes = np.array(
        [(*stroke[:, :2].min(axis=0), *stroke[:, :2].max(axis=0)) for stroke in strokes if len(stroke)]
    ).reshape(-1, 4)
    heights = boxes[:, 3] - boxes[:, 1]
    tall = heights > FLAT * np.quantile(heights, 0.9) if len(heights) else heights > 0
    if not tall.any():
        return min(len(boxes), 1)
    letter = float(np.median(heights[tall]))
    boxes = boxes[tall]
    lines, start = [], 0
    for place in range(1, len(boxes)):
        if _is_below(boxes[place], boxes[start:place], LOWER * letter):
            lines.append(boxes[start:place])
            start = place
    lines.append(boxes[start:])
    broad = [line for line in lines if line[:, 2].max() - line[:, 0].min() > BROAD * letter]
    return max(len(broad), 1)


def _is_below(box: np.ndarray, line: np.ndarray, least: float) -> bool:
    """Whether a stroke lies lower, by its middle, than all strokes of a line that it is below."""
    above = line[(line[:, 0] < box[2]) & (line[:, 2] > box[0])]
    return len(above) > 0 and (box[1] + box[3]) / 2 - ((above[:, 1] + above[:, 3]) / 2).max() > least
