"""Reads ink from InkML, JSON lines and Python lists as strokes of points."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, ClassVar

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import locate, readable, unzipped
from pipelines.media.text import beginning

Source = str | os.PathLike | BinaryIO | Sequence | np.ndarray

LARGEST = 1 << 30  # bytes of a file, unpacked
MOST_LINES = 5_000_000  # of JSON
LONGEST_LINE = 1 << 24  # bytes of one piece of ink in JSON
FARTHEST = 1e9  # largest coordinate; float32 would lose the shape of larger ink
LATEST = 1e20  # largest time; nanoseconds since 1970 are smaller


@dataclass(frozen=True, eq=False)
class Ink:
    """One piece of online handwriting.

    Attributes:
        strokes: each (points, 3) float32: x to the right and y downwards in the ink's own units, and t in
            seconds from the first point with a time (in JSON and lists: in their own unit), NaN if unknown.
            Strokes without points are kept, so that stroke numbers are those of the source.
        label: the text written, if the source has it.
        writer: the writer, if the source names one.
        name: path of the file, or `<strokes>`.
        number: number of the piece in its file, from 1; None if it is not from a file.
        notes: strokes that could not be read and were left out, one sentence for each.
    """

    kind: ClassVar[str] = "ink"

    strokes: tuple[np.ndarray, ...]
    label: str | None = None
    writer: str | None = None
    name: str = "<strokes>"
    number: int | None = None
    notes: tuple[str, ...] = ()


def open_ink(source: Source | Ink, kind: str = "ink", options: object = None) -> list[Ink]:
    """The pieces of ink that a source holds; opener of the tasks for ink."""
    return [source] if isinstance(source, Ink) else read_ink(source)


def read_ink(source: Source) -> list[Ink]:
    """Read all pieces of ink that a source holds.

    Args:
        source: a path or binary file object with InkML or JSON lines, either also in gzip format (the content
            decides); or the strokes of one piece: [[(x, y), ...], ...], each point with an optional time as
            third number, or arrays of shape (points, 2 or 3). A line of JSON is {"strokes": [[[x, y(, t)],
            ...], ...]}, with optional "label" and "writer". An InkML file is one piece, unless it has no
            label and groups in it have: then each of these is one.

    Raises:
        MediaError: the source cannot be read, holds no ink, or is malformed.
    """
    if isinstance(source, (str, os.PathLike)) or hasattr(source, "read"):
        return _read_file(source)
    name = "<strokes>"
    return [Ink(_strokes(source, name), name=name)]


def _read_file(source: str | os.PathLike | BinaryIO) -> list[Ink]:
    name, open_it = locate(source)
    with readable(name, open_it) as file:
        try:
            found = _read_plain(unzipped(file), name)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise MediaError(name, f"is damaged or cut off ({error})", "get a whole copy of it") from error
    if not found:
        raise MediaError(name, "holds no ink", "check that something was written")
    return found


def _read_plain(file: BinaryIO, name: str) -> list[Ink]:
    """Read the ink of a decompressed file, whose first bytes tell the format."""
    head = file.read(1024)
    file.seek(0)
    if not head:
        raise MediaError(name, "is empty", "check that something was written")
    head = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if wide and (beginning(head) or "").startswith("{"):
        try:
            file = io.BytesIO(file.read(LARGEST).decode("utf-16").encode())
        except UnicodeError as error:
            raise MediaError(name, f"is not UTF-16 throughout ({error})", "save it as UTF-8") from error
        return list(_from_lines(file, name))
    if wide or head.startswith(b"<"):
        return _from_inkml(file, name)
    if head.startswith(b"{"):
        return list(_from_lines(file, name))
    raise MediaError(name, "is neither InkML nor JSON lines", "convert it to one of them")


def _strokes(strokes: object, name: str) -> tuple[np.ndarray, ...]:
    """Convert lists or arrays to the arrays of `Ink`."""
    if not isinstance(strokes, (Sequence, np.ndarray)) or isinstance(strokes, (str, bytes)):
        raise MediaError(name, "its strokes are not a list", "give [[(x, y), ...], ...]")
    arrays = []
    for index, stroke in enumerate(strokes):
        try:
            points = np.asarray(stroke)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            cause = f"stroke {index} is not a list of points of the same size"
            raise MediaError(name, cause, "give each point as x, y or x, y, t") from error
        if points.size == 0 and points.ndim in (1, 2):
            arrays.append(np.zeros((0, 3)))
            continue
        if points.dtype.kind not in "iuf" or points.ndim != 2 or points.shape[1] not in (2, 3):
            cause = f"stroke {index} is not (points, 2 or 3) numbers"
            raise MediaError(name, cause, "give each point as x, y or x, y, t")
        points = points.astype(np.float64)
        if points.shape[1] == 2:
            points = np.column_stack([points, np.full(len(points), np.nan)])
        arrays.append(points)
    return _checked(arrays, name)


def _checked(strokes: list[np.ndarray], name: str) -> tuple[np.ndarray, ...]:
    """Check strokes, (points, 3) float64 each, convert to float32, times from the first point."""
    if not any(len(stroke) for stroke in strokes):
        raise MediaError(name, "holds no points", "check that something was written")
    for index, stroke in enumerate(strokes):
        if not np.isfinite(stroke[:, :2]).all():
            cause = f"stroke {index} has coordinates that are not numbers"
            raise MediaError(name, cause, "check how it was made, or save it again")
        if (np.abs(stroke) > (FARTHEST, FARTHEST, LATEST)).any():
            cause = f"stroke {index} has coordinates beyond {FARTHEST:.0e} or times beyond {LATEST:.0e}"
            raise MediaError(name, cause, "give it in other units")
    times = np.concatenate([stroke[:, 2] for stroke in strokes])
    known = times[~np.isnan(times)]
    first = (0.0, 0.0, known[0] if len(known) else 0.0)
    return tuple((stroke - first).astype(np.float32) for stroke in strokes)


# JSON lines


def _from_lines(file: BinaryIO, name: str) -> Iterator[Ink]:
    total, number = 0, 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        total += len(line)
        where = f"{name}:{number}"
        if len(line) > LONGEST_LINE:
            raise MediaError(where, f"is longer than {LONGEST_LINE >> 20} MiB", "split it")
        if total > LARGEST:
            raise MediaError(name, f"holds more than {LARGEST >> 30} GiB", "split it")
        if number > MOST_LINES:
            raise MediaError(name, f"holds more than {MOST_LINES:,} lines", "split it")
        if line.strip():
            yield _from_json(line, name, where, number)


def _from_json(line: bytes, name: str, where: str, number: int) -> Ink:
    try:
        item = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise MediaError(
            where, f"is not JSON ({error})", "write one object a line, all on one line"
        ) from error
    if not isinstance(item, dict) or "strokes" not in item:
        raise MediaError(where, 'has no "strokes"', 'write {"strokes": [[[x, y], ...], ...]}')
    strokes = _strokes(item["strokes"], where)
    label, writer = item.get("label"), item.get("writer")
    if label is not None and not isinstance(label, str):
        raise MediaError(where, f"its label is {type(label).__name__}, not text", "write it in quotes")
    if writer is not None and not isinstance(writer, (str, int)):
        raise MediaError(where, f"its writer is {type(writer).__name__}, not text", "write it in quotes")
    return Ink(strokes, label, None if writer is None else str(writer), name, number)


# InkML


def _from_inkml(file: BinaryIO, name: str) -> list[Ink]:
    from pipelines.media.inkml import read_inkml

    pieces = read_inkml(file, name)
    return [
        Ink(_checked(piece.strokes, f"{name}:{number}"), piece.label, piece.writer, name, number, piece.notes)
        for number, piece in enumerate(pieces, start=1)
    ]
