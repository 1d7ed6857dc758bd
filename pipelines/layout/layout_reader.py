"""What the readers of PAGE XML and ALTO have in common: names, numbers, outlines and a reading order."""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from statistics import fmean
from typing import TYPE_CHECKING

from pipelines.errors import MediaError
from pipelines.layout.lines import LineShape
from pipelines.layout.page_layout import LayoutLine, Skipped, level_baseline
from pipelines.results import Check, Point, box

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MOST_POINTS = 100_000  # of one outline
FARTHEST = 1e6  # pixels
SOFT_HYPHEN = "\u00ad"


class LayoutReader:
    """What both formats have in common: names, numbers, and a reading order."""

    size_names: tuple[str, str]
    id_name: str

    def __init__(self, path: str | os.PathLike, root: Element, page: Element):
        self.path, self.root, self.page = path, root, page
        self.skipped: list[Skipped] = []
        self.faults: list[MediaError] = []
        self.has_baselines = False
        width, height = self.size_names
        self.width, self.height = self.length(width), self.length(height)

    def points(self, text: str | None, where: str) -> tuple[Point, ...]:
        parts = [part for part in re.split(r"[,\s]+", text or "") if part]
        if len(parts) % 2:
            raise self.fault(f"{where} has an odd count of coordinates")
        if len(parts) > 2 * MOST_POINTS:
            raise self.fault(f"{where} has more than {MOST_POINTS:,} points")
        numbers = [self.number(part, where) for part in parts]
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def number(self, text: str, where: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not abs(number) <= FARTHEST:
            raise self.fault(f"{where} has the coordinate {text[:20]!r}")
        return number

    def fault(self, cause: str) -> MediaError:
        return MediaError(self.path, cause, "export it again, or mend it there")

    def length(self, name: str) -> int:
        return round(self.number(self.page.get(name) or "0", "the page"))

    def lines(self, elements: Iterable[Element]) -> tuple[LayoutLine, ...]:
        """The lines that can be used; the others are kept in `skipped`."""
        found = []
        for number, element in enumerate(elements, start=1):
            try:
                found.append(self.line(element))
            except MediaError as fault:
                self.faults.append(fault)
                name = element.get(self.id_name) or f"line {number} of a region"
                self.skipped.append(Skipped(name, fault.cause))
        return tuple(found)

    def line(self, element: Element) -> LayoutLine:
        raise TypeError("each format reads its own lines")

    def facts(self) -> dict[str, str | None]:
        """By which program and when the file was written, and the page's status."""
        raise TypeError("each format says it in its own way")

    def region_outline(self, element: Element, where: str) -> tuple[Point, ...]:
        """The polygon of a region; lines do not depend on it, so an unusable one is only reported."""
        try:
            return self.outline(element, where)
        except MediaError as fault:
            self.skipped.append(Skipped(where, fault.cause))
            return ()

    def outline(self, element: Element, where: str) -> tuple[Point, ...]:
        raise TypeError("each format reads its own outlines")

    def shape(self, baseline: tuple[Point, ...], polygon: tuple[Point, ...], name: str) -> LineShape:
        if len(set(polygon)) < 3:
            polygon = ()
        if len(set(baseline)) < 2:
            if not polygon:
                raise self.fault(f"line {name!r} has neither a baseline nor an outline")
            baseline = level_baseline(polygon)
        else:
            self.has_baselines = True
        left, top, right, bottom = box(baseline)
        if (
            self.width
            and self.height
            and not (left <= self.width and right >= 0 and top <= self.height and bottom >= 0)
        ):
            raise self.fault(f"line {name!r} lies off the page")
        return LineShape(baseline, polygon, name)

    def in_order(self, regions: Iterable[Element], name: str) -> list[Element]:
        """Sort by the file's reading order, if there is one; elements that are not in it come last."""
        ranks: dict[str, int] = {}
        for place, reference in enumerate(_references(self.root)):
            ranks.setdefault(reference, place)

        def rank(region: Element) -> int:
            while region is not None and region.get(name) not in ranks:
                region = region.getparent()
            return len(ranks) if region is None else ranks[region.get(name)]

        return sorted(regions, key=rank)


def is_upside_down(shape: LineShape, text: str, stated: str | None = None) -> bool:
    """Whether the letters of a line stand on their heads: as stated in degrees; or else if it runs from right
    to left with its outline below it, though its text is not written in that direction.
    """
    try:
        return abs(abs(float(stated or "")) - 180) < 45
    except ValueError:
        pass
    (left, top), (right, bottom) = shape.baseline[0], shape.baseline[-1]
    if right - left >= -abs(bottom - top) or not shape.polygon:
        return False
    ways = [unicodedata.bidirectional(character) for character in text]
    below = fmean(y for _, y in shape.polygon) > fmean(y for _, y in shape.baseline)
    return below and "L" in ways and not {"R", "AL"}.intersection(ways)


def local_name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def place_of(text: str | None) -> int:
    """The index attribute of an element; elements without one come first."""
    return int(text) if re.fullmatch(r"\s*\d{1,9}\s*", text or "") else -1


def _references(root: Element) -> Iterator[str]:
    """Ids in reading order. Not recursive, because files may nest deeper than Python's stack."""
    waiting = root.findall(".//{*}ReadingOrder")[:1]
    while waiting:
        group = waiting.pop()
        if reference := group.get("regionRef") or group.get("REF"):
            yield reference
        inner = [child for child in group if re.search(r"Group|Ref", local_name(child))]
        waiting += sorted(inner, key=lambda child: place_of(child.get("index")))[::-1]


def check_of(by: str | None, when: str | None) -> Check:
    """By whom and when, as far as the file says it in the way that ours does."""
    by, when = (by or "").strip(), (when or "").strip()
    try:
        return Check(by, when)
    except ValueError:
        return Check(by, "")


def visible_hyphens(text: str) -> str:
    """Show soft hyphens as a reader sees them: a hyphen at the end of a line, nothing within it."""
    text = text.rstrip()
    return (text[:-1] + "-" if text.endswith(SOFT_HYPHEN) else text).replace(SOFT_HYPHEN, "")
