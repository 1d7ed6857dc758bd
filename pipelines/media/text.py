"""Reads text files, plain or compressed."""

from __future__ import annotations

import codecs
import zlib
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.files import locate, unzipped

LARGEST = 200_000_000  # bytes, decompressed
HEAD = 1000  # bytes by which it is told what a file holds


def beginning(head: bytes) -> str | None:
    """The first bytes of a text file as text, without a byte order mark and white space; None where a file is
    no text in UTF-8 or UTF-16.
    """
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    # The last character may be cut off.
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if "\ufffd" in text or any(char < " " and char not in "\t\n\r\f\x1b" for char in text):
        return None
    return text.lstrip("\ufeff \t\r\n")


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Read a text file in UTF-8, or in UTF-16 with a byte order mark; it may be compressed (gzip).

    Line breaks of all systems become line feeds, and a byte order mark is removed.

    Args:
        path: the file.
        largest: limit of its decompressed size, bytes.

    Raises:
        DataError: the file cannot be read, is larger, is in another encoding, or holds no text.
    """
    return _decoded(path, largest).replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, empty ones too, without white space at their ends; see `read_text`.

    Only line feeds end a line, so that files which belong together line by line stay so; but in a file that
    has none, carriage returns do.
    """
    text = _decoded(path, LARGEST)
    lines = text.split("\n" if "\n" in text else "\r")
    if not lines[-1].strip():
        lines.pop()
    return [line.strip() for line in lines]


def _decoded(path: Path, largest: int) -> str:
    try:
        with locate(path)[1]() as file:
            held = unzipped(file).read(largest + 1)
    except MediaError as error:
        raise DataError(path, error.cause, error.way_out) from error
    except (EOFError, OSError, ValueError, zlib.error) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise DataError(path, f"cannot be read ({cause})", "check the path and the file") from error
    if len(held) > largest:
        way = f"give a part of it, of at most {largest / 1e6:.0f} MB"
        raise DataError(path, "holds too much text", way)
    wide = held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = held.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(path, f"is not UTF-8 text ({error})", "save it as UTF-8") from error
    if held.count(b"\0", 0, HEAD) > len(held[:HEAD]) // 4 and not wide and len(held) > 3:
        cause = "is not UTF-8 text (it looks like UTF-16 without a byte order mark)"
        raise DataError(path, cause, "save it as UTF-8")
    if not text.strip():
        raise DataError(path, "holds no text", "give a file with some")
    return text
