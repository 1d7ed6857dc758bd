"""Reads images as `Picture`s; `documents` has the pages of documents.

The content decides how a file is read, never its name. Images are turned upright by their EXIF orientation,
transparent ones are put on white (on black if nothing shows on white), and pixels have 8 bits.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol, Union

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import locate, readable
from pipelines.media.image_heads import is_moving_webp, unread

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""The formats of Pillow that are allowed. Some others would start programs."""

TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two of BigTIFF

MOVING = ("AVIF", "GIF", "PNG", "WEBP")  # of FORMATS, those that may be animations

LARGEST_DECODED = 400e6  # bytes of an image as Pillow holds it, before its pixels have 8 bits
LARGEST_COLOURED = 80e6  # pixels: 7 bytes of memory each while they are read
BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2}  # of a pixel, by mode; of others 4
STRIP = 256  # number of rows converted at a time
UNSEEN = 250  # grey level from which nothing shows on white: transparent images of light ink are put on black
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601, as Pillow and JPEG have it


@dataclass(frozen=True, eq=False)
class Picture:
    """An image that has been read.

    Attributes:
        pixels: (height, width) grey or (height, width, 3) red, green, blue; uint8.
        name: the path, the name of the file object, or `<array>`.
        number: page number in the document, from 1.
        stored: width and height as stored in the file, before `orientation` was applied.
        orientation: EXIF orientation, 1 to 8.
        dpi: resolution that the file states, or at which a page was rendered, pixels per inch.
    """

    kind: ClassVar[str] = "image"

    pixels: np.ndarray
    name: str
    number: int | None = None
    stored: tuple[int, int] | None = None
    orientation: int = 1
    dpi: float | None = None


class Sheet(Protocol):
    """A page of a document, which reads itself; see `pipelines.media.documents`."""

    kind: ClassVar[str] = "image"

    name: str
    number: int

    def picture(self, colour: bool = False) -> Picture: ...


Source = Union[str, os.PathLike, BinaryIO, np.ndarray, "torch.Tensor", "Image", Sheet, Picture]


def read_image(source: Source, colour: bool = False) -> Picture:
    """Read an image.

    Args:
        source: a path; a binary file object; a page of a PDF or TIFF; a Pillow image; an array or tensor
            of shape (height, width) or (height, width, 1, 3 or 4), tensors also channels first.
            Full scale is 1 for floats and booleans, and for integers of more than 8 bits the power of two
            above their largest value.
        colour: return three channels instead of grey.

    Raises:
        MediaError: the file does not exist, is not an image, is damaged, has several pages, or exceeds
            Pillow's limit (179 megapixels), 100 megapixels where each takes 4 bytes, as in colour scans that
            are no JPEG, or 80 where colours are wanted; or the array has another shape or type.
    """
    if isinstance(source, Picture):
        return replace(source, pixels=_as_asked(source.pixels, colour))
    if hasattr(source, "picture"):
        return source.picture(colour)
    if isinstance(source, np.ndarray) or hasattr(source, "numpy"):
        return Picture(_of_array(source, colour), "<array>")
    if hasattr(source, "getexif"):
        with damage_named("<image>"):
            return Picture(pixels_of(source, "<image>", colour), "<image>")
    name, open_it = locate(source)
    with readable(name, open_it) as file, open_image(file, name) as image, damage_named(name):
        if image.format == "TIFF":
            _seek_single(image, name)
        if image.format == "JPEG" and not colour:
            image.draft("L", image.size)  # decodes grey only: a third of the memory
        stored, turn = image.size, orientation(image)
        return Picture(
            pixels_of(image, name, colour), name, stored=stored, orientation=turn, dpi=resolution(image)
        )


def is_animated(file: BinaryIO, name: str) -> bool:
    """Whether the image in an open file moves. Only its head is read, so that it may be damaged.

    Args:
        file: at its start.
        name: for errors.

    Raises:
        MediaError: the file holds no image.
    """
    head = file.read(32)
    file.seek(0)
    if is_moving_webp(head):  # which Pillow does not tell of one that is cut off
        return True
    try:
        with open_image(file, name) as image:
            try:
                return image.format in MOVING and image.is_animated
            except Exception:  # Pillow's readers raise nearly anything at a damaged file
                return False
    except TooLarge:
        return False


class TooLarge(MediaError):
    """An image beyond the size limit."""


@contextlib.contextmanager
def damage_named(name: str) -> Iterator[None]:
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


def open_image(file: BinaryIO, name: str) -> Image:
    """Open an image without reading its pixels."""
    from PIL import Image, UnidentifiedImageError

    head = file.read(16)
    file.seek(0)
    if not head:
        raise MediaError(name, "is empty (0 bytes)", "copy or scan it again")
    with damage_named(name):
        try:
            return Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise MediaError(name, *unread(head)) from error
        except Image.DecompressionBombError as error:
            raise _too_large(name) from error


def orientation(image: Image) -> int:
    """The EXIF orientation of an image, from 1 (upright) to 8."""
    from PIL import ExifTags

    turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    return turn if turn in range(1, 9) else 1


def resolution(image: Image) -> float | None:
    """Pixels per inch, if the file states it and has square pixels."""
    try:
        across, down = map(float, image.info["dpi"])
        return across if across > 0 and abs(across - down) <= 0.02 * across else None
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def check_size(image: Image, name: str) -> None:
    """Refuse an image beyond Pillow's limit, which looks only at the first one in a file.

    Raises:
        MediaError: it has too many pixels.
    """
    from PIL import Image

    if image.width * image.height > 2 * (Image.MAX_IMAGE_PIXELS or math.inf):
        raise _too_large(name)


def _too_large(name: str) -> TooLarge:
    from PIL import Image

    cause = f"has more than {2 * Image.MAX_IMAGE_PIXELS / 1e6:.0f} megapixels"
    return TooLarge(name, cause, "scale it down or cut it up")


def tiff_pages(image: Image, name: str) -> list[int]:
    """Which of the images in a TIFF are pages, not reduced copies or masks (tag NewSubfileType).

    Raises:
        MediaError: the file is damaged.
    """
    with damage_named(name):
        pages = []
        for index in range(image.n_frames):
            image.seek(index)
            reduced = image.tag_v2.get(254, 0) & 0b101 or image.tag_v2.get(255) == 2
            pages += [] if reduced else [index]
        return pages or [0]


def _seek_single(image: Image, name: str) -> None:
    """Go to the only page of a TIFF, which may come after a reduced copy of it."""
    pages = tiff_pages(image, name)
    if len(pages) > 1:
        cause, way_out = f"holds {len(pages)} pages", "split it into one image a page"
        raise MediaError(name, cause, way_out)
    image.seek(pages[0])
    check_size(image, name)


def pixels_of(image: Image, name: str, colour: bool) -> np.ndarray:
    """Pixels of a Pillow image, upright and on white: (height, width) grey or (height, width, 3), uint8.

    Rows are converted strip by strip: a large image takes much memory as it is.
    """
    if not min(image.size):
        raise MediaError(name, f"has no pixels ({image.width} x {image.height})", "check how it was made")
    if colour and image.width * image.height > LARGEST_COLOURED:
        cause = f"has {image.width * image.height / 1e6:.0f} megapixels"
        raise TooLarge(name, cause, f"scale it down to at most {LARGEST_COLOURED / 1e6:.0f}")
    each = BYTES.get(image.mode, 4)
    if each * image.width * image.height > LARGEST_DECODED:
        cause = f"has {image.width * image.height / 1e6:.0f} megapixels of {each} bytes each"
        way = f"convert it to 8 bits of grey, or scale it down to {LARGEST_DECODED / each / 1e6:.0f}"
        raise TooLarge(name, cause, way)
    image.load()
    pixels = np.empty((image.height, image.width, 3)[: 3 if colour else 2], np.uint8)
    strips = [(top, min(top + STRIP, image.height)) for top in range(0, image.height, STRIP)]
    cuts = ((slice(top, below), image.crop((0, top, image.width, below))) for top, below in strips)
    if image.mode.startswith(("I", "F")):
        found = [_range(np.asarray(cut)) for _, cut in cuts]
        low, high = np.min([low for low, _ in found]), np.max([high for _, high in found])
        for top, below in strips:
            numbers = np.asarray(image.crop((0, top, image.width, below)))
            pixels[top:below] = _as_asked(_scaled(numbers, low, high, name), colour)
    elif image.mode == "LAB":
        raise MediaError(name, "has the colours of CIELAB", "save it as RGB or grey")
    else:
        for rows, cut in cuts:
            pixels[rows] = _converted(cut, colour)
        if image.has_transparency_data and pixels.min() >= UNSEEN:
            for top, below in strips:
                cut = image.crop((0, top, image.width, below))
                pixels[top:below] = _converted(cut, colour, backdrop=0.0)
    return _turned(pixels, orientation(image))


def _converted(image: Image, colour: bool, backdrop: float = 255.0) -> np.ndarray:
    """An image of 8 bits as an array, on a grey backdrop where it is transparent."""
    kind = "RGB" if colour else "L"
    if not image.has_transparency_data:
        return np.asarray(image.convert(kind))
    if image.mode not in ("LA", "RGBA"):
        image = image.convert("RGBA")
    return blended(np.asarray(image.convert(kind)), np.asarray(image.getchannel("A")), backdrop)


def _turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Pixels made upright, given their EXIF orientation."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


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
        opaque, alpha = _as_asked(pixels[..., :3], colour), pixels[..., 3]
        seen = blended(opaque, alpha)
        return seen if seen.min() < UNSEEN else blended(opaque, alpha, 0.0)
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
    return _scaled(pixels, *_range(pixels), name)


def _range(pixels: np.ndarray) -> tuple[np.generic, np.generic]:
    return pixels.min(), pixels.max()


def _scaled(pixels: np.ndarray, low: np.generic, high: np.generic, name: str) -> np.ndarray:
    """Convert numbers to uint8, given the range of those of the whole image."""
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * 255
    if pixels.dtype.kind == "f":
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


def blended(pixels: np.ndarray, alpha: np.ndarray, backdrop: float = 255.0) -> np.ndarray:
    """Blend transparent uint8 pixels with a grey backdrop."""
    seen = np.empty_like(pixels)
    for top in range(0, len(pixels), STRIP):
        rows = slice(top, top + STRIP)
        share = alpha[rows].astype(np.float32) / 255.0
        share = share if pixels.ndim == 2 else share[..., None]
        seen[rows] = (backdrop - share * (backdrop - pixels[rows])).round()
    return seen
