"""Text as formats of one item a line can hold it."""

from __future__ import annotations

import re

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
