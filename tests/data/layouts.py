"""Makes small layout files for the tests: PAGE XML and ALTO with given lines."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

Line = tuple[str, str, str]  # baseline and polygon as "x,y x,y", text

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/"
ALTO = "http://www.loc.gov/standards/alto/ns-v"


def page_xml(
    lines: Sequence[Line],
    image: str = "page.png",
    size: tuple[int, int] = (400, 300),
    version: str = "2019-07-15",
) -> str:
    """A PAGE file of one region; ids of the lines are l0, l1, ..."""
    written = "".join(
        f'<TextLine id="l{number}"><Coords points="{polygon}"/><Baseline points="{baseline}"/>'
        f"<TextEquiv><Unicode>{escape(text)}</Unicode></TextEquiv></TextLine>"
        for number, (baseline, polygon, text) in enumerate(lines)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><PcGts xmlns="{PAGE}{version}">'
        f'<Page imageFilename={quoteattr(image)} imageWidth="{size[0]}" imageHeight="{size[1]}">'
        f'<TextRegion id="r0"><Coords points="0,0 400,0 400,300"/>{written}</TextRegion></Page></PcGts>'
    )


def alto_xml(
    lines: Sequence[Line],
    image: str = "page.png",
    size: tuple[int, int] = (400, 300),
    version: str = "4#",
    unit: str = "pixel",
) -> str:
    """An ALTO file of one block; ids of the lines are l0, l1, ..."""
    written = "".join(
        f'<TextLine ID="l{number}" BASELINE="{baseline.replace(",", " ")}">'
        f'<Shape><Polygon POINTS="{polygon.replace(",", " ")}"/></Shape>'
        f"<String CONTENT={quoteattr(text)}/></TextLine>"
        for number, (baseline, polygon, text) in enumerate(lines)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><alto xmlns="{ALTO}{version}"><Description>'
        f"<MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation><fileName>{escape(image)}</fileName>"
        f'</sourceImageInformation></Description><Layout><Page WIDTH="{size[0]}" HEIGHT="{size[1]}">'
        f'<PrintSpace><TextBlock ID="b0">{written}</TextBlock></PrintSpace></Page></Layout></alto>'
    )


def level_lines(*texts: str) -> list[Line]:
    """Level lines from x = 20 to 380, 50 pixels apart; the first has its baseline at y = 50."""
    return [
        (f"20,{y} 380,{y}", f"20,{y - 30} 380,{y - 30} 380,{y + 15} 20,{y + 15}", text)
        for y, text in zip(range(50, 50 * len(texts) + 1, 50), texts, strict=True)
    ]
