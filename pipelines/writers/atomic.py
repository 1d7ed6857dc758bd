"""Atomic file writing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


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
    temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
    text = {} if mode == "wb" else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(temporary, mode.replace("w", "x"), **text) as file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
