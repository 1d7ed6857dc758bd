"""What the page of results shows of each source: its player, its image, a small image of it.

Media are linked, or embedded in the page. Of what browsers cannot show (TIFF, PDF, ink, turned photographs)
an image is made, and of what is large or moves a small one; they are kept in a folder beside the page, and
made again only if the source has changed.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.errors import MediaError
from pipelines.media.remote import is_remote, shown
from pipelines.results import Page, Transcript
from pipelines.writers.atomic import write_atomically
from pipelines.writers.drawn_ink import View, draw_ink, view_of
from pipelines.writers.markup import data_uri
from pipelines.writers.page_items import Entry

if TYPE_CHECKING:
    from PIL.Image import Image

EMBEDDED = 2_000_000  # bytes of the largest recording that is embedded in a page
ROOM = 30_000_000  # bytes of all embedded recordings, and again of all images
WIDEST, HIGHEST = 1400, 4200  # pixels of an image at most
SMALL = (320, 240)  # pixels of a small image at most
LIGHT = 100_000  # bytes of an image that is its own small image
QUALITY = 80  # of a JPEG, in percent
PDF_DPI = 150  # a page of A4 is then 1240 pixels wide
SHOWN = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "WEBP")
"""Formats of images that browsers show."""

MEDIA_TYPES = {
    ".aac": "audio/aac", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".flac": "audio/flac",
    ".m4a": "audio/mp4", ".mkv": "video/x-matroska", ".mov": "video/mp4", ".mp3": "audio/mpeg",
    ".mp4": "video/mp4", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".wav": "audio/wav", ".webm": "video/webm",
}  # fmt: skip
"""Of recordings and videos, by file ending. Not from `mimetypes`, whose answer depends on the machine."""


@dataclass(frozen=True)
class Seen:
    """What there is to see and hear of an entry.

    Attributes:
        player: "audio", "video", or "" for what is not played.
        media: address of the recording or video, or "".
        image: address of the image, or "".
        small: address of a small one, or "".
        view: where the image lies, left, top, width and height in the units of the result's places.
        note: why there is no image, or "".
    """

    player: str = ""
    media: str = ""
    image: str = ""
    small: str = ""
    view: View | None = None
    note: str = ""


class Linked:
    """Addresses relative to a page, with the images that have to be made in a folder.

    Args:
        page: the HTML file.
        folder: for the images that are made.
    """

    def __init__(self, page: Path, folder: Path):
        self.page, self.folder = page, folder
        self.used: set[str] = set()

    def link(self, target: Path) -> str:
        """The address of a file."""
        place = os.path.relpath(os.path.abspath(target), os.path.abspath(self.page.parent))
        return quote(os.fsencode(place.replace(os.sep, "/")))

    def seen(self, entry: Entry) -> Seen:
        """What there is to see and hear of an entry."""
        if is_remote(entry.source):
            return Seen(note=f"it is at {shown(entry.source)}")
        player = player_of(entry)
        if player == "audio":
            return Seen(player, self.link(entry.source))
        try:
            if player == "video" or entry.source.is_dir():
                small = self._made(entry, "small.jpg", lambda: small_jpeg(first_frame(entry.source)))
                return Seen(player, self.link(entry.source) if player else "", small=small)
            view, drawing = _ink(entry)
            if drawing is not None:
                image = self._made(entry, "svg", drawing.encode)
                return Seen(image=image, small=image, view=view)
            return self._picture(entry, view)
        except (MediaError, OSError, ValueError) as error:
            return Seen(player, self.link(entry.source) if player else "", note=str(error))

    def tidy(self) -> None:
        """Remove the images of entries that are no more."""
        for path in self.folder.glob("*"):
            if path.name not in self.used and path.is_file():
                path.unlink(missing_ok=True)

    def _picture(self, entry: Entry, view: View | None) -> Seen:
        if is_shown(entry.source, entry.part):
            image = self.link(entry.source)
            if entry.source.stat().st_size <= LIGHT:
                return Seen(image=image, small=image, view=view)
        else:
            image = self._made(entry, "jpg", lambda: large_jpeg(entry))
        return Seen(image=image, small=self._made(entry, "small.jpg", lambda: _small_of(entry)), view=view)

    def _made(self, entry: Entry, ending: str, make) -> str:
        """The address of an image that is made, if it is not there already."""
        facts = entry.source.stat()
        about = f"{os.path.abspath(entry.source)}\0{entry.part}\0{facts.st_size}\0{facts.st_mtime_ns}"
        if ending == "svg":  # its colours tell what was recognised
            about += f"\0{entry.result}"
        digest = hashlib.sha256(os.fsencode(about)).hexdigest()[:24]
        path = self.folder / f"{digest}.{ending}"
        if not path.exists():
            content = make()
            with write_atomically(path, "wb") as file:
                file.write(content)
        self.used.add(path.name)
        return self.link(path)


class Embedded(Linked):
    """Addresses that hold the media themselves, up to a size of each and of all; others are linked."""

    def __init__(self, page: Path, room: int | None = None):
        super().__init__(page, page.parent)
        self.sound = self.pictures = ROOM if room is None else room

    def seen(self, entry: Entry) -> Seen:
        """What there is to see and hear of an entry."""
        if is_remote(entry.source):
            return Seen(note=f"it is at {shown(entry.source)}")
        player = player_of(entry)
        if player:
            return Seen(player, self._media(entry.source))
        try:
            view, drawing = _ink(entry)
            if drawing is None:
                address, note = data_uri("image/jpeg", large_jpeg(entry)), ""
            else:
                address, note = data_uri("image/svg+xml", drawing.encode()), ""
        except (MediaError, OSError, ValueError) as error:
            return Seen(note=str(error))
        if len(address) > self.pictures:
            address, note = "", "left out to keep this page small"
        self.pictures -= len(address)
        return Seen(image=address, small=address, view=view, note=note)

    def tidy(self) -> None:
        """There is nothing beside the page."""

    def _media(self, source: Path) -> str:
        media_type = MEDIA_TYPES.get(source.suffix.lower())
        size = source.stat().st_size
        if not media_type or size >= min(EMBEDDED, self.sound):
            return self.link(source)
        self.sound -= size
        return data_uri(media_type, source.read_bytes())


def player_of(entry: Entry) -> str:
    """What plays an entry: "audio", "video", or "" for what is not played or not there."""
    from pipelines.media.kind import VIDEO, kind_or_name

    if not entry.source.is_file():
        return ""
    if entry.task == "speech" or isinstance(entry.result, Transcript):
        return "audio"
    return "video" if kind_or_name(entry.source).name == VIDEO else ""


def is_shown(source: Path, part: int | None) -> bool:
    """Whether browsers show an image as it is read: upright, and no page of a document."""
    from pipelines.media.images import open_image, orientation

    if part is not None:
        return False
    with open(source, "rb") as file:
        if file.read(1024).find(b"%PDF-") >= 0:
            return False
        file.seek(0)
        with open_image(file, str(source)) as image:
            return (image.format in SHOWN or image.format == "MPO") and orientation(image) == 1


def large_jpeg(entry: Entry, widest: int = WIDEST, highest: int = HIGHEST) -> bytes:
    """The image of an entry, reduced to a size.

    Raises:
        MediaError: it cannot be read.
    """
    image = _image(entry)
    image.thumbnail((widest, highest))
    return _jpeg(image, QUALITY)


def small_jpeg(image: Image) -> bytes:
    """An image reduced to a small one."""
    image.thumbnail(SMALL)
    return _jpeg(image, 70)


def first_frame(source: Path) -> Image:
    """The frame of a video that is shown after half a second, or its last.

    Raises:
        MediaError: there is none.
    """
    from PIL import Image

    from pipelines.media.video import open_video

    frame = None
    for frame in open_video(source).frames(shorter_side=SMALL[1], strict=False):
        if frame.time >= 0.5:
            break
    if frame is None:
        raise MediaError(source, "holds no frame", "get a whole copy of it")
    return Image.fromarray(frame.pixels)


def _small_of(entry: Entry) -> bytes:
    with _drafted(entry.source) as image:
        return small_jpeg(image if image is not None else _image(entry))


@contextmanager
def _drafted(source: Path) -> Iterator[Image | None]:
    """A JPEG decoded at a fraction of its size, which takes a fraction of the time; None for what is none."""
    from PIL import ImageOps

    from pipelines.media.images import damage_named, open_image

    with open(source, "rb") as file:
        is_jpeg = file.read(3) == b"\xff\xd8\xff"
        file.seek(0)
        if not is_jpeg:
            yield None
            return
        with open_image(file, str(source)) as image, damage_named(str(source)):
            image.draft("RGB", (2 * SMALL[0], 2 * SMALL[1]))
            shown = ImageOps.exif_transpose(image).convert("RGB")
        yield shown


def _image(entry: Entry) -> Image:
    from PIL import Image

    from pipelines.media.documents import page_of
    from pipelines.media.images import read_image

    source = page_of(entry.source, entry.part, PDF_DPI)
    return Image.fromarray(read_image(source, colour=True).pixels)


def _jpeg(image: Image, quality: int) -> bytes:
    content = io.BytesIO()
    image.save(content, "JPEG", quality=quality)
    return content.getvalue()


def _ink(entry: Entry) -> tuple[View | None, str | None]:
    """Where an entry's image lies; and if it is ink, its drawing.

    Raises:
        MediaError: the source cannot be read.
    """
    from pipelines.media.ink import piece
    from pipelines.media.kind import INK, kind_of

    page = entry.result if isinstance(entry.result, Page) else None
    if kind_of(entry.source).name == INK:
        strokes = piece(entry.source, entry.part).strokes
        view = view_of(strokes)
        return view, draw_ink(page or Page((), 0, 0, ""), strokes, view)
    return ((0.0, 0.0, max(page.width, 1), max(page.height, 1)) if page else None), None
