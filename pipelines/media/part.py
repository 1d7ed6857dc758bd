"""A part of a file as a file of its own, for libraries whose callbacks must not raise anything."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def part_of(file: BinaryIO, start: int = 0, end: int | None = None) -> Iterator[Part]:
    """A part of a file, between two positions; None is the file's end.

    Raises:
        OSError: in the end, if the disk failed within: what a library made of that does not count.
    """
    part = Part(file, start, end)
    try:
        yield part
    finally:
        if part.failed:
            raise part.failed


class Part(io.RawIOBase):
    """A part of a file, in which seeking never fails. Where reading fails, it ends.

    Attributes:
        failed: why reading failed, if it did.
    """

    def __init__(self, file: BinaryIO, start: int, end: int | None):
        self.file, self.start = file, start
        self.end = file.seek(0, os.SEEK_END) if end is None else end
        self.failed: OSError | None = None
        file.seek(start)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.failed:
            return 0
        try:
            data = self.file.read(max(0, min(len(buffer), self.end - self.file.tell())))
        except OSError as error:
            self.failed = error
            return 0
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: self.start, os.SEEK_CUR: self.file.tell(), os.SEEK_END: self.end}[whence]
        if origin + offset >= self.start:  # a damaged header may ask for anything
            with contextlib.suppress(OSError, ValueError, OverflowError):
                self.file.seek(origin + offset)
        return self.tell()

    def tell(self) -> int:
        return self.file.tell() - self.start
