"""Reads where the text lines of a page lie, and what is written in them, from PAGE XML and ALTO files.

PAGE is read in its versions of 2013 to 2019, ALTO in 2 to 4; both as their schemas have them and as
Transkribus and eScriptorium write them. Elements are told by their names, whatever the namespace.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import MediaError
from pipelines.layout.lines import BAND, LineShape
from pipelines.media.xml import safe_parser
from pipelines.results import Point, box

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

LARGEST = 1 << 27  # bytes of a file
MOST_POINTS = 100_000  # of one outline
FARTHEST = 1e6  # pixels
INCHES = {"mm10": 254.0, "inch1200": 1200.0}  # ALTO's units in an inch


@dataclass(frozen=True)
class LayoutLine:
    """A text line and its text, "" where it has none."""

    shape: LineShape
    text: str


@dataclass(frozen=True)
class LayoutRegion:
    """Lines that belong together, in reading order.

    Attributes:
        kind: as the file names it ("paragraph", "marginalia", "MainZone", ...), else "paragraph".
        polygon: empty where the file has none.
    """

    lines: tuple[LayoutLine, ...]
    polygon: tuple[Point, ...] = ()
    kind: str = "paragraph"
    id: str = ""


@dataclass(frozen=True)
class PageLayout:
    """The layout of a page, in pixels of its image.

    Attributes:
        image: file name as the layout file has it, or "".
        width, height: of the image; 0 where the file does not say.
        regions: in reading order.
    """

    image: str
    width: int
    height: int
    regions: tuple[LayoutRegion, ...]

    @property
    def lines(self) -> tuple[LayoutLine, ...]:
        return tuple(line for region in self.regions for line in region.lines)


def is_layout(path: str | os.PathLike) -> bool:
    """Whether a file is PAGE XML or ALTO, by its first 64 KiB."""
    with open(path, "rb") as file:
        return re.search(rb"<(\w+:)?(PcGts|alto)[\s>]", file.read(65536)) is not None


def read_layout(path: str | os.PathLike, dpi: float | None = None) -> PageLayout:
    """Read a PAGE XML or ALTO file.

    A line without a baseline gets a level one, where a line of writing in its outline would have it.

    Args:
        path: of the file.
        dpi: pixels an inch of the image, for an ALTO file that measures in mm or inches.

    Raises:
        MediaError: there is no such file; it is damaged, too large, or neither PAGE nor ALTO; it brings a
            document type or entities of its own; or coordinates or units in it cannot be used.
    """
    root = _parsed(path)
    pages = root.findall(".//{*}Page")
    if _name(root) not in ("PcGts", "alto"):
        raise MediaError(path, f"is XML, but of <{_name(root)}>", "give a PAGE XML or ALTO file")
    if len(pages) != 1:
        raise MediaError(path, f"holds {len(pages)} pages", "export each page to a file of its own")
    reader = _Page(path, root, pages[0]) if _name(root) == "PcGts" else _Alto(path, root, pages[0], dpi)
    return PageLayout(reader.image(), *reader.size(), tuple(reader.regions()))


def _parsed(path: str | os.PathLike) -> Element:
    from lxml import etree

    try:
        if os.path.getsize(path) > LARGEST:
            raise MediaError(path, f"is larger than {LARGEST >> 20} MiB", "export each page to its own file")
        with open(path, "rb") as file:
            tree = etree.parse(file, safe_parser())
    except etree.XMLSyntaxError as error:
        raise MediaError(path, f"is not well-formed XML ({error.msg})", "export it again") from error
    except FileNotFoundError as error:
        raise MediaError(path, "no such file", "check the path") from error
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error})", "check the file and its permissions") from error
    if tree.docinfo.internalDTD is not None:
        raise MediaError(path, "brings a document type of its own, which is not read", "remove <!DOCTYPE>")
    return tree.getroot()


class _Reader:
    """What both formats have in common: names, numbers, and an order apart from the file's own."""

    def __init__(self, path: str | os.PathLike, root: Element, page: Element):
        self.path, self.root, self.page = path, root, page
        self.scale = 1.0

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
            number = float(text) * self.scale
        except ValueError:
            number = math.nan
        if not abs(number) <= FARTHEST:
            raise self.fault(f"{where} has the coordinate {text[:20]!r}")
        return number

    def fault(self, cause: str) -> MediaError:
        return MediaError(self.path, cause, "export it again, or mend it there")

    def length(self, name: str) -> int:
        return round(self.number(self.page.get(name) or "0", "the page"))

    def shape(self, baseline: tuple[Point, ...], polygon: tuple[Point, ...], name: str) -> LineShape:
        if len(set(polygon)) < 3:
            polygon = ()
        if len(set(baseline)) < 2:
            if not polygon:
                raise self.fault(f"line {name!r} has neither a baseline nor an outline")
            left, top, right, bottom = box(polygon)
            height = top + (bottom - top) * BAND[0] / sum(BAND)
            baseline = ((left, height), (right, height))
        return LineShape(baseline, polygon, name)

    def in_order(self, regions: Iterable[Element], name: str) -> list[Element]:
        """By the file's reading order, where it has one; what that leaves out comes last."""
        ranks: dict[str, int] = {}
        for place, reference in enumerate(_references(self.root)):
            ranks.setdefault(reference, place)

        def rank(region: Element) -> int:
            while region is not None and region.get(name) not in ranks:
                region = region.getparent()
            return len(ranks) if region is None else ranks[region.get(name)]

        return sorted(regions, key=rank)


class _Page(_Reader):
    """https://www.primaresearch.org/schema/PAGE/gts/pagecontent/2019-07-15/pagecontent.xsd"""

    def image(self) -> str:
        return self.page.get("imageFilename") or ""

    def size(self) -> tuple[int, int]:
        return self.length("imageWidth"), self.length("imageHeight")

    def regions(self) -> Iterator[LayoutRegion]:
        found = (
            region
            for region in self.page.iter("{*}*")
            if _name(region) == "TextRegion"
            or (_name(region) != "Page" and region.find("{*}TextLine") is not None)
        )
        for region in self.in_order(found, "id"):
            lines = _by_custom_order(region.findall("{*}TextLine"))
            kind = _custom(region, "structure", "type") or region.get("type") or "paragraph"
            name = region.get("id") or ""
            polygon = self.outline(region, "Coords", f"region {name!r}")
            yield LayoutRegion(tuple(map(self.line, lines)), polygon, kind, name)

    def line(self, line: Element) -> LayoutLine:
        name = line.get("id") or ""
        baseline, polygon = (self.outline(line, kind, f"line {name!r}") for kind in ("Baseline", "Coords"))
        text = _page_text(line)
        if text is None:
            text = " ".join(filter(None, map(_page_text, line.findall("{*}Word"))))
        return LayoutLine(self.shape(baseline, polygon, name), text)

    def outline(self, element: Element, kind: str, where: str) -> tuple[Point, ...]:
        found = element.find(f"{{*}}{kind}")
        return () if found is None else self.points(found.get("points"), where)


class _Alto(_Reader):
    """https://www.loc.gov/standards/alto/v4/alto.xsd"""

    def __init__(self, path: str | os.PathLike, root: Element, page: Element, dpi: float | None):
        super().__init__(path, root, page)
        unit = (root.findtext(".//{*}MeasurementUnit") or "pixel").strip()
        if unit != "pixel":
            if unit not in INCHES:
                raise self.fault(f"measures in {unit!r}, not in pixels")
            if dpi is None:
                cause = f"measures in {unit}, not in pixels, and does not say at what resolution"
                raise MediaError(path, cause, "export it in pixels, or give dpi")
            self.scale = dpi / INCHES[unit]
        self.labels = {tag.get("ID"): tag.get("LABEL") for tag in root.findall(".//{*}Tags/*")}

    def image(self) -> str:
        return (self.root.findtext(".//{*}sourceImageInformation/{*}fileName") or "").strip()

    def size(self) -> tuple[int, int]:
        return self.length("WIDTH"), self.length("HEIGHT")

    def regions(self) -> Iterator[LayoutRegion]:
        for block in self.in_order(self.page.iter("{*}TextBlock"), "ID"):
            name = block.get("ID") or ""
            labels = (self.labels.get(tag) for tag in (block.get("TAGREFS") or "").split())
            kind = next(filter(None, labels), None) or block.get("TYPE") or "paragraph"
            lines = tuple(map(self.line, block.findall("{*}TextLine")))
            yield LayoutRegion(lines, self.outline(block, f"block {name!r}"), kind, name)

    def line(self, line: Element) -> LayoutLine:
        name = line.get("ID") or ""
        polygon = self.outline(line, f"line {name!r}")
        text = line.get("BASELINE") or ""
        if re.fullmatch(r"\s*[^\s,]+\s*", text) and polygon:  # until ALTO 4.1 a single height was allowed
            height, (left, _, right, _) = self.number(text, f"line {name!r}"), box(polygon)
            baseline = ((left, height), (right, height))
        else:
            baseline = self.points(text, f"line {name!r}")
        return LayoutLine(self.shape(baseline, polygon, name), _alto_text(line))

    def outline(self, element: Element, where: str) -> tuple[Point, ...]:
        polygon = element.find("{*}Shape/{*}Polygon")
        if polygon is not None:
            return self.points(polygon.get("POINTS"), where)
        sides = [element.get(side) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
        if None in sides:
            return ()
        left, top, width, height = (self.number(side, where) for side in sides)
        right, bottom = left + width, top + height
        return (left, top), (right, top), (right, bottom), (left, bottom)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _place(text: str | None) -> int:
    """An index attribute; what has none comes first."""
    return int(text) if re.fullmatch(r"\s*\d{1,9}\s*", text or "") else -1


def _references(root: Element) -> Iterator[str]:
    """Ids in reading order. Not recursive, because files may nest deeper than Python's stack."""
    waiting = root.findall(".//{*}ReadingOrder")[:1]
    while waiting:
        group = waiting.pop()
        if reference := group.get("regionRef") or group.get("REF"):
            yield reference
        inner = [child for child in group if re.search(r"Group|Ref", _name(child))]
        waiting += sorted(inner, key=lambda child: _place(child.get("index")))[::-1]


def _custom(element: Element, name: str, key: str) -> str | None:
    """A value of Transkribus's own attribute: custom="readingOrder {index:0;} structure {type:heading;}"."""
    found = re.search(rf"\b{name}\s*{{[^}}]*\b{key}:([^;}}]*)", element.get("custom") or "")
    return found[1].strip() if found else None


def _by_custom_order(lines: list[Element]) -> list[Element]:
    places = [_place(_custom(line, "readingOrder", "index")) for line in lines]
    if -1 in places:
        return lines
    return [line for _, line in sorted(zip(places, lines, strict=True), key=lambda pair: pair[0])]


def _page_text(element: Element) -> str | None:
    """The text that its file prefers, None where there is none."""
    texts = sorted(element.findall("{*}TextEquiv"), key=lambda text: _place(text.get("index")))
    found = (text.findtext(f"{{*}}{kind}") for text in texts[:1] for kind in ("Unicode", "PlainText"))
    return next((text for text in found if text is not None), None)


def _alto_text(line: Element) -> str:
    parts = [(_name(part), part.get("CONTENT")) for part in line if _name(part) in ("String", "SP", "HYP")]
    between = "" if any(name == "SP" for name, _ in parts) else " "
    text = ""
    for name, content in parts:
        if name == "String":
            text += (between if text else "") + (content or "")
        else:
            text += " " if name == "SP" else content or "-"
    return text
