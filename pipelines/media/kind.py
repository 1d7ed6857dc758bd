"""Says once what a source is: a recording, an image, a document, ink, a video, frames, a signal or text.

The content decides. A file is opened once, and its head is read once; only a container that may hold sound,
pictures or both is looked into. The name of a file counts where its content is nothing that is known here,
so that a ruined recording is reported and not passed over.
"""

from __future__ import annotations

import io
import json
import os
import re
import zlib
from dataclasses import dataclass, replace
from numbers import Number
from typing import BinaryIO

from pipelines.errors import MediaError
from pipelines.media import images, recording, remote, signals, video_file
from pipelines.media.files import GZIP, locate, readable
from pipelines.media.part import part_of
from pipelines.media.text import OLD_OFFICE, beginning
from pipelines.tasks import TASKS, resolve

RECORDING = "recording"
IMAGE = "image"
ANIMATION = "animated image"
PAGES = "image of several pages"  # TIFF
PDF = "PDF document"
INK = "ink"
LAYOUT = "page layout"  # PAGE XML or ALTO
VIDEO = "video"
FRAMES = "frames"  # a folder of images, or an array of them
TEXT = "text"
SIGNAL = "signal"  # a medical recording, or a set of series
ARCHIVE = "archive"
OFFICE = "office document"  # a text or spreadsheet of a word processor, in XML or older
UNKNOWN = "unknown"
STILL = (IMAGE, ANIMATION, PAGES)  # what is read as pictures

HEAD = 4096  # bytes that are looked at
XML_HEAD = 65_536  # bytes of an XML file, which may begin with long comments
SOUND = re.compile(
    rb"(RIFF|RIFX|RF64)....WAVE|FORM....AIF[FC]|fLaC|ID3|caff|NIST_1A|\.snd|riff\x2e\x91", re.DOTALL
)
"""How files begin that hold nothing but sound."""
PHOTOGRAPH = re.compile(rb"....ftyp(hei[cxms]|hev[cx]|mif1|msf1|avi[fs])", re.DOTALL)
"""How photographs begin that come in a container for video."""
ARCHIVES = (b"PK\x03\x04", b"\x7fELF", b"MZ")
PACKED = (GZIP, b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!\x1a", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")

NAMED = {
    RECORDING: "aac ac3 aif aifc aiff amr au caf flac m4a mka mp2 mp3 oga ogg opus snd w64 wav wma",
    VIDEO: "3gp avi flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv vob webm wmv",
    IMAGE: "avif bmp gif heic heif j2k jp2 jpe jpeg jpg jpx pbm pgm png pnm ppm tif tiff webp",
    PDF: "pdf",
    INK: "inkml inkml.gz jsonl jsonl.gz",
    SIGNAL: "bdf edf hea",
}
"""Endings of file names by what they promise. Not from `mimetypes`, whose answer depends on the machine."""
_NAMED = {f".{ending}": kind for kind, endings in NAMED.items() for ending in endings.split()}


@dataclass(frozen=True)
class Kind:
    """What a source is.

    Attributes:
        name: one of the constants of this module, or the first of the kinds of a task that detects its own.
        source: what to read it from: the source itself, or a copy on disk of a stream that can be read once.
        file: path, name of a file object, or "" for what is in no file.
        sound: whether it may hold sound.
        empty: whether it is a file of no bytes.
        ruined: whether only its name says what it is.
        fault: why it could not be looked at.
    """

    name: str
    source: object = None
    file: str = ""
    sound: bool = False
    empty: bool = False
    ruined: bool = False
    fault: MediaError | None = None


def kind_of(source: object) -> Kind:
    """What a source is, by its content.

    Args:
        source: a path; a binary file object; a folder of frames; an array or tensor, of 1 dimension for
            samples, 2 or 3 for an image, 4 for frames; a Pillow image; strokes as lists of points; or what
            has been opened and says its `kind` itself, such as a page of a PDF.

    Raises:
        MediaError: there is no such file, it may not be read, or the source is none of these.
    """
    declared = getattr(source, "kind", None)
    if isinstance(declared, str):
        return Kind(declared, source)
    if hasattr(source, "ndim"):
        name = {1: RECORDING, 4: FRAMES}.get(source.ndim, IMAGE)
        return Kind(name, source, sound=source.ndim < 3)
    if hasattr(source, "getexif"):
        return Kind(IMAGE, source)
    if is_strokes(source):
        return Kind(INK, source)
    if remote.is_remote(source):
        with remote.peeked(source) as file:
            return replace(_kind_of_file(file), source=source)
    if isinstance(source, (str, os.PathLike)) and os.path.isdir(source):
        return Kind(FRAMES, source, os.fspath(source))
    return _kind_of_file(source)


def kind_or_name(path: str | os.PathLike) -> Kind:
    """What a file is; of one that cannot be opened, what its name promises."""
    try:
        return kind_of(path)
    except MediaError as error:
        name = named_kind(path)
        return Kind(name, path, os.fspath(path), name in (RECORDING, VIDEO), ruined=True, fault=error)


def named_kind(path: str | os.PathLike) -> str:
    """What the name of a file promises; UNKNOWN where it promises nothing that is known here."""
    name = os.path.basename(os.fspath(path)).lower()
    found = [kind for ending, kind in _NAMED.items() if name.endswith(ending)]
    return found[0] if found else UNKNOWN


def is_one(source: object) -> bool:
    """Whether it is one source, rather than a list or a generator of them."""
    if isinstance(source, (str, os.PathLike)) or isinstance(getattr(source, "kind", None), str):
        return True
    return any(hasattr(source, name) for name in ("ndim", "getexif", "read")) or is_strokes(source)


def is_strokes(source: object) -> bool:
    """Whether these are strokes: lists of points, numbers three levels down."""
    depth = 0
    while isinstance(source, (list, tuple)):
        source = next((each for each in source if not isinstance(each, (list, tuple)) or each), None)
        depth += 1
    if depth and getattr(source, "shape", (0,))[-1:] in ((2,), (3,)):
        return depth + source.ndim == 3
    return depth == 3 and isinstance(source, Number)


def _kind_of_file(source: str | os.PathLike | BinaryIO) -> Kind:
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        head = file.read(HEAD)
        found, sound = _content(file, head, name)
    if found in (TEXT, UNKNOWN):
        found = _detected(head, name) or found
    promised = named_kind(name)
    ruined = promised != UNKNOWN and found in (TEXT, UNKNOWN) and not _is_other_json(head, promised)
    if ruined:
        found, sound = promised, promised in (RECORDING, VIDEO)
    if found == UNKNOWN and (head.startswith(PACKED) or head[257:262] == b"ustar"):
        found = OFFICE if is_office(head) else ARCHIVE
    if found == UNKNOWN and head.startswith(OLD_OFFICE):
        found = OFFICE
    is_stream = isinstance(source, (str, os.PathLike)) and not os.path.isfile(source)
    again = file if is_stream or not _is_seekable(source) else source
    return Kind(found, again, name, sound, not head, ruined)


def is_office(head: bytes) -> bool:
    """Whether the first bytes of a ZIP archive are those of an office document."""
    marks = (b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"mimetypeapplication/vnd.oasis")
    return head.startswith(b"PK\x03\x04") and any(mark in head for mark in marks)


def _is_seekable(source: object) -> bool:
    return isinstance(source, (str, os.PathLike)) or bool(getattr(source, "seekable", bool)())


def _content(file: BinaryIO, head: bytes, name: str) -> tuple[str, bool]:
    """What a file is by its content, and whether it may hold sound."""
    if b"%PDF-" in head[:1024]:  # readers allow for something before it
        return PDF, False
    if SOUND.match(head):
        return RECORDING, True
    if signals.EDF.match(head):
        return SIGNAL, False
    if not recording.RECORDING.match(head):
        moves = _moves(file, name)
        if moves is not None:
            return ANIMATION if moves else PAGES if _has_pages(file, head, name) else IMAGE, False
        text = _text(file, head)
        if text is not None:
            return _kind_of_text(text), False
        if not head or head.startswith((GZIP, *ARCHIVES)) or PHOTOGRAPH.match(head):
            return UNKNOWN, False
    return _tracks(file, head, name)


def _detected(head: bytes, name: str) -> str | None:
    """The kind that a task of the table tells itself."""
    for row in TASKS.values():
        if row.detect and resolve(row.detect)(head, name):
            return row.kinds[0]
    return None


def _moves(file: BinaryIO, name: str) -> bool | None:
    file.seek(0)
    try:
        return images.is_animated(file, name)
    except MediaError:
        return None


def _has_pages(file: BinaryIO, head: bytes, name: str) -> bool:
    if not head.startswith(images.TIFF_HEADS):
        return False
    file.seek(0)
    try:
        with images.open_image(file, name) as image:
            return len(images.tiff_pages(image, name)) > 1
    except MediaError:  # whoever reads it says so
        return False


# Text


def _text(file: BinaryIO, head: bytes) -> str | None:
    """The beginning of a text file, which may be zipped; None for other files."""
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, XML_HEAD)
        except zlib.error:
            return None
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b"{")) and len(head) == HEAD:
        file.seek(0)
        head = file.read(XML_HEAD)
    return beginning(head) if head else None


def _kind_of_text(text: str) -> str:
    if text.startswith("<"):
        root = re.search(r"<(?:\w+:)?(PcGts|alto|ink)[\s>/]", text)
        return TEXT if root is None else INK if root[1] == "ink" else LAYOUT
    if text.startswith("{") and _has_strokes(text):
        return INK
    return SIGNAL if signals.format_of(b"", text) else TEXT


def _has_strokes(text: str) -> bool:
    """Whether a file of JSON lines begins with a piece of ink."""
    line = text.partition("\n")[0]
    try:
        return "strokes" in json.loads(line)
    except (ValueError, RecursionError):  # cut off, or of several lines
        return re.search(r'"strokes"\s*:\s*\[\s*\[\s*(\[|\])', line) is not None


def _is_other_json(head: bytes, promised: str) -> bool:
    """Whether a file that is named as ink is JSON lines of something else, such as a manifest."""
    if promised != INK:
        return False
    try:
        return isinstance(json.loads(io.BytesIO(head).readline()), dict)
    except (ValueError, RecursionError):
        return False


# Containers


def _tracks(file: BinaryIO, head: bytes, name: str) -> tuple[str, bool]:
    """What a container holds, as FFmpeg sees it; (kind, whether it may hold sound)."""
    import av

    sure = recording.RECORDING.match(head) is not None
    promised = named_kind(name)
    damaged = (promised if promised == RECORDING else VIDEO, True)
    with part_of(file) as part:
        try:
            container = av.open(part, metadata_errors="ignore", options={"protocol_whitelist": "none"})
        except (av.FFmpegError, EOFError):
            return damaged if sure else (UNKNOWN, False)
        return _tracks_in(container, sure, damaged)


def _tracks_in(container, sure: bool, damaged: tuple[str, bool]) -> tuple[str, bool]:
    from av.stream import Disposition

    with container:
        if sure and not container.streams:
            return damaged
        is_film = bool(set(container.format.name.split(",")) & set(video_file.FORMATS))
        tracks = [
            track
            for track in container.streams
            if track.type in ("audio", "video")
            and track.codec_context is not None
            and not track.disposition & Disposition.attached_pic
            and (track.type == "audio" or is_film)
        ]
        held = {track.type for track in tracks} if sure else _decoding(container, tracks)
    if "video" in held:
        return VIDEO, "audio" in held
    return (RECORDING, True) if "audio" in held else (UNKNOWN, False)


def _decoding(container, tracks: list) -> set[str]:
    """Types of the tracks of which a packet can be decoded: FFmpeg takes many a file for what it is not."""
    import av

    wanted, held = {track.type for track in tracks}, set()
    try:
        for packet in container.demux(tracks) if tracks else ():
            try:
                if packet.decode():
                    held.add(packet.stream.type)
            except av.FFmpegError:
                continue
            if held == wanted:
                break
    except av.FFmpegError:
        pass
    return held
