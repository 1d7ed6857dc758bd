"""Pages whose PAGE or ALTO file another program has written over ours: which of their lines a person checked.

eScriptorium, Transkribus and editors of XML leave no mark on the lines that were corrected there. A line
counts as checked if the file marks it so, as ours do; if Transkribus gives the page's status as DONE, FINAL
or GT; or if its text is not what the model had read, which nobody but a person has changed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipelines.layout.fitting import fitted
from pipelines.layout.page_layout import LayoutLine, PageLayout
from pipelines.results import Box, Check, Page, Point, TextLine, TextRegion, box

DONE = ("DONE", "FINAL", "GT")
ALIKE = 0.5  # share of the area that two boxes have in common, from which on they are of the same line


def rewritten(page: Page | None, layout: PageLayout, is_newer: bool = True) -> Page:
    """The page as the layout file has it, with the lines that were checked there or before marked as such.

    Args:
        page: as the model read it; None if that is not known, and then no text is known to be changed.
        layout: of the file.
        is_newer: whether the file is newer than the page; if not, lines of the page that were checked stay.

    Raises:
        ValueError: the layout is of an image of other proportions.
    """
    known: dict[int, TextLine] = {}
    if page is not None:
        if page.width and page.height:
            layout = fitted(layout, (page.width, page.height))
        known = _matched(layout.lines, page)
    check = _check(layout)
    by_status = check if layout.status.upper() in DONE else None
    lines = iter(enumerate(layout.lines))

    def line_of(place: int, line: LayoutLine) -> TextLine:
        before = known.get(place)
        if before is not None and before.checked and not is_newer:
            return before
        if not line.text.strip():
            return _line(line, before, line.checked)
        is_same = before is not None and _said(before.text) == _said(line.text)
        inferred = before.checked if is_same else None if page is None else check
        return _line(line, before, line.checked or by_status or inferred)

    regions = tuple(
        TextRegion(tuple(line_of(*next(lines)) for _ in region.lines), region.polygon, region.kind, region.id)
        for region in layout.regions
    )
    return replace(page, regions=regions) if page else Page(regions, layout.width, layout.height, "")


def _line(line: LayoutLine, before: TextLine | None, check: Check | None) -> TextLine:
    shape = line.shape
    if before is not None and _said(before.text) == _said(line.text):
        if _is_rounded(before.polygon, shape.polygon) and _is_rounded(before.baseline, shape.baseline):
            return replace(before, checked=check)
        return replace(before, polygon=shape.polygon, baseline=shape.baseline, checked=check)
    confidence = 0.0 if check is None else 1.0
    name = shape.id if before is None else before.id
    return TextLine(line.text, confidence, shape.polygon, shape.baseline, id=name, checked=check)


def _is_rounded(points: Sequence[Point], written: Sequence[Point]) -> bool:
    """Whether an outline is one that was written in whole pixels, on the page."""
    return len(points) == len(written) and all(
        abs(x - x2) <= 1 and abs(y - y2) <= 1 for (x, y), (x2, y2) in zip(points, written, strict=True)
    )


def _check(layout: PageLayout) -> Check:
    """Whom the file names for its changes: its program."""
    program = "Transkribus" if layout.status else layout.creator.splitlines()[0] if layout.creator else ""
    try:
        return Check(program, layout.changed)
    except ValueError:  # without a zone, as eScriptorium writes it
        return Check(program, "")


def _said(text: str) -> str:
    """What a text says, whatever its spaces and normal form."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _matched(lines: Sequence[LayoutLine], page: Page) -> dict[int, TextLine]:
    """For lines of a layout, by their number, the line of the page that each was.

    The id decides, if the lines lie over each other, or else the place alone.
    """
    before = list(zip(_names(page), page.lines, strict=True))
    boxes = [_box(line) for _, line in before]
    found: dict[int, TextLine] = {}
    free = dict(enumerate(before))
    for number, line in enumerate(lines):
        for place, (name, each) in free.items():
            if line.shape.id in (name, each.id or name) and _common(_box_of(line), boxes[place]) > 0:
                found[number] = each
                del free[place]
                break
    pairs = [
        (_common(_box_of(line), boxes[place]), number, place)
        for number, line in enumerate(lines)
        if number not in found
        for place in free
    ]
    for share, number, place in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        if share >= ALIKE and number not in found and place in free:
            found[number] = free.pop(place)[1]
    return found


def _names(page: Page) -> Iterable[str]:
    """The ids that writers give to lines that have none."""
    for number, region in enumerate(page.regions, start=1):
        for place in range(1, len(region.lines) + 1):
            yield f"{region.id or f'r{number}'}_l{place}"


def _box_of(line: LayoutLine) -> Box:
    return box(line.shape.polygon or line.shape.baseline)


def _box(line: TextLine) -> Box | None:
    points = line.polygon or line.baseline
    return box(points) if points else None


def _common(one: Box | None, other: Box | None) -> float:
    """The area that two boxes share, of that which they cover together; lines without a place share all."""
    if one is None or other is None:
        return 1e-6
    (left, top, right, bottom), (left2, top2, right2, bottom2) = one, other
    width = min(right, right2) - max(left, left2) + 1
    height = min(bottom, bottom2) - max(top, top2) + 1
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(r - x + 1) * (b - t + 1) for x, t, r, b in (one, other)]
    return width * height / (sum(areas) - width * height)
