"""One process at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from pipelines.errors import DataError


@contextlib.contextmanager
def locked(folder: Path, out: Path | None = None) -> Iterator[None]:
    """Hold a folder's lock; the folder is made if missing, and removed again if it stays empty.

    Windows and file systems without locks hold none.

    Args:
        folder: to be locked.
        out: the folder that an error names, if another one.

    Raises:
        DataError: another training holds it.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _lock(folder, out):
            yield
    finally:
        if is_new:
            with contextlib.suppress(OSError):  # something is in it
                folder.rmdir()


@contextlib.contextmanager
def _lock(folder: Path, out: Path | None) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                way = "wait for its end, stop it, or give another --out"
                raise DataError(out or folder, "another training is at work in it", way) from None
        yield
    finally:
        os.close(handle)
