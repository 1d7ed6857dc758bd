"""Ink drawn as SVG, with a colour for each character that was recognised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.results import Page, Point

COLOURS = ("#14598c", "#b3261e", "#1c6b3c", "#8d3fa8", "#a85a00", "#00777a")
GREY = "#8d8b84"
View = tuple[float, float, float, float]


def view_of(strokes: Sequence[np.ndarray]) -> View:
    """Left, top, width and height of what ink takes up, with a margin, in its own units."""
    points = np.concatenate([stroke[:, :2] for stroke in strokes])
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    margin = 0.03 * max(right - left, bottom - top, 1)
    sides = (left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin)
    return tuple(round(float(side), 1) for side in sides)


def draw_ink(page: Page, strokes: Sequence[np.ndarray], view: View) -> str:
    """The SVG of one piece of ink.

    Args:
        page: what was recognised; its glyphs say which points they were written with.
        strokes: each (points, 2 or more): x, y.
        view: what is visible.
    """
    pen = max(
        view[2] / 500, view[3] / 110
    )  # a line of ink is seen from end to end, and so is a single letter
    thin = 'fill="none" stroke-linejoin="round" stroke-linecap="round"'
    parts = [
        f'<polyline {thin} stroke="{GREY}" stroke-width="{pen / 2:.4g}" points="{path(stroke[:, :2])}"/>'
        for stroke in strokes
    ]
    glyphs = [glyph for word in page.words for glyph in word.glyphs]
    for number, glyph in enumerate(glyphs):
        colour = COLOURS[number % len(COLOURS)]
        for span in glyph.strokes:
            if not 0 <= span.stroke < len(strokes):
                continue
            # One point more: otherwise the path from one character to the next would belong to neither.
            points = path(strokes[span.stroke][span.first : span.last + 2, :2])
            parts.append(f'<polyline {thin} stroke="{colour}" stroke-width="{pen:.4g}" points="{points}"/>')
    box, size = " ".join(f"{side:g}" for side in view), f'width="{view[2]:g}" height="{view[3]:g}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" {size} preserveAspectRatio="none">'
    return "\n".join([head, *parts, "</svg>\n"])


def path(points: Sequence[Point] | np.ndarray) -> str:
    """Points as `x,y x,y ...`."""
    return " ".join(f"{x:.6g},{y:.6g}" for x, y in points)
