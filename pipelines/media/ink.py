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
from functools import lru_cache
from typing import BinaryIO, ClassVar

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.files import locate, readable, unzipped
from pipelines.media.text import beginning

Source = str | os.PathLike | BinaryIO | Sequence | np.ndarray

LARGEST = 1 << 30  # bytes of a file, unpacked
MOST_LINES = 5_000_000  # of JSON
LONGEST_LINE = 1 << 24  # bytes of one piece of ink in JSON
MOST_FAULTS = 10_000  # lines of JSON that cannot be read
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
        fault: why this piece cannot be read, where others of its file can; it has no strokes then.
    """

    kind: ClassVar[str] = "ink"

    strokes: tuple[np.ndarray, ...]
    label: str | None = None
    writer: str | None = None
    name: str = "<strokes>"
    number: int | None = None
    notes: tuple[str, ...] = ()
    fault: MediaError | None = None


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

    Returns:
        The pieces in order. One that cannot be read has a `fault`, if there is one that can be.

    Raises:
        MediaError: the source cannot be read, holds no ink, or no piece of it can be read.
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
    if all(ink.fault for ink in found):
        raise found[0].fault
    return found


def piece(path: str | os.PathLike, number: int | None) -> Ink:
    """The piece of that number in a file; the first if it is None. Files are not read for each piece anew.

    Raises:
        MediaError: as of `read_ink`; there is no such piece, or it cannot be read.
    """
    state = os.stat(path) if os.path.isfile(path) else None
    found = _pieces(os.fspath(path), state and (state.st_mtime_ns, state.st_size))
    chosen = next((ink for ink in found if number in (None, ink.number)), None)
    if chosen is None:
        raise MediaError(path, f"holds no piece {number}", "check what has changed it")
    if chosen.fault:
        raise chosen.fault
    return chosen


@lru_cache(maxsize=1)  # the pieces of a file come one after the other
def _pieces(path: str, state: tuple[int, int] | None) -> list[Ink]:
    return read_ink(path)


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
        return list(_from_inkml(file, name))
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
    total, number, faults = 0, 0, 0
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
        if not line.strip():
            continue
        try:
            yield _from_json(line, name, where, number)
        except MediaError as fault:
            faults += 1
            if faults > MOST_FAULTS:
                raise
            yield Ink((), name=name, number=number, fault=fault)


def _from_json(line: bytes, name: str, where: str, number: int) -> Ink:
    try:
        item = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        cause = f"is not JSON by itself ({_plain(error)})"
        raise MediaError(
            where, cause, "write each piece of ink as one object, on a line of its own"
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


def _plain(error: Exception) -> str:
    """What is wrong with a line of JSON, without the place in it, which is that of another line."""
    return getattr(error, "msg", None) or str(error)


# InkML


def _from_inkml(file: BinaryIO, name: str) -> Iterator[Ink]:
    from pipelines.media.inkml import read_inkml

    for number, found in enumerate(read_inkml(file, name), start=1):
        strokes, fault = (), None
        try:
            strokes = _checked(found.strokes, f"{name}:{number}")
        except MediaError as error:
            fault = error
        yield Ink(strokes, found.label, found.writer, name, number, found.notes, fault)
