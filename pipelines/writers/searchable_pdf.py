"""Searchable PDF: the image of a page with its text, which is not seen, at its place."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from pipelines.errors import MediaError
from pipelines.results import Page
from pipelines.writers.outlines import Sheet, name_of, software
from pipelines.writers.pdf_objects import Objects, text_string
from pipelines.writers.text_layer import TextLayer

DPI = 300.0  # of an image that does not say its own, or says what cannot be
LIKELY = (30.0, 4800.0)  # dots per inch
LARGEST = 14_400.0  # points that a side of a page may have
INK_SIDE = 595.0  # points of the longer side of a page of ink, as of A4's shorter one
PEN = 1.0  # points that a stroke of ink is wide


@dataclass(frozen=True)
class SearchablePDF:
    """A PDF of one page or several: the image, or the strokes of ink, and the text in reading order.

    What pdftotext gives is the text in its order. A page that lies on a side or upside down is shown upright.
    The image is that of the source, which is read again: a JPEG that needs no turning as it is, other images
    and rendered pages of a PDF as new JPEGs. Words are laid over their places; the text of a line without
    words is spread over it. Right-to-left text is laid as it is seen, which readers turn into logical order.

    Attributes:
        quality: of JPEGs, in percent.

    Raises:
        MediaError: the result has no source, or one that cannot be read again.
        ValueError: `quality` is out of range.
    """

    extension: ClassVar[str] = "pdf"
    mode: ClassVar[str] = "wb"

    quality: int = 85

    def __post_init__(self):
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality is {self.quality}; give 1 to 100")

    def write(self, page: Page, file: BinaryIO) -> None:
        self.write_all([page], file)

    def write_all(self, pages: Iterable[Page], file: BinaryIO) -> None:
        """Write the pages of a document, one after the other; the first gives it its name."""
        objects, leaves, name = Objects(file), [], ""
        tree = objects.number()
        for page in pages:
            name = name or name_of(page)
            leaves.append(self._add_page(page, objects, tree))
        kids = " ".join(f"{leaf} 0 R" for leaf in leaves)
        objects.add(f"<< /Type /Pages /Kids [{kids}] /Count {len(leaves)} >>", number=tree)
        root = objects.add(f"<< /Type /Catalog /Pages {tree} 0 R >>")
        about = f"<< /Title {text_string(name)} /Creator {text_string(software())} >>"
        objects.finish(root, objects.add(about))

    def join(self, parts: Sequence[Path], file: BinaryIO) -> None:
        """Write one PDF with the pages of several, as they are.

        Raises:
            MediaError: one of them cannot be read.
        """
        import pypdfium2

        with pypdfium2.PdfDocument.new() as whole:
            for part in parts:
                try:
                    with pypdfium2.PdfDocument(part) as document:
                        whole.import_pages(document)
                except (pypdfium2.PdfiumError, OSError) as error:
                    way = "delete it and run the command again"
                    raise MediaError(part, f"cannot be read ({error})", way) from error
            whole.save(file)

    def _add_page(self, page: Page, objects: Objects, tree: int) -> int:
        """Write a page; returns its object."""
        if page.source is None:
            cause = "was not read from a file, and a searchable PDF shows the image"
            raise MediaError("<page>", cause, "read it from a file, or choose another format")
        sheet, resources, scale = Sheet.of(page), "", 1.0
        if _is_ink(page):
            scale = INK_SIDE / max(sheet.width, sheet.height)
            shown = _strokes(page, sheet, scale)
        else:
            image, dpi = self._image(page, objects)
            scale = min(72 / dpi, LARGEST / max(sheet.width, sheet.height))
            resources = f" /XObject << /Page {image} 0 R >>"
            shown = f"q {sheet.width * scale:.3f} 0 0 {sheet.height * scale:.3f} 0 0 cm /Page Do Q"
        layer = TextLayer(page, sheet, scale)
        content = objects.deflated("", f"{shown}\nBT\n3 Tr\n{layer.text}\nET\n".encode("ascii"))
        name = objects.number()
        layer.font.add_to(objects, name)
        box = f"/MediaBox [0 0 {sheet.width * scale:.3f} {sheet.height * scale:.3f}]"
        box += f" /Rotate {-90 * layer.turn % 360}" if layer.turn else ""
        fonts = f"/Font << /Invisible {name} 0 R >>"
        resources = f"/Resources << {fonts}{resources} >>"
        return objects.add(f"<< /Type /Page /Parent {tree} 0 R {box} {resources} /Contents {content} 0 R >>")

    def _image(self, page: Page, objects: Objects) -> tuple[int, float]:
        """Write the image; returns its object, and pixels of the page to an inch."""
        from PIL import Image

        from pipelines.media.documents import page_of
        from pipelines.media.images import read_image

        picture = read_image(page_of(page.source, page.number), colour=True)
        height, width = picture.pixels.shape[:2]
        dpi = picture.dpi if picture.dpi and LIKELY[0] <= picture.dpi <= LIKELY[1] else DPI
        stored = _jpeg_as_stored(page) if picture.orientation == 1 else None
        if stored:
            content, space = stored
        else:
            image = Image.fromarray(picture.pixels)
            grey = bool((picture.pixels.min(axis=2) == picture.pixels.max(axis=2)).all())
            image, space = (image.convert("L"), "DeviceGray") if grey else (image, "DeviceRGB")
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=self.quality)
            content = buffer.getvalue()
        about = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /{space}"
        number = objects.add(f"{about} /BitsPerComponent 8 /Filter /DCTDecode", content)
        return number, dpi * page.width / width


def _jpeg_as_stored(page: Page) -> tuple[bytes, str] | None:
    """A JPEG file and its colour space, where a PDF can hold it unchanged."""
    from pipelines.media.files import locate, readable
    from pipelines.media.images import open_image

    if page.number is not None:
        return None
    name, open_it = locate(page.source)
    with readable(name, open_it) as file:
        content = file.read(3)
        file.seek(0)
        if content != b"\xff\xd8\xff":
            return None
        with open_image(file, name) as image:
            space = {"L": "DeviceGray", "RGB": "DeviceRGB"}.get(image.mode)
        file.seek(0)
        return (file.read(), space) if space else None


def _is_ink(page: Page) -> bool:
    from pipelines.media.kind import INK, kind_of

    return any(word.strokes for word in page.words) or (not page.words and kind_of(page.source).name == INK)


def _strokes(page: Page, sheet: Sheet, scale: float) -> str:
    from pipelines.media.ink import piece

    paths = []
    for stroke in filter(len, piece(page.source, page.number).strokes):
        points = [
            f"{(x - sheet.left) * scale:.2f} {(sheet.height - (y - sheet.top)) * scale:.2f}"
            for x, y in stroke[:, :2].tolist()
        ]
        points += points[:1] if len(points) == 1 else []  # a dot
        paths.append(f"{points[0]} m {' '.join(f'{point} l' for point in points[1:])} S")
    return f"q {PEN} w 1 J 1 j\n" + "\n".join(paths) + "\nQ"


FORMATS = {"pdf": SearchablePDF}
