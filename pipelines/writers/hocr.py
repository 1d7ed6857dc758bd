"""hOCR: text as HTML, with positions and confidences."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import linear_regression
from typing import ClassVar, TextIO

from pipelines.results import Glyph, Page, TextLine, WrittenWord
from pipelines.writers.elements import add, as_text, root
from pipelines.writers.outlines import (
    Ids,
    Outline,
    Sheet,
    bounds,
    flat,
    is_right_to_left,
    name_of,
    probability,
    software,
    text_for_xml,
)

CAPABILITIES = (
    "ocr_page", "ocr_carea", "ocr_par", "ocr_line", "ocrx_word", "ocrx_cinfo",
    "ocrp_dir", "ocrp_poly", "ocrp_wconf",
)  # fmt: skip

Bounds = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class HOCR:
    """hOCR 1.2 as XHTML. Each region becomes an area with one paragraph.

    A box holds the boxes of its parts. Coordinates are whole pixels within the page, as in PAGE.
    Confidences are percentages, also of lines. A baseline is given as slope and offset in pixels from the
    lower left corner of the line's box.

    Source: T. Breuel, K. Baierer: hOCR, OCR Workflow and Output embedded in HTML,
    http://kba.github.io/hocr-spec/1.2.
    """

    extension: ClassVar[str] = "hocr"

    def write(self, page: Page, file: TextIO) -> None:
        sheet, ids, image = Sheet.of(page), Ids(page), name_of(page)
        tree = root("html", "http://www.w3.org/1999/xhtml")
        head = add(tree, "head")
        add(head, "meta", charset="utf-8")
        add(head, "title", image)
        for name, content in {
            "ocr-system": f"{software()}, model {page.model}",
            "ocr-capabilities": " ".join(CAPABILITIES),
            "ocr-number-of-pages": "1",
        }.items():
            add(head, "meta", name=name, content=text_for_xml(content))
        size = f"bbox 0 0 {round(page.width)} {round(page.height)}"
        quoted = image.replace('"', "'")
        title = f'image "{quoted}"; {size}; ppageno {(page.number or 1) - 1}'
        body = _marked(add(tree, "body"), "div", "ocr_page", title, ids.take("", "page"))
        for index, region in enumerate(page.regions, 1):
            name, outline = ids.take(region.id, f"r{index}"), sheet.region(region)
            lines = [sheet.line(line, outline) for line in region.lines]
            boxes = [_line_box(line, around, sheet) for line, around in zip(region.lines, lines, strict=True)]
            place = _place(outline, _around([bounds(outline), *boxes]))
            area = _marked(body, "div", "ocr_carea", place, name)
            area.set("data-kind", text_for_xml(region.kind))
            paragraph = _marked(area, "p", "ocr_par", place, ids.take("", f"{name}_p"))
            if is_right_to_left("".join(line.text for line in region.lines)):
                paragraph.set("dir", "rtl")  # or else a browser would show its lines in the opposite order
            for number, (line, around, box) in enumerate(zip(region.lines, lines, boxes, strict=True), 1):
                title = [
                    _place(around, box),
                    *_slope(sheet.path(line.baseline), box),
                    _percent("x_wconf", line),
                ]
                line_name = ids.take(line.id, f"{name}_l{number}")
                element = _marked(paragraph, "span", "ocr_line", "; ".join(title), line_name)
                self._fill_line(element, line, around, sheet, ids)
        file.write(as_text(tree, "<!DOCTYPE html>", pretty=False) + "\n")

    def _fill_line(self, element, line: TextLine, outline: Outline, sheet: Sheet, ids: Ids) -> None:
        if is_right_to_left(line.text):
            element.set("dir", "rtl")
        if not line.words:
            element.text = text_for_xml(line.text)
        for number, word in enumerate(line.words, 1):
            around = sheet.word(word, outline)
            place = _place(around, _word_box(word, around, sheet))
            title = f"{place}; {_percent('x_wconf', word)}"
            name = ids.take("", f"{element.get('id')}_w{number}")
            after = " " if number < len(line.words) else ""
            placed = _marked(element, "span", "ocrx_word", title, name, after)
            if "".join(glyph.text for glyph in word.glyphs) != word.text:
                placed.text = text_for_xml(word.text)
                continue
            for glyph in word.glyphs:
                box = " ".join(map(str, bounds(sheet.glyph(glyph, around))))
                title = f"x_bboxes {box}; {_percent('x_confs', glyph)}"
                sign = _marked(placed, "span", "ocrx_cinfo", title, after="")
                sign.text = text_for_xml(glyph.text)


def _marked(parent, tag: str, kind: str, title: str, name: str | None = None, after: str = "\n"):
    """Add an hOCR element, followed by `after`: white space within a line is text."""
    names = {} if name is None else {"id": name}
    element = add(parent, tag, "", **{"class": kind}, **names, title=title)
    element.tail = after
    return element


def _place(outline: Outline, box: Bounds) -> str:
    return f"bbox {' '.join(map(str, box))}; poly {flat(outline)}"


def _line_box(line: TextLine, outline: Outline, sheet: Sheet) -> Bounds:
    """The box of a line and its words, which may reach beyond its outline."""
    words = [_word_box(word, sheet.word(word, outline), sheet) for word in line.words]
    return _around([bounds(outline), *words])


def _word_box(word: WrittenWord, outline: Outline, sheet: Sheet) -> Bounds:
    """The box of a word and its glyphs."""
    return _around([bounds(outline), *(bounds(sheet.glyph(glyph, outline)) for glyph in word.glyphs)])


def _around(boxes: list[Bounds]) -> Bounds:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _percent(name: str, unit: TextLine | WrittenWord | Glyph) -> str:
    return f"{name} {100 * float(probability(unit.confidence)):.2f}"


def _slope(baseline: Outline, box: Bounds) -> list[str]:
    """Straight line fitted to a baseline; none for a vertical one."""
    left, _, _, bottom = box
    across = [x - left for x, _ in baseline]
    if len(set(across)) < 2:
        return []
    slope, offset = linear_regression(across, [y - bottom for _, y in baseline])
    return [f"baseline {slope:.5f} {offset:.2f}"]


FORMATS = {"hocr": HOCR, "html": HOCR}
