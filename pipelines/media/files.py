"""Sources given as paths or open files, with a uniform way to read them from the start."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import select
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO

from pipelines.errors import MediaError
from pipelines.media.remote import opened

GZIP = b"\x1f\x8b"  # first bytes of a gzip file

MOST_EXPANSION = 200  # of a gzip file; text expands 3 to 30-fold, and at most 1032-fold is possible
EXPANDED_FREELY = 1 << 20  # bytes, for small files of one character

PATIENCE = 5.0  # seconds in which a named pipe must have found a writer

_PIPES: dict[tuple[int, int], BinaryIO] = {}
"""Copies of pipes by device and inode: what decides the kind of a source and what reads it both open it."""

Opener = Callable[[], contextlib.AbstractContextManager[BinaryIO]]


def locate(source: str | os.PathLike | BinaryIO) -> tuple[str, Opener]:
    """The name of a source and its opener, a context manager that gives a seekable binary file.

    What is at an address for fsspec is copied to a temporary file.

    Raises:
        MediaError: the file does not exist, or the source is neither a path nor a binary file.
    """
    source = opened(source)
    if isinstance(source, (str, os.PathLike)):
        name = os.fspath(source)
        if os.path.isdir(name):
            raise MediaError(name, "is a folder", "give one file, or use the `triscribe` command for folders")
        if not os.path.exists(name):
            raise not_there(name)
        if os.path.isfile(name):
            return name, lambda: open(name, "rb")
        return name, _rewinder(_pipe(name))
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


def not_there(name: str | os.PathLike) -> MediaError:
    """Why nothing can be found at a path."""
    try:
        os.stat(name)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            return MediaError(
                name, "may not be read (permission denied)", "change its permissions or its owner"
            )
        if error.errno == errno.ELOOP:
            return MediaError(name, "is a link that leads in a circle", "mend or remove the link")
        if os.path.islink(name):
            cause = f"is a link to {os.readlink(name)}, which does not exist"
            return MediaError(name, cause, "mend or remove the link")
        if error.errno == errno.ENAMETOOLONG:
            return MediaError(name, "has a name longer than the disk takes", "check the path")
    except ValueError:  # a null byte
        pass
    return MediaError(name, "does not exist", "check the path")


@contextlib.contextmanager
def readable(name: str, open_it: Opener) -> Iterator[BinaryIO]:
    """Open a file, with errors of the operating system turned into MediaError."""
    with disk_errors(name), open_it() as file:
        yield file


def name_of(source: object) -> str:
    """What messages call a source."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


@contextlib.contextmanager
def disk_errors(name: object) -> Iterator[None]:
    """Within it, errors of the operating system are MediaErrors about a source: a disk that is gone, a file
    that vanished since it was found.
    """
    try:
        yield
    except PermissionError as error:
        raise MediaError(
            name, "may not be read (permission denied)", "change its permissions or its owner"
        ) from error
    except OSError as error:
        raise MediaError(
            name, f"cannot be read ({error.strerror or error})", "check the disk or copy it again"
        ) from error


def unzipped(file: BinaryIO) -> BinaryIO:
    """A seekable file from its start, decompressed if it is in gzip format.

    Damage shows when it is read: EOFError, zlib.error, or gzip.BadGzipFile, which is an OSError; so does a
    file that expands `MOST_EXPANSION`-fold.
    """
    zipped = file.read(len(GZIP)) == GZIP
    file.seek(0)
    return io.BufferedReader(_Expanding(file), 1 << 16) if zipped else file


class _Expanding(io.RawIOBase):
    """A decompressed gzip file, as long as it does not expand more than text ever does."""

    def __init__(self, file: BinaryIO):
        self.zipped, self.file = file, gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(place, whence)

    def tell(self) -> int:
        return self.file.tell()

    def readinto(self, buffer) -> int:
        data = self.file.read1(len(buffer))
        buffer[: len(data)] = data
        if self.file.tell() > EXPANDED_FREELY + MOST_EXPANSION * self.zipped.tell():
            raise gzip.BadGzipFile(f"expands more than {MOST_EXPANSION}-fold")
        return len(data)


def _pipe(name: str) -> BinaryIO:
    """A copy of what a pipe or device gives, which can be read only once; the same one when asked again.

    Raises:
        MediaError: it cannot be read, or it is a named pipe that nothing writes to.
    """
    try:
        state = os.stat(name)
        key = state.st_dev, state.st_ino
        if key not in _PIPES:
            if stat.S_ISBLK(state.st_mode) or (stat.S_ISCHR(state.st_mode) and _is_endless(name)):
                raise MediaError(name, "is a device", "give a file")
            descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK)
            try:
                _PIPES[key] = _spooled(io.BufferedReader(_Waiting(descriptor, name), 1 << 16))
            finally:
                os.close(descriptor)
    except PermissionError as error:
        cause = "may not be read (permission denied)"
        raise MediaError(name, cause, "change its permissions or its owner") from error
    except OSError as error:
        raise MediaError(name, f"cannot be read ({error.strerror or error})", "give a file") from error
    return _PIPES[key]


def _is_endless(name: str) -> bool:
    """Whether a character device is one like /dev/zero, which never ends: neither a terminal nor empty."""
    with open(name, "rb", buffering=0) as file:
        return not file.isatty() and file.read(1) != b""


class _Waiting(io.RawIOBase):
    """A pipe opened without blocking: it is waited for as long as something can write to it."""

    def __init__(self, descriptor: int, name: str):
        self.descriptor, self.name, self.begun = descriptor, name, False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                data = os.read(self.descriptor, len(buffer))
            except BlockingIOError:  # there is a writer that has nothing to say yet
                self.begun = True
                select.select([self.descriptor], [], [])
                continue
            if data or self.begun:
                self.begun = True
                buffer[: len(data)] = data
                return len(data)
            if time.monotonic() > deadline:
                if self.name == "/dev/stdin":
                    raise MediaError(self.name, "is empty (0 bytes)", "give it something to read")
                cause = "is a pipe that nothing writes to"
                raise MediaError(self.name, cause, "give a file, or start its writer")
            time.sleep(0.05)


def _spooled(stream: BinaryIO) -> BinaryIO:
    """A temporary copy of a stream that can be read only once, so that readers can seek."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 its user closes it
    shutil.copyfileobj(stream, file)
    return file


def _rewinder(file: BinaryIO) -> Opener:
    def rewind():
        file.seek(0)
        return contextlib.nullcontext(file)

    return rewind
