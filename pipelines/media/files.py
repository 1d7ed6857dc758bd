"""Files as they are handed over: by path or already open, looked at, and read from their start."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pipelines.errors import MediaError

GZIP = b"\x1f\x8b"  # how a zipped file begins

Opener = Callable[[], contextlib.AbstractContextManager[BinaryIO]]


def locate(source: str | os.PathLike | BinaryIO) -> tuple[str, Opener]:
    """A name, and a function that returns a context manager giving a seekable binary file at its start.

    Raises:
        MediaError: when there is no file, or what is handed over is none.
    """
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        if os.path.isdir(name):
            raise MediaError(name, "is a folder", "give one file, or use the `triscribe` command for folders")
        if not os.path.exists(name):
            raise MediaError(name, "does not exist", "check the path")
        if os.path.isfile(name):
            return name, lambda: open(name, "rb")
        with readable(name, lambda: open(name, "rb")) as pipe:
            return name, _rewinder(_spooled(pipe))
    if not hasattr(source, "read") or isinstance(source, io.TextIOBase):
        raise MediaError(
            f"<{type(source).__name__}>",
            "is neither a path, a binary file object nor an array",
            "give a path, or a file opened with mode 'rb'",
        )
    name = getattr(source, "name", None)
    seekable = getattr(source, "seekable", None)
    file = source if seekable and seekable() else _spooled(source)
    return name if isinstance(name, str) else "<file object>", _rewinder(file)


@contextlib.contextmanager
def readable(name: str, open_it: Opener) -> Iterator[BinaryIO]:
    """The file that an opener gives, with the system's refusals turned into MediaError."""
    try:
        with open_it() as file:
            yield file
    except PermissionError as error:
        raise MediaError(
            name, "may not be read (permission denied)", "change its permissions or its owner"
        ) from error
    except OSError as error:
        raise MediaError(
            name, f"cannot be read ({error.strerror or error})", "check the disk or copy it again"
        ) from error


def unzipped(file: BinaryIO) -> BinaryIO:
    """A seekable file at its start, or if it is zipped (gzip), what is in it.

    Damage is found when it is read: EOFError, zlib.error, or gzip.BadGzipFile, which is an OSError.
    """
    zipped = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return gzip.open(file) if zipped else file


def _spooled(stream: BinaryIO) -> BinaryIO:
    """A copy on disk of what can be read only once, so that readers can seek in it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 its user closes it
    shutil.copyfileobj(stream, file)
    return file


def _rewinder(file: BinaryIO) -> Opener:
    def rewind():
        file.seek(0)
        return contextlib.nullcontext(file)

    return rewind
