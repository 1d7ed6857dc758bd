"""Text files."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import DataError


def read_text(path: Path) -> str:
    """A UTF-8 file, without a byte order mark.

    Raises:
        DataError: it cannot be read, is not UTF-8, or holds no text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(path, f"cannot be read ({error.strerror})", "check the path") from error
    except UnicodeDecodeError as error:
        raise DataError(path, f"is not UTF-8 text ({error})", "save it as UTF-8") from error
    if not text.strip():
        raise DataError(path, "holds no text", "give a file with some")
    return text
