"""Searchable PDF: the image of a page with its text, which is not seen, at its place."""

from __future__ import annotations

import io
import math
import unicodedata
from dataclasses import dataclass
from statistics import fmean, median
from typing import BinaryIO, ClassVar

from decoders.alphabet import mirrored
from pipelines.errors import MediaError
from pipelines.results import Page, Point, TextLine, TextRegion
from pipelines.writers.lines import one_line
from pipelines.writers.outlines import Sheet, is_right_to_left, name_of, software
from pipelines.writers.pdf_objects import UNITS, WIDTH, InvisibleFont, Objects, text_string

DPI = 300.0  # of an image that does not say its own, or says what cannot be
LIKELY = (30.0, 4800.0)  # dots per inch
LARGEST = 14_400.0  # points that a side of a page may have
INK_SIDE = 595.0  # points of the longer side of a page of ink, as of A4's shorter one
PEN = 1.0  # points that a stroke of ink is wide
SIZE = 0.7  # of the font, to the height of lines
BASE = 0.75  # of the height of a line without a baseline, where its letters stand
GAP = 0.25  # of the font size at least between two words, for readers that go by gaps
FARTHEST = 0.6  # font sizes between two words of a line, of which readers would make two


@dataclass(frozen=True)
class SearchablePDF:
    """A PDF of one page: the image, or the strokes of ink, and the text in reading order.

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
        if page.source is None:
            cause = "was not read from a file, and a searchable PDF shows the image"
            raise MediaError("<page>", cause, "read it from a file, or choose another format")
        objects, font = Objects(file), InvisibleFont()
        sheet, resources, scale = Sheet.of(page), "", 1.0
        if any(word.strokes for word in page.words):
            scale = INK_SIDE / max(sheet.width, sheet.height)
            shown = _strokes(page, sheet, scale)
        else:
            image, dpi = self._image(page, objects)
            scale = min(72 / dpi, LARGEST / max(sheet.width, sheet.height))
            resources = f" /XObject << /Page {image} 0 R >>"
            shown = f"q {sheet.width * scale:.3f} 0 0 {sheet.height * scale:.3f} 0 0 cm /Page Do Q"
        text = "\n".join(_lines(page, sheet, font, scale))
        content = objects.deflated("", f"{shown}\nBT\n3 Tr\n{text}\nET\n".encode("ascii"))
        name, pages = objects.number(), objects.number()
        font.add_to(objects, name)
        box = f"/MediaBox [0 0 {sheet.width * scale:.3f} {sheet.height * scale:.3f}]"
        resources = f"/Resources << /Font << /Invisible {name} 0 R >>{resources} >>"
        leaf = objects.add(f"<< /Type /Page /Parent {pages} 0 R {box} {resources} /Contents {content} 0 R >>")
        objects.add(f"<< /Type /Pages /Kids [{leaf} 0 R] /Count 1 >>", number=pages)
        root = objects.add(f"<< /Type /Catalog /Pages {pages} 0 R >>")
        about = f"<< /Title {text_string(name_of(page))} /Creator {text_string(software())} >>"
        objects.finish(root, objects.add(about))

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


def _strokes(page: Page, sheet: Sheet, scale: float) -> str:
    from pipelines.media.ink import read_ink

    ink = read_ink(page.source)[(page.number or 1) - 1]
    paths = []
    for stroke in ink.strokes:
        points = [
            f"{(x - sheet.left) * scale:.2f} {(sheet.height - (y - sheet.top)) * scale:.2f}"
            for x, y in stroke[:, :2].tolist()
        ]
        points += points[:1] if len(points) == 1 else []  # a dot
        paths.append(f"{points[0]} m {' '.join(f'{point} l' for point in points[1:])} S")
    return f"q {PEN} w 1 J 1 j\n" + "\n".join(paths) + "\nQ"


# Text


@dataclass(frozen=True)
class _Span:
    """Characters as they are seen, and where: along the line and across it, in pixels."""

    clusters: list[str]
    start: float
    end: float
    base: float


def _lines(page: Page, sheet: Sheet, font: InvisibleFont, scale: float) -> list[str]:
    """The operators that show each line."""
    placed = [
        (line, *_place(line, region, sheet)) for region in page.regions for line in region.lines if line.text
    ]
    heights = [bottom - top for _, _, (_, top, _, bottom) in placed]
    size = max(1.0, SIZE * median(heights)) if heights else 1.0
    shown = []
    for line, turn, box in placed:
        across, down = ((1, 0), (0, -1), (-1, 0), (0, 1))[turn]
        spans = _spread(_spans(line, turn, box), size)
        for place, span in enumerate(spans, 1):
            x, y = _unturned((span.start, span.base), turn)
            stretch = 100 * (span.end - span.start) / (len(span.clusters) * size * WIDTH / UNITS)
            matrix = f"{across} {down} {-down} {across} {x * scale:.3f} {(sheet.height - y) * scale:.3f}"
            clusters = [*span.clusters, " "]
            if place == len(spans) and span.clusters[-1] == "-":
                clusters[-2:] = ["- "]  # readers join lines after a hyphen, and drop it
            codes = font.encode(clusters)
            shown.append(f"{matrix} Tm /Invisible {size * scale:.3f} Tf {stretch:.3f} Tz {codes} Tj")
    return shown


def _place(line: TextLine, region: TextRegion, sheet: Sheet) -> tuple[int, tuple[float, ...]]:
    """How many quarter turns clockwise a line runs, and its box when it is turned to run level."""
    path = sheet.path(line.baseline)
    turn = 0
    if path:
        (x0, y0), (x1, y1) = path[0], path[-1]
        turn = round(math.atan2(y1 - y0, x1 - x0) / (math.pi / 2)) % 4
    points = [_turned(point, turn) for point in sheet.line(line, sheet.region(region))]
    across, down = zip(*points, strict=True)
    return turn, (min(across), min(down), max(across), max(down))


def _turned(point: Point, turn: int) -> Point:
    """A point after quarter turns that bring a line of this direction level."""
    x, y = point
    return ((x, y), (y, -x), (-x, -y), (-y, x))[turn]


def _unturned(point: Point, turn: int) -> Point:
    return _turned(point, -turn % 4)


def _spans(line: TextLine, turn: int, box: tuple[float, ...]) -> list[_Span]:
    """Words from left to right, as they are seen."""
    left, top, right, bottom = box
    path = [_turned(point, turn) for point in line.baseline]
    level = fmean(y for _, y in path) if path else top + BASE * (bottom - top)
    slope = (path[-1][1] - path[0][1]) / (path[-1][0] - path[0][0] or 1) if len(path) > 1 else 0.0
    middle = (path[0][0] + path[-1][0]) / 2 if path else left
    texts = one_line(line.text).split()
    if [word.text for word in line.words] == texts and all(word.polygon for word in line.words):
        spans = []
        for word in line.words:
            across = [_turned(point, turn)[0] for point in word.polygon]
            start, end = min(across), max(across)
            base = level + slope * ((start + end) / 2 - middle)
            spans.append(_Span(_seen(word.text), start, end, base))
        return sorted(spans, key=lambda span: span.start)
    return _shared_out(line.text, left, right, level)


def _shared_out(text: str, left: float, right: float, base: float) -> list[_Span]:
    """A line's words over its whole length, all letters of one width."""
    seen = _seen(" ".join(text.split()))
    pitch = (right - left) / max(len(seen), 1)
    spans, start = [], 0
    for place, cluster in enumerate([*seen, " "]):
        if cluster == " ":
            if place > start:
                spans.append(_Span(seen[start:place], left + start * pitch, left + place * pitch, base))
            start = place + 1
    return spans


def _seen(text: str) -> list[str]:
    """Characters with their accents, from left to right as they are seen."""
    clusters: list[str] = []
    for character in text:
        if clusters and (unicodedata.combining(character) or character in "\u200c\u200d"):
            clusters[-1] += character
        else:
            clusters.append(character)
    if is_right_to_left(text):
        clusters = [clusters[place] for place in mirrored([each[0] for each in clusters])][::-1]
    return clusters


def _spread(spans: list[_Span], size: float) -> list[_Span]:
    """With a gap between any two words and room for each, even where their boxes overlap.

    A word before a wide gap is drawn out.
    """
    placed: list[_Span] = []
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        start = max(span.start, placed[-1].end + GAP * size) if placed else span.start
        end = span.end if following is None else min(span.end, following.start - GAP * size)
        end = max(end, start + 0.05 * size * len(span.clusters))
        if following is not None:
            end = max(end, following.start - FARTHEST * size)
        placed.append(_Span(span.clusters, start, end, span.base))
    return placed


FORMATS = {"pdf": SearchablePDF}
