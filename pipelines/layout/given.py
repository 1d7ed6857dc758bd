"""Reads the text lines of a page and their texts from PAGE XML and ALTO files.

Supported are PAGE of 2010 to 2019 and ALTO 2 to 4, as in their schemas and as written by Transkribus and
eScriptorium. Elements are recognised by their local names in any namespace. Lines that cannot be used are
skipped and named.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from pipelines.errors import MediaError
from pipelines.layout.custom import read_tag
from pipelines.layout.lines import BAND, LineShape
from pipelines.media.files import locate, readable
from pipelines.media.xml import safe_parser
from pipelines.results import Check, Point, box

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

LARGEST = 1 << 27  # bytes of a file
MOST_POINTS = 100_000  # of one outline
FARTHEST = 1e6  # pixels
UNITS = ("pixel", "mm10", "inch1200")  # of ALTO
SOFT_HYPHEN = "\u00ad"


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


def is_layout(path: str | os.PathLike) -> bool:
    """Whether a file is PAGE XML or ALTO, by its first 64 KiB."""
    name, open_it = locate(path)
    with readable(name, open_it) as file:
        return re.search(rb"<(\w+:)?(PcGts|alto)[\s>]", file.read(65536)) is not None


def read_layout(path: str | os.PathLike) -> PageLayout:
    """Read a PAGE XML or ALTO file.

    A line without a baseline gets a level one, estimated from its outline.

    Raises:
        MediaError: the file does not exist, is damaged, too large, or neither PAGE nor ALTO; it has a
            document type or entities of its own; its units are not supported; or none of its lines can be
            used.
    """
    root = _parsed(path)
    pages = root.findall(".//{*}Page")
    if _name(root) not in ("PcGts", "alto"):
        raise MediaError(path, f"is XML, but of <{_name(root)}>", "give a PAGE XML or ALTO file")
    if len(pages) != 1:
        raise MediaError(path, f"holds {len(pages)} pages", "export each page to a file of its own")
    reader = (_Page if _name(root) == "PcGts" else _Alto)(path, root, pages[0])
    regions = tuple(reader.regions())
    if reader.faults and not any(region.lines for region in regions):
        raise reader.faults[0]
    facts = {name: (text or "").strip() for name, text in reader.facts().items()}
    size = reader.width, reader.height
    return PageLayout(reader.image(), *size, regions, tuple(reader.skipped), reader.has_baselines, **facts)


def level_baseline(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    """Estimate the baseline of a line of writing that fills an outline."""
    left, top, right, bottom = box(polygon)
    height = top + (bottom - top) * BAND[0] / sum(BAND)
    return (left, height), (right, height)


def _parsed(path: str | os.PathLike) -> Element:
    from lxml import etree

    try:
        name, open_it = locate(path)
        with readable(name, open_it) as file:
            if file.seek(0, os.SEEK_END) > LARGEST:
                cause = f"is larger than {LARGEST >> 20} MiB"
                raise MediaError(path, cause, "export each page to its own file")
            file.seek(0)
            tree = etree.parse(file, safe_parser())
    except etree.XMLSyntaxError as error:
        raise MediaError(path, f"is not well-formed XML ({error.msg})", "export it again") from error
    if tree.docinfo.internalDTD is not None:
        raise MediaError(path, "brings a document type of its own, which is not read", "remove <!DOCTYPE>")
    return tree.getroot()


class _Reader:
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


class _Page(_Reader):
    """https://www.primaresearch.org/schema/PAGE/gts/pagecontent/2019-07-15/pagecontent.xsd"""

    size_names = ("imageWidth", "imageHeight")
    id_name = "id"

    def image(self) -> str:
        return self.page.get("imageFilename") or ""

    def facts(self) -> dict[str, str | None]:
        about = {"creator": "Creator", "changed": "LastChange"}
        facts = {name: self.root.findtext(f"{{*}}Metadata/{{*}}{tag}") for name, tag in about.items()}
        kept = self.root.find("{*}Metadata/{*}TranskribusMetadata")
        return {**facts, "status": None if kept is None else kept.get("status")}

    def regions(self) -> Iterator[LayoutRegion]:
        found = (
            region
            for region in self.page.iter("{*}*")
            if _name(region) == "TextRegion"
            or (_name(region) != "Page" and region.find("{*}TextLine") is not None)
        )
        for region in self.in_order(_by_custom_order(list(found)), "id"):
            lines = self.lines(_by_custom_order(region.findall("{*}TextLine")))
            kind = _custom(region, "structure", "type") or region.get("type") or "paragraph"
            name = region.get("id") or ""
            yield LayoutRegion(lines, self.region_outline(region, f"region {name!r}"), kind, name)

    def line(self, element: Element) -> LayoutLine:
        name = element.get("id") or ""
        where = f"line {name!r}"
        baseline, polygon = self.outline(element, where, "Baseline"), self.outline(element, where)
        text = _page_text(element)
        if not (text and text.strip()):
            text = " ".join(filter(None, map(_page_text, element.findall("{*}Word"))))
        shape = self.shape(baseline, polygon, name)
        stated = element.getparent().get("readingOrientation")
        shape = replace(shape, upside_down=_is_upside_down(shape, text or "", stated))
        return LayoutLine(shape, _visible_hyphens(text), self.check(element))

    def check(self, element: Element) -> Check | None:
        found = read_tag(element.get("custom"), "checked")
        return None if found is None else _check(found.get("by"), found.get("when"))

    def outline(self, element: Element, where: str, kind: str = "Coords") -> tuple[Point, ...]:
        found = element.find(f"{{*}}{kind}")
        if found is None:
            return ()
        text = found.get("points")
        if text is None:  # PAGE of 2010: <Point x="" y=""/>
            text = " ".join(f"{point.get('x')},{point.get('y')}" for point in found.findall("{*}Point"))
        return self.points(text, where)


class _Alto(_Reader):
    """https://www.loc.gov/standards/alto/v4/alto.xsd"""

    size_names = ("WIDTH", "HEIGHT")
    id_name = "ID"

    def __init__(self, path: str | os.PathLike, root: Element, page: Element):
        super().__init__(path, root, page)
        unit = (root.findtext(".//{*}MeasurementUnit") or "pixel").strip()
        if unit not in UNITS:
            raise self.fault(f"measures in {unit!r}, not in pixels")
        if unit != "pixel" and not (self.width and self.height):
            cause = f"measures in {unit} and does not say how wide and high its page is"
            raise MediaError(path, cause, "export it in pixels, or with WIDTH and HEIGHT of its Page")
        self.labels = {tag.get("ID"): tag.get("LABEL") for tag in root.findall(".//{*}Tags/*")}
        steps = root.findall("{*}Description/{*}Processing")
        self.checks = {
            step.get("ID"): _check(
                step.findtext("{*}processingAgency"), step.findtext("{*}processingDateTime")
            )
            for step in steps
            if "contentModification" in (step.findtext("{*}processingCategory") or "")
        }

    def image(self) -> str:
        return (self.root.findtext(".//{*}sourceImageInformation/{*}fileName") or "").strip()

    def facts(self) -> dict[str, str | None]:
        step = next(iter(self.root.findall("{*}Description/{*}Processing")), self.root)
        when = step.findtext(".//{*}processingDateTime")
        return {"creator": step.findtext(".//{*}softwareName"), "changed": when}

    def regions(self) -> Iterator[LayoutRegion]:
        for block in self.in_order(self.page.iter("{*}TextBlock"), "ID"):
            name = block.get("ID") or ""
            labels = (self.labels.get(tag) for tag in (block.get("TAGREFS") or "").split())
            kind = next(filter(None, labels), None) or block.get("TYPE") or "paragraph"
            lines = self.lines(block.findall("{*}TextLine"))
            yield LayoutRegion(lines, self.region_outline(block, f"block {name!r}"), kind, name)

    def line(self, element: Element) -> LayoutLine:
        name = element.get("ID") or ""
        polygon = self.outline(element, f"line {name!r}")
        text = element.get("BASELINE") or ""
        if re.fullmatch(r"\s*[^\s,]+\s*", text) and polygon:  # until ALTO 4.1 a single height was allowed
            height, (left, _, right, _) = self.number(text, f"line {name!r}"), box(polygon)
            baseline = ((left, height), (right, height))
        else:
            baseline = self.points(text, f"line {name!r}")
        shape, text = self.shape(baseline, polygon, name), _alto_text(element)
        shape = replace(shape, upside_down=_is_upside_down(shape, text))
        return LayoutLine(shape, text, self.check(element))

    def check(self, element: Element) -> Check | None:
        """Of a line whose correction status is true, or that of what it is part of or made of.

        Who did it is a step of the file's processing.
        """
        strings = element.findall("{*}String")
        around = [element, *element.iterancestors("{*}TextBlock", "{*}PrintSpace", "{*}Page")]
        if not (any(map(_is_corrected, around)) or (strings and all(map(_is_corrected, strings)))):
            return None
        for each in (*around, *strings):
            for name in (each.get("PROCESSINGREFS") or "").split():
                if name in self.checks:
                    return self.checks[name]
        return Check("", "")

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


def _is_upside_down(shape: LineShape, text: str, stated: str | None = None) -> bool:
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


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _place(text: str | None) -> int:
    """The index attribute of an element; elements without one come first."""
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


def _check(by: str | None, when: str | None) -> Check:
    """By whom and when, as far as the file says it in the way that ours does."""
    by, when = (by or "").strip(), (when or "").strip()
    try:
        return Check(by, when)
    except ValueError:
        return Check(by, "")


def _custom(element: Element, name: str, key: str) -> str | None:
    """A value of Transkribus's custom attribute."""
    return (read_tag(element.get("custom"), name) or {}).get(key)


def _by_custom_order(elements: list[Element]) -> list[Element]:
    """Lines or regions in the reading order of Transkribus's custom attributes, if all have one."""
    places = [_place(_custom(element, "readingOrder", "index")) for element in elements]
    if -1 in places:
        return elements
    return [element for _, element in sorted(zip(places, elements, strict=True), key=lambda pair: pair[0])]


def _page_text(element: Element) -> str | None:
    """The preferred text of an element, or None."""
    texts = sorted(element.findall("{*}TextEquiv"), key=lambda text: _place(text.get("index")))
    found = (text.findtext(f"{{*}}{kind}") for text in texts[:1] for kind in ("Unicode", "PlainText"))
    return next((text for text in found if text is not None), None)


def _is_corrected(element: Element) -> bool:
    return (element.get("CS") or "").strip() in ("true", "1")


def _alto_text(line: Element) -> str:
    parts = [(_name(part), part.get("CONTENT")) for part in line if _name(part) in ("String", "SP", "HYP")]
    between = "" if any(name == "SP" for name, _ in parts) else " "
    text = ""
    for name, content in parts:
        if name == "String":
            text += (between if text else "") + (content or "")
        else:
            text += " " if name == "SP" else content or "-"
    return _visible_hyphens(text)


def _visible_hyphens(text: str) -> str:
    """Show soft hyphens as a reader sees them: a hyphen at the end of a line, nothing within it."""
    text = text.rstrip()
    return (text[:-1] + "-" if text.endswith(SOFT_HYPHEN) else text).replace(SOFT_HYPHEN, "")
