"""Reads PAGE XML of 2010 to 2019, also as Transkribus and eScriptorium write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.layout.custom import read_tag
from pipelines.layout.layout_reader import (
    LayoutReader,
    check_of,
    is_upside_down,
    local_name,
    place_of,
    visible_hyphens,
)
from pipelines.layout.page_layout import LayoutLine, LayoutRegion
from pipelines.results import Check, Point

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


class PageReader(LayoutReader):
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
            if local_name(region) == "TextRegion"
            or (local_name(region) != "Page" and region.find("{*}TextLine") is not None)
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
        shape = replace(shape, upside_down=is_upside_down(shape, text or "", stated))
        return LayoutLine(shape, visible_hyphens(text), self.check(element))

    def check(self, element: Element) -> Check | None:
        found = read_tag(element.get("custom"), "checked")
        return None if found is None else check_of(found.get("by"), found.get("when"))

    def outline(self, element: Element, where: str, kind: str = "Coords") -> tuple[Point, ...]:
        found = element.find(f"{{*}}{kind}")
        if found is None:
            return ()
        text = found.get("points")
        if text is None:  # PAGE of 2010: <Point x="" y=""/>
            text = " ".join(f"{point.get('x')},{point.get('y')}" for point in found.findall("{*}Point"))
        return self.points(text, where)


def _custom(element: Element, name: str, key: str) -> str | None:
    """A value of Transkribus's custom attribute."""
    return (read_tag(element.get("custom"), name) or {}).get(key)


def _by_custom_order(elements: list[Element]) -> list[Element]:
    """Lines or regions in the reading order of Transkribus's custom attributes, if all have one."""
    places = [place_of(_custom(element, "readingOrder", "index")) for element in elements]
    if -1 in places:
        return elements
    return [element for _, element in sorted(zip(places, elements, strict=True), key=lambda pair: pair[0])]


def _page_text(element: Element) -> str | None:
    """The preferred text of an element, or None."""
    texts = sorted(element.findall("{*}TextEquiv"), key=lambda text: place_of(text.get("index")))
    found = (text.findtext(f"{{*}}{kind}") for text in texts[:1] for kind in ("Unicode", "PlainText"))
    return next((text for text in found if text is not None), None)
