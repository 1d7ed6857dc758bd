"""Reads text files, plain or compressed."""

from __future__ import annotations

import codecs
import contextlib
import zlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from pipelines.errors import DataError, MediaError
from pipelines.media.files import locate, unzipped

LARGEST = 200_000_000  # bytes, decompressed
HEAD = 1000  # bytes by which it is told what a file holds
ZIP = b"PK\x03\x04"  # first bytes
PARQUET, OLD_OFFICE = b"PAR1", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
STRANGE = "\u00e4\u0416\u3042\u05d0\u0e01\u03b1"  # letters of which each encoding has some
_other: ContextVar[str | None] = ContextVar("encoding", default="")  # None where one can be given


@contextlib.contextmanager
def decoding(encoding: str | None) -> Iterator[None]:
    """Within it, in this thread, files that are not UTF-8 are read in this encoding; None refuses them."""
    token = _other.set(encoding)
    try:
        yield
    finally:
        _other.reset(token)


def check_encoding(encoding: str | None) -> None:
    """Check the name of an encoding.

    Raises:
        ValueError: Python knows none of this name, or its files look like ASCII ones.
    """
    if encoding is None:
        return
    try:
        known = "a,\n".encode(encoding) == b"a,\n" and not STRANGE.encode(encoding, "ignore").isascii()
    except (LookupError, UnicodeError):
        known = False
    if not known:
        way = "give one such as windows-1252, iso-8859-15, koi8-r, shift_jis or gb18030"
        raise ValueError(f"encoding {encoding!r} is none that text files can be read in; {way}")


def beginning(head: bytes) -> str | None:
    """The first bytes of a text file as text, without a byte order mark and white space; None where a file is
    no text in UTF-8, UTF-16 or the encoding of `decoding`.
    """
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    # The last character may be cut off.
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if "\ufffd" in text and _other.get():
        text = codecs.getincrementaldecoder(_other.get())(errors="replace").decode(head)
    if "\ufffd" in text or any(char < " " and char not in "\t\n\r\f\x1b" for char in text):
        return None
    return text.lstrip("\ufeff \t\r\n")


def is_other_text(head: bytes) -> bool:
    """Whether the first bytes of a file look like text in an encoding of single bytes, and not in UTF-8."""
    return bool(head) and not head.isascii() and all(byte >= 32 or byte in b"\t\n\r\f" for byte in head)


def strange_text(head: bytes) -> str | None:
    """What the first bytes of a file are that look like text with NUL characters; None for other files."""
    if b"\0" not in head:
        return None
    for encoding in ("utf-32", "utf-16-le", "utf-16-be"):
        whole = head[: len(head) // 4 * 4]
        with contextlib.suppress(UnicodeDecodeError):
            text = whole.decode(encoding)
            if text.isascii() and all(char.isprintable() or char in "\t\r\n\f" for char in text):
                return f"is a text in {encoding[:6].upper()}" + (
                    " without a byte order mark" if encoding != "utf-32" else ""
                )
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(head)
    plain = [char for char in text if char != "\0"]
    if 2 * len(plain) > len(text) and all(char.isprintable() or char in "\t\r\n\f" for char in plain):
        return "is a text with NUL characters in it"
    return None


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Read a text file, which may be compressed (gzip): in UTF-8, in UTF-16 with a byte order mark, or in the
    encoding of `decoding`.

    Line breaks of all systems become line feeds, and a byte order mark is removed.

    Args:
        path: the file.
        largest: limit of its decompressed size, bytes.

    Raises:
        DataError: the file cannot be read, is larger, is in another encoding, or holds no text.
    """
    return _read(path, largest).replace("\r\n", "\n").replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, empty ones too, without white space at their ends; see `read_text`.

    Only line feeds end a line, so that files which belong together line by line stay so; but in a file that
    has none, carriage returns do.
    """
    text = _read(path, LARGEST)
    lines = text.split("\n" if "\n" in text else "\r")
    if not lines[-1].strip():
        lines.pop()
    return [line.strip() for line in lines]


def decoded(name: str | Path, held: bytes, encoding: str | None = None) -> str:
    """What `read_text` makes of the bytes of a file.

    Args:
        name: of the file, for errors.
        encoding: of text that is not UTF-8; None takes that of `decoding`.

    Raises:
        DataError: it is in another encoding, or holds no text.
    """
    if held.startswith(ZIP):
        cause = "is a ZIP archive, as word processors and spreadsheets write it, and no text"
        raise DataError(name, cause, "save it as plain text, or as CSV")
    if held.startswith((PARQUET, OLD_OFFICE)):
        kind = "a Parquet table" if held.startswith(PARQUET) else "an office document"
        raise DataError(name, f"is {kind}, and no text", "save it as plain text, or as CSV")
    other = encoding or _other.get()
    wide = held.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = held.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            text = held.decode(other or "utf-8")
        except UnicodeDecodeError:
            cause = f"is neither UTF-8 nor {other} text" if other else f"is not UTF-8 text ({error})"
            way = "save it as UTF-8"
            if other is None:
                way += ", or say --encoding, such as windows-1252"
                cause += f": {way}"
            raise DataError(name, cause, way) from error
    if held.count(b"\0", 0, HEAD) > len(held[:HEAD]) // 4 and not wide and len(held) > 3:
        cause = "is not UTF-8 text (it looks like UTF-16 without a byte order mark)"
        raise DataError(name, cause, "save it as UTF-8")
    if not text.strip():
        raise DataError(name, "holds no text", "give a file with some")
    return text


def _read(path: Path, largest: int) -> str:
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
    return decoded(path, held)
