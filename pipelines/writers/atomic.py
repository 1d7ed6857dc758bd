"""Atomic file writing."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TEMPORARY = re.compile(r"\.(\d{1,9})\.[0-9a-f]{32}\.tmp", re.ASCII)


@contextmanager
def write_atomically(path: str | Path, mode: str = "w") -> Iterator[IO]:
    """Open a temporary file that replaces `path` when the block completes.

    If the block raises, `path` is left as it was. Missing parent folders are created. Symbolic links are
    followed: their target is replaced.

    Args:
        path: the file to write.
        mode: `"w"` for text (UTF-8, lines end in a bare newline) or `"wb"` for bytes.

    Yields:
        The open file.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"mode is {mode!r}; choose 'w' or 'wb'")
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    # Not built from the target's name, which may already be as long as the file system allows; not from
    # tempfile, whose files only their owner can read.
    temporary = target.parent / f".{os.getpid()}.{uuid.uuid4().hex}.tmp"
    text = {} if mode == "wb" else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(temporary, mode.replace("w", "x"), **text) as file:
            _lock(file)
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_left(folder: Path) -> None:
    """Remove the temporary files in a folder that killed runs left.

    A file is in use if its process runs, or if it is locked, by a process of another machine perhaps.
    """
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            match = TEMPORARY.fullmatch(entry.name)
            if match and not _runs(int(match[1])) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError), open(entry.path, "ab") as file:
                    if _lock(file):
                        os.unlink(entry.path)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _lock(file: IO) -> bool:
    """Lock an open file against `remove_left`, as long as it is open; False if another has locked it."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # systems and file systems without locks
        return True
    return True
