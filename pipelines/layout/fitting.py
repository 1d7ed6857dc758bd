"""Fits the layout of a file to its image, which may have another resolution or an EXIF orientation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.layout.lines import LineShape
from pipelines.layout.page_layout import PageLayout, level_baseline
from pipelines.results import Point

SAME = 0.02  # largest relative difference of the proportions of layout and image

Points = tuple[Point, ...]
Size = tuple[int, int]

_TURNS: dict[int, Callable[[float, float, float, float], Point]] = {
    2: lambda x, y, width, height: (width - x, y),
    3: lambda x, y, width, height: (width - x, height - y),
    4: lambda x, y, width, height: (x, height - y),
    5: lambda x, y, width, height: (y, x),
    6: lambda x, y, width, height: (height - y, x),
    7: lambda x, y, width, height: (height - y, width - x),
    8: lambda x, y, width, height: (y, width - x),
}
"""EXIF orientation -> a point of the stored image, and that image's size -> the point of the upright one."""


def fitted(layout: PageLayout, size: Size, stored: Size | None = None, orientation: int = 1) -> PageLayout:
    """The layout in pixels of the upright image.

    Args:
        layout: in units of its own width and height; where it does not state them, in pixels of the image.
        size: width and height of the upright image, in pixels.
        stored: width and height of the image as it is stored; None is `size`.
        orientation: from the image's EXIF data, 1 to 8. A layout in stored pixels is turned with the image.

    Raises:
        ValueError: the proportions of layout and image differ by more than 2 %.
    """
    stored = stored or size
    given = layout.width, layout.height
    turned = orientation in _TURNS and 0 not in given and _misfit(given, stored) < _misfit(given, size)
    frame = stored if turned else size
    if 0 in given:
        given = frame
    if _misfit(given, frame) > SAME:
        stated = f"{layout.width} x {layout.height}"
        raise ValueError(f"is of an image of {stated} pixels, not {size[0]} x {size[1]}")
    across, down = frame[0] / given[0], frame[1] / given[1]

    def moved(points: Points) -> Points:
        scaled = [(x * across, y * down) for x, y in points]
        return tuple(_TURNS[orientation](*point, *frame) for point in scaled) if turned else tuple(scaled)

    def shape(shape: LineShape) -> LineShape:
        polygon = moved(shape.polygon)
        if turned and polygon and shape.baseline == level_baseline(shape.polygon):
            return replace(shape, baseline=level_baseline(polygon), polygon=polygon)
        return replace(shape, baseline=moved(shape.baseline), polygon=polygon)

    regions = tuple(
        replace(
            region,
            polygon=moved(region.polygon),
            lines=tuple(replace(line, shape=shape(line.shape)) for line in region.lines),
        )
        for region in layout.regions
    )
    return replace(layout, width=size[0], height=size[1], regions=regions)


def _misfit(given: Size, size: Size) -> float:
    """By how much two proportions differ; 0 for the same, however large."""
    ratio = (given[0] * size[1]) / (given[1] * size[0])
    return max(ratio, 1 / ratio) - 1
