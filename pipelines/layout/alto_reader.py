"""Reads ALTO 2 to 4, also as Transkribus and eScriptorium write it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.errors import MediaError
from pipelines.layout.layout_reader import (
    LayoutReader,
    check_of,
    is_upside_down,
    local_name,
    visible_hyphens,
)
from pipelines.layout.page_layout import LayoutLine, LayoutRegion
from pipelines.results import Check, Point, box

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

UNITS = ("pixel", "mm10", "inch1200")


class AltoReader(LayoutReader):
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
            step.get("ID"): check_of(
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
        shape = replace(shape, upside_down=is_upside_down(shape, text))
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


def _is_corrected(element: Element) -> bool:
    return (element.get("CS") or "").strip() in ("true", "1")


def _alto_text(line: Element) -> str:
    parts = [
        (local_name(part), part.get("CONTENT"))
        for part in line
        if local_name(part) in ("String", "SP", "HYP")
    ]
    between = "" if any(name == "SP" for name, _ in parts) else " "
    text = ""
    for name, content in parts:
        if name == "String":
            text += (between if text else "") + (content or "")
        else:
            text += " " if name == "SP" else content or "-"
    return visible_hyphens(text)
