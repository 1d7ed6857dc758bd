"""Text lines on a page: their shapes, and cutting them out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.results import Point


@dataclass(frozen=True)
class LineShape:
    """Where a text line lies on its page, in pixels.

    Attributes:
        baseline: at least two points, from the left end to the right end.
        polygon: the boundary around its ink; empty where it is not known.
        id: in the layout file that it came from, or "".
    """

    baseline: tuple[Point, ...]
    polygon: tuple[Point, ...] = ()
    id: str = ""


@dataclass(frozen=True)
class LineCut:
    """A line cut out of its page and laid level.

    Attributes:
        pixels: (height, width) uint8, dark ink on light paper.
    """

    pixels: np.ndarray

    def to_page(self, points: np.ndarray) -> np.ndarray:
        """(n, 2) x, y in pixels of the cut -> (n, 2) x, y in pixels of the page."""
        raise NotImplementedError


def cut_line(page: np.ndarray, shape: LineShape) -> LineCut:
    """Cut a line out of a grey page, (height, width) uint8."""
    raise NotImplementedError
