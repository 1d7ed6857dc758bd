"""Text and file names in the form that formats of one item a line take."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

LINE_BREAKS = re.compile(r"[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")


def one_line(text: str) -> str:
    """The text with a space for each run of tabs and line breaks of any kind."""
    return LINE_BREAKS.sub(" ", text)


def without_spaces(text: str) -> str:
    """The text with an underscore for each run of white space."""
    return re.sub(r"\s+", "_", text)


def printable(name: str) -> str:
    """A file name with a question mark for each byte that is not UTF-8, which no UTF-8 file could hold."""
    return name.encode("utf-8", "replace").decode("utf-8")


def distinct_names(sources: Sequence[str]) -> list[str]:
    """File names, or where two files have the same, paths without the folders that all have in common."""
    names = [re.split(r"[/\\]", source)[-1] for source in sources]
    if len(set(names)) == len(names):
        return names
    paths = [os.path.abspath(source) for source in sources]
    root = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]
