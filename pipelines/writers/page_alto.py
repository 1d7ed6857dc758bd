"""Layout formats of written pages as XML: PAGE and ALTO.

All coordinates are whole pixels within the page; ink is moved there, its own unit for a pixel. Where a
result leaves out a place, the rectangle around its parts stands for it, or else the place of what it is
part of. Text is in logical order. Confidences are probabilities to four decimals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from statistics import fmean
from typing import ClassVar, TextIO

from pipelines.layout.custom import tag
from pipelines.results import Check, Page, TextLine, TextRegion, WrittenWord
from pipelines.writers.elements import add, as_text, root
from pipelines.writers.outlines import (
    Ids,
    Outline,
    Sheet,
    bounds,
    flat,
    is_right_to_left,
    path_of,
    probability,
    software,
    text_for_xml,
)

PAGE_SPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO_SPACE = "http://www.loc.gov/standards/alto/ns-v4#"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'

PAGE_KINDS = (
    "paragraph", "heading", "caption", "header", "footer", "page-number", "drop-capital", "credit",
    "floating", "signature-mark", "catch-word", "marginalia", "footnote", "footnote-continued", "endnote",
    "TOC-entry", "list-label", "other",
)  # fmt: skip
"""What PAGE lets a text region be."""


@dataclass(frozen=True)
class PAGE:
    """PAGE XML of 2019-07-15, with the words and glyphs of each line.

    Kinds of regions that PAGE does not know are "other". As for Transkribus and eScriptorium, `custom`
    holds every kind as it is, and the reading order; for ink it holds the points that made a character:
    `strokes {spans:0/3-17 1/0-5;}` is points 3 to 17 of stroke 0 and 0 to 5 of stroke 1.
    A region's confidence is the mean of its lines'. A line with alternatives has a text for each, the first
    of index 0, and their probabilities for confidences. A line that was checked has the text alone, of
    confidence 1, and `custom` says by whom and when: `checked {by:Anna; when:2026-11-28T19\\u003a45...;}`.

    Source: S. Pletschacher, A. Antonacopoulos: The PAGE (Page Analysis and Ground-Truth Elements) Format
    Framework, ICPR 2010; the schema at the address that is its name space.
    """

    extension: ClassVar[str] = "xml"

    def write(self, page: Page, file: TextIO) -> None:
        sheet, ids = Sheet.of(page), Ids(page)
        tree = root("PcGts", PAGE_SPACE, f"{PAGE_SPACE}/pagecontent.xsd")
        metadata = add(tree, "Metadata")
        add(metadata, "Creator", text_for_xml(f"{software()}, model {page.model}"))
        add(metadata, "Created", _now())
        add(metadata, "LastChange", _now())
        width, height = _size(page)
        body = add(tree, "Page", imageFilename=path_of(page, file), imageWidth=width, imageHeight=height)
        if page.number is not None:
            body.set("custom", f"page {{number:{page.number};}}")
        names = [ids.take(region.id, f"r{number}") for number, region in enumerate(page.regions, 1)]
        if names:
            order = add(add(body, "ReadingOrder"), "OrderedGroup", id=ids.take("", "order"))
        for index, name in enumerate(names):
            add(order, "RegionRefIndexed", index=str(index), regionRef=name)
        for index, (region, name) in enumerate(zip(page.regions, names, strict=True)):
            self._add_region(body, region, name, index, sheet, ids)
        file.write(as_text(tree, HEAD, pretty=True))

    def _add_region(self, body, region: TextRegion, name: str, index: int, sheet: Sheet, ids: Ids) -> None:
        kind = region.kind if region.kind in PAGE_KINDS else "other"
        custom = f"{_order(index)} structure {{type:{_css(region.kind)};}}"
        outline = sheet.region(region)
        element = _placed(body, "TextRegion", outline, id=name, type=kind, custom=custom)
        if region.lines and all(map(_is_upside_down, region.lines)):
            element.set("readingOrientation", "180.0")
        for number, line in enumerate(region.lines):
            around, line_name = sheet.line(line, outline), ids.take(line.id, f"{name}_l{number + 1}")
            custom = " ".join([_order(number), *_checked(line.checked)])
            placed = _placed(element, "TextLine", around, id=line_name, custom=custom)
            self._fill_line(placed, line, around, sheet, ids)
        if region.lines:
            text = "\n".join(text_for_xml(line.text) for line in region.lines)
            _say(element, text, fmean(map(_confidence, region.lines)))

    def _fill_line(self, element, line: TextLine, outline: Outline, sheet: Sheet, ids: Ids) -> None:
        name, baseline = element.get("id"), sheet.path(line.baseline)
        if is_right_to_left(line.text):
            element.set("readingDirection", "right-to-left")
        if baseline:
            add(element, "Baseline", points=_pairs(baseline))
        for number, word in enumerate(line.words, 1):
            around = sheet.word(word, outline)
            placed = _placed(element, "Word", around, id=ids.take("", f"{name}_w{number}"))
            for place, glyph in enumerate(word.glyphs, 1):
                own, glyph_name = sheet.glyph(glyph, around), ids.take("", f"{placed.get('id')}_g{place}")
                sign = _placed(placed, "Glyph", own, id=glyph_name)
                if glyph.strokes:
                    spans = " ".join(f"{span.stroke}/{span.first}-{span.last}" for span in glyph.strokes)
                    sign.set("custom", f"strokes {{spans:{spans};}}")
                _say(sign, text_for_xml(glyph.text), glyph.confidence)
            _say(placed, text_for_xml(word.text), word.confidence)
        if line.alternatives and line.checked is None:
            for index, (text, share) in enumerate(line.alternatives):
                _say(element, text_for_xml(text), share, index)
        else:
            _say(element, text_for_xml(line.text), _confidence(line))


@dataclass(frozen=True)
class ALTO:
    """ALTO 4.4, with the words and glyphs of each line; kinds of regions are tags, as in eScriptorium.

    ALTO's glyphs are single code points: a character of several becomes several, alike but for their text.
    The correction status `CS` of a line that was checked is true; by whom and when is a processing step, to
    which the line refers.

    Source: the Library of Congress, https://www.loc.gov/standards/alto.
    """

    extension: ClassVar[str] = "alto.xml"

    def write(self, page: Page, file: TextIO) -> None:
        sheet, ids = Sheet.of(page), Ids(page)
        schema = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
        tree = root("alto", ALTO_SPACE, schema, SCHEMAVERSION="4.4")
        steps = self._describe(tree, page, ids, file)
        kinds = dict.fromkeys(text_for_xml(region.kind) for region in page.regions)
        tags = {kind: ids.take("", f"BT{number}") for number, kind in enumerate(kinds, 1)}
        listed = add(tree, "Tags")
        for kind, name in tags.items():
            add(listed, "OtherTag", ID=name, LABEL=kind, DESCRIPTION=f"block type {kind}")
        width, height = _size(page)
        size = {"WIDTH": width, "HEIGHT": height}
        body = add(add(tree, "Layout"), "Page", ID=ids.take("", "page"), **size)
        body.set("PHYSICAL_IMG_NR", str(page.number or 1))
        space = add(body, "PrintSpace", HPOS="0", VPOS="0", **size)
        for index, region in enumerate(page.regions, 1):
            name, outline = ids.take(region.id, f"r{index}"), sheet.region(region)
            block = _shaped(space, "TextBlock", outline, ID=name, TAGREFS=tags[text_for_xml(region.kind)])
            for number, line in enumerate(region.lines, 1):
                around = sheet.line(line, outline)
                element = _shaped(block, "TextLine", around, ID=ids.take(line.id, f"{name}_l{number}"))
                if line.checked is not None:
                    element.set("CS", "true")
                    element.set("PROCESSINGREFS", steps[line.checked])
                self._fill_line(element, line, around, sheet, ids)
        file.write(as_text(tree, HEAD, pretty=True))

    def _describe(self, tree, page: Page, ids: Ids, file: TextIO) -> dict[Check, str]:
        """What was done to the page; returns the ids of the steps in which lines were checked."""
        description = add(tree, "Description")
        add(description, "MeasurementUnit", "pixel")
        add(add(description, "sourceImageInformation"), "fileName", path_of(page, file))
        step = add(description, "Processing", ID=ids.take("", "recognition"))
        add(step, "processingCategory", "contentGeneration")
        add(step, "processingDateTime", _now())
        add(step, "processingStepDescription", "text recognition")
        add(step, "processingStepSettings", text_for_xml(f"model {page.model}"))
        name, version = software().split()
        program = add(step, "processingSoftware")
        add(program, "softwareName", name)
        add(program, "softwareVersion", version)
        checks = dict.fromkeys(line.checked for line in page.lines if line.checked is not None)
        names = {check: ids.take("", f"check{number}") for number, check in enumerate(checks, 1)}
        for check, name in names.items():
            step = add(description, "Processing", ID=name)
            add(step, "processingCategory", "contentModification")
            if check.when:
                add(step, "processingDateTime", check.when)
            add(step, "processingAgency", text_for_xml(check.by))
            add(step, "processingStepDescription", "text checked by a person")
        return names

    def _fill_line(self, element, line: TextLine, outline: Outline, sheet: Sheet, ids: Ids) -> None:
        name, baseline = element.get("ID"), sheet.path(line.baseline)
        if baseline:
            element.set("BASELINE", flat(baseline))
        if is_right_to_left(line.text):
            element.set("BASEDIRECTION", "rtl")
        # A line has at least one string.
        words = line.words or (WrittenWord(line.text, _confidence(line), line.polygon),)
        outlines = [sheet.word(word, outline) for word in words]
        for number, (word, around, after) in enumerate(zip_longest(words, outlines, outlines[1:]), 1):
            content, share = text_for_xml(word.text), probability(word.confidence)
            word_name = ids.take("", f"{name}_w{number}")
            string = _shaped(element, "String", around, ID=word_name, CONTENT=content, WC=share)
            for glyph in word.glyphs:
                own, share = sheet.glyph(glyph, around), probability(glyph.confidence)
                for sign in text_for_xml(glyph.text):
                    glyph_name = ids.take("", f"{word_name}_g{len(string)}")
                    _shaped(string, "Glyph", own, ID=glyph_name, CONTENT=sign, GC=share)
            if after:
                add(element, "SP", **_box(_between(around, after)))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _size(page: Page) -> tuple[str, str]:
    return str(round(page.width)), str(round(page.height))


def _is_upside_down(line: TextLine) -> bool:
    """Whether a line runs from right to left with its outline below it, and is not written like that."""
    if len(line.baseline) < 2 or not line.polygon or is_right_to_left(line.text):
        return False
    (left, top), (right, bottom) = line.baseline[0], line.baseline[-1]
    below = fmean(y for _, y in line.polygon) > fmean(y for _, y in line.baseline)
    return below and right - left < -abs(bottom - top)


def _order(index: int) -> str:
    return f"readingOrder {{index:{index};}}"


def _checked(check: Check | None) -> list[str]:
    """The tag of `custom` that says by whom and when a line was checked, if it was."""
    return [] if check is None else [tag("checked", by=text_for_xml(check.by), when=check.when)]


def _confidence(line: TextLine) -> float:
    return line.confidence if line.checked is None else 1.0


def _css(value: str) -> str:
    """A value of `custom`, with the marks of its syntax written as Transkribus does."""
    return text_for_xml(value).translate({ord(mark): f"\\u{ord(mark):04x}" for mark in "\\;{}"})


def _placed(parent, tag: str, outline: Outline, **attributes: str):
    """An element of PAGE with its outline."""
    element = add(parent, tag, **attributes)
    add(element, "Coords", points=_pairs(outline))
    return element


def _say(element, text: str, confidence: float, index: int | None = None) -> None:
    rank = {} if index is None else {"index": str(index)}
    add(add(element, "TextEquiv", **rank, conf=probability(confidence)), "Unicode", text)


def _shaped(parent, tag: str, outline: Outline, **attributes: str):
    """An element of ALTO with its box and outline."""
    element = add(parent, tag, **attributes, **_box(bounds(outline)))
    add(add(element, "Shape"), "Polygon", POINTS=flat(outline))
    return element


def _box(box: tuple[int, int, int, int]) -> dict[str, str]:
    left, top, right, bottom = box
    sides = {"HPOS": left, "VPOS": top, "WIDTH": right - left, "HEIGHT": bottom - top}
    return {name: str(length) for name, length in sides.items()}


def _between(one: Outline, other: Outline) -> tuple[int, int, int, int]:
    """The box of the space between two words, whichever is to the left; of no width if they touch."""
    (left, top, right, bottom), (left2, top2, right2, bottom2) = bounds(one), bounds(other)
    start = min(right, right2)
    return start, min(top, top2), max(start, left, left2), max(bottom, bottom2)


def _pairs(points: Iterable[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


FORMATS = {"page": PAGE, "xml": PAGE, "page.xml": PAGE, "alto": ALTO, "alto.xml": ALTO}
