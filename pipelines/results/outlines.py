"""Points, outlines and the boxes around them, in pixels or in units of the ink."""

from __future__ import annotations

Point = tuple[float, float]
Box = tuple[float, float, float, float]


def box(polygon: tuple[Point, ...]) -> Box:
    """Bounding box (left, top, right, bottom) of a polygon.

    Raises:
        ValueError: the polygon has no points.
    """
    if not polygon:
        raise ValueError("no outline is known")
    across, down = zip(*polygon, strict=True)
    return min(across), min(down), max(across), max(down)
