"""Reads images and pages of PDF documents as `Picture`s.

The content decides how a file is read, never its name. Images are turned upright by their EXIF orientation,
transparent ones are put on white, and pixels have 8 bits.
"""

from __future__ import annotations

import contextlib
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import Opener, locate, readable

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""The formats of Pillow that are allowed. Some others would start programs."""

MOVING = ("AVIF", "GIF", "PNG", "WEBP")  # of FORMATS, those that may be animations

LARGEST_PDF_PAGE = 150e6  # pixels: more than A0 at 300 dpi
STRIP = 256  # number of rows converted at a time
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow and JPEG have it


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that has been read.

    Attributes:
        pixels: (height, width) grey or (height, width, 3) red, green, blue; uint8.
        name: the path, the name of the file object, or `<array>`.
        number: page number in the PDF, from 1.
        stored: width and height as stored in the file, before `orientation` was applied.
        orientation: EXIF orientation, 1 to 8.
    """

    kind: ClassVar[str] = "image"

    pixels: np.ndarray
    name: str
    number: int | None = None
    stored: tuple[int, int] | None = None
    orientation: int = 1


@dataclass(frozen=True)
class PdfPage:
    """A page of a PDF that `read_image` will render.

    Attributes:
        name: name of the document.
        number: page number, from 1.
        dpi: resolution of the rendering, pixels per inch.
        open: opens the file of the document.
    """

    kind: ClassVar[str] = "image"

    name: str
    number: int
    dpi: float
    open: Opener


class PageOptions(Protocol):
    """Options for opening documents; see `RecognitionOptions`."""

    pages: str | None
    dpi: float


Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor", "Image", PdfPage, Picture]


def read_image(source: Source, colour: bool = False) -> Picture:
    """Read an image.

    Args:
        source: a path; a binary file object; a page of a PDF; a Pillow image; an array or tensor
            of shape (height, width) or (height, width, 1, 3 or 4), tensors also channels first.
            Full scale is 1 for floats and booleans, and for integers of more than 8 bits the power of two
            above their largest value.
        colour: return three channels instead of grey.

    Raises:
        MediaError: the file does not exist, is not an image, is damaged, has several pages, or exceeds
            Pillow's limit (179 megapixels); or the array has another shape or type.
    """
    if isinstance(source, Picture):
        return replace(source, pixels=_as_asked(source.pixels, colour))
    if isinstance(source, PdfPage):
        return _drawn(source, colour)
    if isinstance(source, np.ndarray) or hasattr(source, "numpy"):
        return Picture(_of_array(source, colour), "<array>")
    if hasattr(source, "getexif"):
        with _damage_named("<image>"):
            return Picture(_of_pillow(source, "<image>", colour), "<image>")
    name, open_it = locate(source)
    with readable(name, open_it) as file, _open(file, name) as image, _damage_named(name):
        if image.format == "TIFF":
            _check_single(image, name)
        if image.format == "JPEG" and not colour:
            image.draft("L", image.size)  # decodes grey only: a third of the memory
        stored, turn = image.size, orientation(image)
        return Picture(_of_pillow(image, name, colour), name, stored=stored, orientation=turn)


def is_animated(file: BinaryIO, name: str) -> bool:
    """Whether the image in an open file moves. Only its head is read, so that it may be damaged.

    Args:
        file: at its start.
        name: for errors.

    Raises:
        MediaError: the file holds no image.
    """
    try:
        with _open(file, name) as image:
            try:
                return image.format in MOVING and image.is_animated
            except Exception:  # Pillow's readers raise nearly anything at a damaged file
                return False
    except _TooLarge:
        return False


def open_pages(source: Source, kind: str, options: PageOptions) -> list:
    """The pages of a PDF, or the one image that a source is; opener of the tasks for pages."""
    if kind == "PDF document":
        return list(pdf_pages(source, options.pages, options.dpi))
    return [source]


def pdf_pages(
    source: str | os.PathLike | BinaryIO, pages: str | None = None, dpi: float = 300
) -> list[PdfPage]:
    """The pages of a PDF, for `read_image` to render one by one.

    Args:
        source: a path or a binary file object, which must stay open.
        pages: numbers and ranges from 1, such as "2-5,7,12-"; None for all.
        dpi: resolution of the rendering, pixels per inch.

    Raises:
        ValueError: `pages` is malformed, or `dpi` is not above 0.
        MediaError: the file does not exist, is not a PDF, is damaged or encrypted, or lacks such a page.
    """
    if not 0 < dpi < float("inf"):
        raise ValueError(f"dpi must be above 0, not {dpi}")
    ranges = page_ranges(pages)
    name, open_it = locate(source)
    with readable(name, open_it) as file, _document(file, name) as document:
        count = len(document)
    if not count:
        raise MediaError(name, "has no pages", "check how it was made")
    numbers: list[int] = []
    for first, last in ranges:
        if max(first, last or first) > count:
            cause = f"has {count} page{'s' * (count > 1)}, not {last or first}"
            raise MediaError(name, cause, "give pages that it has")
        numbers += range(first, (last or count) + 1)
    return [PdfPage(name, number, dpi, open_it) for number in dict.fromkeys(numbers)]


class _TooLarge(MediaError):
    """An image beyond the size limit."""


@contextlib.contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """Turn what Pillow's readers raise at a damaged file, nearly anything, into MediaError; hide warnings."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MediaError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise MediaError(
            name, f"is damaged or cut off ({reason})", "get a whole copy of it, or scan it again"
        ) from error


def _open(file: BinaryIO, name: str) -> Image:
    """Open an image without reading its pixels."""
    from PIL import Image, UnidentifiedImageError

    head = file.read(16)
    file.seek(0)
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or scan it again")
    with _damage_named(name):
        try:
            return Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            cause = "is a PDF document" if head.startswith(b"%PDF-") else "is not in a supported image format"
            raise MediaError(name, cause, "give an image: PNG, JPEG, TIFF, WebP or the like") from error
        except Image.DecompressionBombError as error:
            cause = f"has more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels"
            raise _TooLarge(name, cause, "scale it down or cut it up") from error


def orientation(image: Image) -> int:
    """The EXIF orientation of an image, from 1 (upright) to 8."""
    from PIL import ExifTags

    turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    return turn if turn in range(1, 9) else 1


def _check_single(image: Image, name: str) -> None:
    """Refuse a TIFF of several pages, not counting reduced copies and masks (tag NewSubfileType)."""
    pages = 0
    for index in range(image.n_frames):
        image.seek(index)
        pages += not image.tag_v2.get(254, 0) & 0b101
    if pages > 1:
        raise MediaError(name, f"holds {pages} pages", "split it into one image a page, or make it a PDF")
    image.seek(0)


def _of_pillow(image: Image, name: str, colour: bool) -> np.ndarray:
    from PIL import ImageOps

    if not min(image.size):
        raise MediaError(name, f"has no pixels ({image.width} x {image.height})", "check how it was made")
    image.load()
    if orientation(image) != 1:
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        return _as_asked(_eight_bits(np.asarray(image), name), colour)
    kind = "RGB" if colour else "L"
    if not image.has_transparency_data:
        return np.array(image.convert(kind))
    if image.mode not in ("LA", "RGBA"):
        image = image.convert("RGBA")
    return _on_white(np.array(image.convert(kind)), np.asarray(image.getchannel("A")))


def _of_array(source: np.ndarray | torch.Tensor, colour: bool) -> np.ndarray:
    name = "<array>"
    if hasattr(source, "detach"):
        source = source.detach().cpu()
        source = source.float() if source.is_floating_point() else source
        if source.ndim == 3 and source.shape[0] in (1, 3, 4) and source.shape[2] not in (1, 3, 4):
            source = source.permute(1, 2, 0)
    pixels = np.asarray(source)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise MediaError(name, f"has the shape {pixels.shape}", "give (height, width) or (height, width, 3)")
    if not pixels.size:
        raise MediaError(name, "has no pixels", "check how it was cut or loaded")
    pixels = _eight_bits(pixels, name)
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return _on_white(_as_asked(pixels[..., :3], colour), pixels[..., 3])
    return _as_asked(pixels, colour)


def _eight_bits(pixels: np.ndarray, name: str) -> np.ndarray:
    """Convert pixels of any number type to uint8."""
    kind = pixels.dtype.kind
    if pixels.dtype == np.uint8:
        return pixels
    if kind == "b":
        return pixels.astype(np.uint8) * 255
    if kind not in "iuf":
        raise MediaError(name, f"holds {pixels.dtype} values, which are no pixels", "convert it to uint8")
    low, high = pixels.min(), pixels.max()
    if kind == "f":
        if not (low >= 0 and high <= 1):  # also where it holds NaN
            found = f"holds values from {low} to {high}"
            raise MediaError(name, found, "scale them to between 0 and 1, or convert it to uint8")
        return (pixels * 255).round().astype(np.uint8)
    if low < 0:
        raise MediaError(name, f"holds values down to {low}", "convert it to uint8")
    return (pixels >> max(0, int(high).bit_length() - 8)).astype(np.uint8)


def _as_asked(pixels: np.ndarray, colour: bool) -> np.ndarray:
    """Convert uint8 pixels to grey or to three channels."""
    if colour:
        return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    if pixels.ndim == 2:
        return pixels
    grey = np.empty(pixels.shape[:2], np.uint8)
    for top in range(0, len(pixels), STRIP):
        grey[top : top + STRIP] = (pixels[top : top + STRIP] @ GREY).round()
    return grey


def _on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Blend transparent uint8 pixels with white."""
    seen = np.empty_like(pixels)
    for top in range(0, len(pixels), STRIP):
        rows = slice(top, top + STRIP)
        share = alpha[rows].astype(np.float32) / 255.0
        share = share if pixels.ndim == 2 else share[..., None]
        seen[rows] = (255.0 - share * (255.0 - pixels[rows])).round()
    return seen


def _drawn(page: PdfPage, colour: bool) -> Picture:
    import pypdfium2

    with readable(page.name, page.open) as file, _document(file, page.name) as document:
        try:
            sheet = document[page.number - 1]
            inches = [side / 72 for side in sheet.get_size()]
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise MediaError(page.name, f"page {page.number} is damaged", "make the PDF again") from error
        pixels = inches[0] * inches[1] * page.dpi**2
        if pixels > LARGEST_PDF_PAGE:
            size = f"{inches[0] * 2.54:.0f} x {inches[1] * 2.54:.0f} cm"
            cause = f"page {page.number} is {size} large, {pixels / 1e6:.0f} megapixels at {page.dpi:g} dpi"
            raise MediaError(page.name, cause, "give a lower dpi")
        bitmap = sheet.render(scale=page.dpi / 72, grayscale=not colour, rev_byteorder=True)
        drawn = bitmap.to_numpy().reshape(bitmap.height, bitmap.width, -1)
        return Picture(np.array(drawn[..., :3] if colour else drawn[..., 0]), page.name, page.number)


def _document(file: BinaryIO, name: str):
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(file)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise MediaError(name, "is encrypted", "save a copy of it without a password") from error
        raise MediaError(name, "is damaged or not a PDF document", "get a whole copy of it") from error


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
