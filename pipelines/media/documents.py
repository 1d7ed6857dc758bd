"""Pages of PDF documents and of TIFF files, each of which `read_image` reads like an image of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, ClassVar, Protocol

import numpy as np

from pipelines.errors import MediaError
from pipelines.media import pdf_size
from pipelines.media.files import Opener, locate, readable
from pipelines.media.images import (
    Picture,
    Source,
    check_size,
    damage_named,
    open_image,
    orientation,
    pixels_of,
    resolution,
    tiff_pages,
)

PDF_DPI = 300.0  # of a PDF page that does not say by its images what resolution it has
ENOUGH = 4000  # pixels of a page's longer side; where 300 dpi give more, a finer scan is not read any better
LARGEST_PDF_PAGE = 150e6  # pixels: more than A0 at 300 dpi


@dataclass(frozen=True)
class PdfPage:
    """A page of a PDF that is rendered when it is read.

    Attributes:
        name: name of the document.
        number: page number, from 1.
        dpi: resolution of the rendering, pixels per inch; None is that of its images, or else 300.
        open: opens the file of the document.
        unit: what the page's lengths are multiples of, in 1/72 inch (UserUnit).
    """

    kind: ClassVar[str] = "image"

    name: str
    number: int
    dpi: float | None
    open: Opener
    unit: float = 1.0

    def picture(self, colour: bool = False) -> Picture:
        """Render it.

        Raises:
            MediaError: the page is damaged, or too large at this resolution.
        """
        import pypdfium2

        with readable(self.name, self.open) as file, _document(file, self.name) as document:
            try:
                sheet = document[self.number - 1]
                inches = [side * self.unit / 72 for side in sheet.get_size()]
                dpi = self.dpi or self._resolution(sheet, inches)
            except (pypdfium2.PdfiumError, IndexError) as error:
                raise MediaError(self.name, f"page {self.number} is damaged", "make the PDF again") from error
            pixels = inches[0] * inches[1] * dpi**2
            if pixels > LARGEST_PDF_PAGE * 1.001:
                size = f"{inches[0] * 2.54:.0f} x {inches[1] * 2.54:.0f} cm"
                cause = f"page {self.number} is {size} large, {pixels / 1e6:.0f} megapixels at {dpi:g} dpi"
                raise MediaError(self.name, cause, "give a lower dpi")
            # A page that is 3800.0003 pixels wide has 3800.
            scale = dpi * self.unit / 72 * (1 - 1e-6)
            bitmap = sheet.render(scale=scale, grayscale=not colour, rev_byteorder=True)
            drawn = bitmap.to_numpy().reshape(bitmap.height, bitmap.width, -1)
            shown = np.array(drawn[..., :3] if colour else drawn[..., 0])
            return Picture(shown, self.name, self.number, dpi=dpi)

    def _resolution(self, sheet, inches: list[float]) -> float:
        """That of the images, at least 300 dpi where something is beside them, within what is useful."""
        found, alone = pdf_size.resolution(sheet)
        dpi = found / self.unit
        dpi = dpi if dpi and alone else max(dpi, PDF_DPI)
        dpi = min(dpi, max(PDF_DPI, ENOUGH / max(inches)))
        return min(dpi, (LARGEST_PDF_PAGE / (inches[0] * inches[1])) ** 0.5)


@dataclass(frozen=True)
class TiffPage:
    """A page of a TIFF file of several.

    Attributes:
        name: name of the file.
        number: page number, from 1.
        index: of its image in the file, from 0; images of reduced size and masks are no pages.
        open: opens the file.
    """

    kind: ClassVar[str] = "image"

    name: str
    number: int
    index: int
    open: Opener

    def picture(self, colour: bool = False) -> Picture:
        """Read it.

        Raises:
            MediaError: the page is damaged or too large.
        """
        name = self.name
        with readable(name, self.open) as file, open_image(file, name) as image, damage_named(name):
            image.seek(self.index)
            check_size(image, name)
            stored, turn = image.size, orientation(image)
            return Picture(pixels_of(image, name, colour), name, self.number, stored, turn, resolution(image))


class PageOptions(Protocol):
    """Options for opening documents; see `RecognitionOptions`."""

    pages: str | None
    dpi: float | None


def open_pages(source: Source, kind: str, options: PageOptions) -> list:
    """The pages of a PDF or TIFF, or the one image that a source is; opener of the tasks for pages."""
    if kind == "PDF document":
        return list(pdf_pages(source, options.pages, options.dpi))
    return multipage_tiff(source, options.pages) if kind == "image of several pages" else [source]


def multipage_tiff(source: str | os.PathLike | BinaryIO, pages: str | None = None) -> list[TiffPage]:
    """The pages of a TIFF, for `read_image` to read one by one.

    Args:
        source: a path or a binary file object, which must stay open.
        pages: as in `pdf_pages`.

    Raises:
        ValueError: `pages` is malformed.
        MediaError: the file does not exist, is not a TIFF, is damaged, or lacks such a page.
    """
    name, open_it = locate(source)
    with readable(name, open_it) as file, open_image(file, name) as image:
        indices = tiff_pages(image, name)
    numbers = _chosen(pages, len(indices), name)
    return [TiffPage(name, number, indices[number - 1], open_it) for number in numbers]


def pdf_pages(
    source: str | os.PathLike | BinaryIO, pages: str | None = None, dpi: float | None = None
) -> list[PdfPage]:
    """The pages of a PDF, for `read_image` to render one by one.

    Args:
        source: a path or a binary file object, which must stay open.
        pages: numbers and ranges from 1, such as "2-5,7,12-"; None for all.
        dpi: resolution of the rendering, pixels per inch; None is that of the images where a page consists
            of them, or else 300, or what a page of 150 megapixels allows.

    Raises:
        ValueError: `pages` is malformed, or `dpi` is not above 0.
        MediaError: the file does not exist, is not a PDF, is damaged or encrypted, or lacks such a page.
    """
    if dpi is not None and not 0 < dpi < float("inf"):
        raise ValueError(f"dpi must be above 0, not {dpi}")
    page_ranges(pages)
    name, open_it = locate(source)
    with readable(name, open_it) as file, _document(file, name) as document:
        count = len(document)
        if not count:
            raise MediaError(name, "has no pages", "check how it was made")
        units = pdf_size.units(file, document)
    return [
        PdfPage(name, number, dpi, open_it, units.get(number, 1.0)) for number in _chosen(pages, count, name)
    ]


def page_of(source: str | os.PathLike | BinaryIO, number: int | None, dpi: float | None = None) -> Source:
    """One page of a PDF or TIFF, or the image that a source is."""
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        is_pdf = b"%PDF-" in file.read(1024)
    pages = str(number or 1)
    if is_pdf:
        return pdf_pages(source, pages, dpi)[0]
    return source if number is None else multipage_tiff(source, pages)[0]


def page_ranges(pages: str | None) -> list[tuple[int, int | None]]:
    """First and last page of each range; the last is None for an open range."""
    if pages is None:
        return [(1, None)]
    ranges = []
    for part in str(pages).split(","):
        match = re.fullmatch(r"\s*(\d+)\s*(?:(-)\s*(\d*)\s*)?", part, re.ASCII)
        first = int(match[1]) if match else 0
        last = (int(match[3]) if match[3] else None) if match and match[2] else first
        if first < 1 or (last is not None and last < first):
            raise ValueError(f'pages are numbers and ranges from 1, such as "2-5,7", not {pages!r}')
        ranges.append((first, last))
    return ranges


def _chosen(pages: str | None, count: int, name: str) -> Iterator[int]:
    """The numbers that `pages` stands for, each once."""
    numbers: list[int] = []
    for first, last in page_ranges(pages):
        if max(first, last or first) > count:
            cause = f"has {count} page{'s' * (count > 1)}, not {last or first}"
            raise MediaError(name, cause, "give pages that it has")
        numbers += range(first, (last or count) + 1)
    return iter(dict.fromkeys(numbers))


def _document(file: BinaryIO, name: str):
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        # PDFium may give the error of the file before.
        if "password" in str(error).lower() and _holds(file, b"/Encrypt"):
            raise MediaError(name, "is encrypted", "save a copy of it without a password") from error
        cause = "is damaged or not a PDF document, or has no pages"
        raise MediaError(name, cause, "get a whole copy of it") from error


def _holds(file: BinaryIO, word: bytes) -> bool:
    """Whether a word stands anywhere in a file, the trailer of a PDF for instance."""
    file.seek(0)
    tail = b""
    while block := file.read(1 << 20):
        if word in tail + block:
            return True
        tail = block[-len(word) :]
    return False
