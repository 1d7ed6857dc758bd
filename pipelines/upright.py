"""Pages that lie on a side or upside down: which way they are turned, and results on the image as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

import numpy as np

from pipelines.layout.found import find_lines
from pipelines.layout.lines import LineShape, cut_line, line_distance
from pipelines.layout.turning import is_sideways, is_surely_upright, turned, turned_points
from pipelines.model import SequenceModel
from pipelines.reading.batches import labels_of
from pipelines.reading.settings import SearchOptions
from pipelines.results import TextRegion

LINES = 6  # of a page that are read each way up
SURER = 0.05  # how much more confident a turned reading must be


def find_turn(page: np.ndarray, model: SequenceModel, options: SearchOptions) -> int:
    """Degrees clockwise by which a page must be turned to be upright: 0, 90, 180 or 270.

    The rows of its ink tell whether it lies on a side; which way up it is, its ascenders and descenders where
    they leave no doubt, or else the confidence with which the model reads a few of its lines.

    Args:
        page: (height, width) uint8, grey, dark ink on light paper.
        model: for handwriting.
        options: device, precision and batches are used.
    """
    if is_sideways(page):
        turns = (0, 90, 270)
    elif is_surely_upright(page):
        return 0
    else:
        turns = (0, 180)
    plain = SearchOptions(
        options.batch_size, options.device, options.precision, language_model="none", width=1
    )
    first, *others = (_confidence(turned(page, turn), model, plain) for turn in turns)
    best = max(range(len(others)), key=others.__getitem__)
    return turns[1 + best] if others[best] > first + SURER else 0


def turned_region(region: TextRegion, degrees: int, size: tuple[int, int]) -> TextRegion:
    """A region of an image, (height, width), and all it holds, on the image turned clockwise."""

    def placed(part):
        return replace(part, polygon=turned_points(part.polygon, degrees, size))

    lines = []
    for line in region.lines:
        words = (
            replace(placed(word), glyphs=tuple(placed(glyph) for glyph in word.glyphs)) for word in line.words
        )
        baseline = turned_points(line.baseline, degrees, size)
        lines.append(replace(placed(line), baseline=baseline, words=tuple(words)))
    return replace(placed(region), lines=tuple(lines))


def turned_shape(shape: LineShape, degrees: int, size: tuple[int, int]) -> LineShape:
    """The shape of a line of an image, (height, width), on the image turned clockwise."""
    baseline, polygon = (turned_points(points, degrees, size) for points in (shape.baseline, shape.polygon))
    return replace(shape, baseline=baseline, polygon=polygon)


def _confidence(page: np.ndarray, model: SequenceModel, options: SearchOptions) -> float:
    """Mean confidence of the letters that the model reads in the longest lines of a page."""
    shapes = [shape for region in find_lines(page) for shape in region]
    inputs = []
    for shape in sorted(shapes, key=_length, reverse=True)[:LINES]:
        try:
            cut = cut_line(page, shape, line_distance(shapes))
            inputs.append(model.front_end.prepare_placed(cut.pixels)[0])
        except ValueError:  # too small for a line
            continue
    read: Sequence = labels_of(model, inputs, options) if inputs else ()
    letters = [confidence for labels in read for confidence in labels.confidences]
    return float(np.mean(letters)) if letters else 0.0


def _length(shape: LineShape) -> float:
    (left, top), (right, bottom) = shape.baseline[0], shape.baseline[-1]
    return hypot(right - left, bottom - top)
