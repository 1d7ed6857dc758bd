"""Tells tables of numbers from the other texts that lie beside them."""

from __future__ import annotations

import os
import zlib
from itertools import islice

from pipelines.errors import MediaError
from pipelines.media.files import locate, unzipped
from pipelines.media.signal_tables import (
    DECIMAL_COMMA,
    LOOKED_AT,
    MISSING,
    NUMBER,
    delimiter_of,
    head_of,
    rows_in,
)
from pipelines.media.signals import TS
from pipelines.media.text import beginning

HEAD = 65_536  # bytes that are looked at


def why_no_table(path: str | os.PathLike) -> str | None:
    """Why the beginning of a text file is no table with a row a time step; None if it may be one.

    At least half of the first rows must hold a number, besides their names and times.
    """
    try:
        with locate(path)[1]() as file:
            head = unzipped(file).read(HEAD)
    except (MediaError, EOFError, OSError, zlib.error):
        return None  # whoever reads it says so
    text = beginning(head)
    if text is None or TS.match(text):
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    whole = text if len(head) < HEAD else text[: text.rfind("\n") + 1]
    delimiter = delimiter_of(whole)
    try:
        _, _, first = head_of(str(path), whole, delimiter)
        rows = [row for _, row in islice(rows_in(str(path), whole, delimiter), first, first + LOOKED_AT)]
    except MediaError:
        return None
    counted = sum(any(map(_is_number, row)) for row in rows)
    return None if rows and 2 * counted >= len(rows) else "text without rows of numbers"


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell)) or (
        cell.lower() in MISSING and cell != ""
    )
