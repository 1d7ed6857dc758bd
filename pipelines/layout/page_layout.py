"""The layout of a page that a file gives: its regions, their lines and texts."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.layout.lines import BAND, LineShape
from pipelines.results import Check, Point, box


@dataclass(frozen=True)
class LayoutLine:
    """A text line and its text, "" if it has none.

    Attributes:
        checked: by whom and when the text was checked; None if the file does not say that it was.
    """

    shape: LineShape
    text: str
    checked: Check | None = None


@dataclass(frozen=True)
class LayoutRegion:
    """Lines that belong together, in reading order.

    Attributes:
        kind: type given by the file ("paragraph", "marginalia", "MainZone", ...), else "paragraph".
        polygon: empty if the file has none.
    """

    lines: tuple[LayoutLine, ...]
    polygon: tuple[Point, ...] = ()
    kind: str = "paragraph"
    id: str = ""


@dataclass(frozen=True)
class Skipped:
    """A line, or the outline of a region, that could not be used, and the reason."""

    name: str
    cause: str


@dataclass(frozen=True)
class PageLayout:
    """The layout of a page, in units of its width and height (see `fitting.fitted` for pixels).

    Attributes:
        image: file name of the image given by the layout file, or "".
        width, height: size of the page, in most files in pixels of the image; 0 if not given.
        regions: in reading order.
        skipped: lines and outlines that could not be used.
        has_baselines: whether the file gives at least one baseline.
        creator: the program that wrote the file, as the file says; "" if it does not.
        changed: when the file was written, likewise.
        status: of the page in Transkribus: NEW, IN_PROGRESS, DONE, FINAL or GT; "" elsewhere.
    """

    image: str
    width: int
    height: int
    regions: tuple[LayoutRegion, ...]
    skipped: tuple[Skipped, ...] = ()
    has_baselines: bool = False
    creator: str = ""
    changed: str = ""
    status: str = ""

    @property
    def lines(self) -> tuple[LayoutLine, ...]:
        return tuple(line for region in self.regions for line in region.lines)


def level_baseline(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    """Estimate the baseline of a line of writing that fills an outline."""
    left, top, right, bottom = box(polygon)
    height = top + (bottom - top) * BAND[0] / sum(BAND)
    return (left, height), (right, height)
