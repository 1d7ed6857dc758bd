"""Reads EDF, EDF+ (Kemp & Olivan 2003) and BDF files: medical recordings with their annotations."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pipelines.errors import MediaError
from pipelines.media.blocks import reader_of
from pipelines.media.signals import MOST_CHANNELS, StoredSignal, unique

HEADER = 256  # bytes, and as many for each channel
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
LONGEST_GAP = 30 * 86400  # seconds that an interrupted recording may last
MOST_ANNOTATIONS = 1_000_000
WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
FIELDS = ("label", "transducer", "unit", "low", "high", "digital_low", "digital_high", "filter", "count", "")
ENTRY = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?\x14([^\x00]*)\x14\x00")
"""An entry of an annotation channel: onset, duration, texts parted by \\x14."""


@dataclass(frozen=True)
class _Channel:
    label: str
    unit: str
    low: float
    high: float
    digital_low: float
    digital_high: float
    count: int

    @property
    def gain(self) -> float:
        return (self.high - self.low) / (self.digital_high - self.digital_low)


def open_edf(name: str, strict: bool = True) -> StoredSignal:
    """Open an EDF, EDF+ or BDF file.

    Channels slower than the fastest are interpolated to its rate; gaps of an interrupted recording (EDF+D)
    are missing values; annotations are its `labels`.

    Args:
        name: path of the file.
        strict: whether one that breaks off is refused; without, what there is is read.

    Raises:
        MediaError: it is damaged, or has no channel of numbers.
    """
    size = os.path.getsize(name)
    with open(name, "rb") as file:
        head = file.read(HEADER)
        count = _number(name, head[252:256], "number of channels", int)
        if not 0 < count <= MOST_CHANNELS:
            raise MediaError(name, f"says that it has {count} channels", "make the file again")
        fields = file.read(HEADER * count)
    if len(head) < HEADER or len(fields) < HEADER * count:
        raise MediaError(name, "ends within its header", "copy the file again")
    width = 3 if head[:1] == b"\xff" else 2
    channels = _channels(name, fields, count)
    seconds = _number(name, head[244:252], "duration of a record", float)
    promised = _number(name, head[236:244], "number of records", int)
    record = sum(channel.count for channel in channels)
    begin = HEADER * (count + 1)
    held = max(0, size - begin) // (record * width)
    notes = []
    if promised > held and strict:
        cause = f"ends after {held} of {promised} records"
        raise MediaError(name, cause, "copy the file again, or have what there is read (--lenient)")
    if promised > held:
        notes.append(f"ends after {held} of {promised} records")
    blocks = held if promised < 0 else min(held, promised)
    signals = [each for each in channels if each.label not in ANNOTATIONS]
    if not blocks or not signals or not 0 < seconds < np.inf:
        cause = "has no records" if signals else "has no channel of numbers over time"
        if signals and not 0 < seconds < np.inf:
            cause = f"states that a record lasts {seconds:g} seconds"
        raise MediaError(name, cause, "give a recording of some signal")
    if 0 <= promised < held:
        notes.append(f"holds {held} records, of which its header states {promised}: the rest is not read")
    with open(name, "rb") as file:
        raw = np.memmap(file, np.uint8, "r", begin, (blocks, record * width))
    offsets = np.cumsum([0, *(channel.count for channel in channels)]) * width
    where = {id(channel): slice(offsets[place], offsets[place + 1]) for place, channel in enumerate(channels)}

    def decode(first: int, last: int) -> list[np.ndarray]:
        return [_decoded(raw[first:last, where[id(each)]], each, width) for each in signals]

    marked = [each for each in channels if each.label in ANNOTATIONS]
    stamps, labels = _annotations(raw, [where[id(each)] for each in marked])
    counts = [each.count for each in signals]
    rate = max(counts) / seconds
    starts = None
    if head[192:197] in (b"EDF+D", b"BDF+D") and len(stamps) == blocks:
        starts = np.round((np.array(stamps) - stamps[0]) * rate)
        if (np.diff(starts) < max(counts)).any() or starts[-1] > LONGEST_GAP * rate:
            raise MediaError(name, "has records at impossible times", "make the file again")
        starts = None if (np.diff(starts) == max(counts)).all() else starts.astype(np.int64)
    read, length = reader_of(counts, blocks, decode, starts)
    zero = stamps[0] if stamps else 0.0
    return StoredSignal(
        read,
        length,
        unique([each.label for each in signals]),
        rate,
        tuple(each.unit for each in signals),
        _start(head[168:184].decode("latin-1")),
        name,
        tuple(notes),
        tuple((onset - zero, duration, text) for onset, duration, text in labels),
        medical=True,
    )


def _channels(name: str, fields: bytes, count: int) -> list[_Channel]:
    columns, place = {}, 0
    for field, width in zip(FIELDS, WIDTHS, strict=True):
        columns[field] = [fields[place + width * each : place + width * (each + 1)] for each in range(count)]
        place += width * count
    found = []
    for each in range(count):
        text = {field: columns[field][each].decode("latin-1").strip(" \0") for field in ("label", "unit")}
        ranges = {
            field: _number(name, columns[field][each], f"{field} of channel {text['label']}", float)
            for field in ("low", "high", "digital_low", "digital_high")
        }
        samples = _number(name, columns["count"][each], f"samples of channel {text['label']}", int)
        channel = _Channel(**text, **ranges, count=samples)
        if not 0 < samples < 1 << 24 or channel.digital_low == channel.digital_high:
            cause = f"channel {text['label']!r} has {samples} samples a record and no range of values"
            cause = cause if channel.digital_low == channel.digital_high else cause.partition(" and")[0]
            raise MediaError(name, cause, "make the file again")
        found.append(channel)
    return found


def _decoded(raw: np.ndarray, channel: _Channel, width: int) -> np.ndarray:
    """(records, bytes) -> (samples,) in physical units."""
    data = np.ascontiguousarray(raw)
    if width == 2:
        digital = data.reshape(-1).view("<i2").astype(np.float32)
    else:
        padded = np.zeros((data.size // 3, 4), np.uint8)
        padded[:, 1:] = data.reshape(-1, 3)
        digital = (padded.reshape(-1).view("<i4") >> 8).astype(np.float32)
    return (digital - np.float32(channel.digital_low)) * np.float32(channel.gain) + np.float32(channel.low)


def _annotations(raw: np.ndarray, columns: list[slice]) -> tuple[list[float], list[tuple[float, float, str]]]:
    """Times at which the records begin, and (onset, duration, text) in seconds of what is annotated."""
    stamps, labels = [], []
    for number, record in enumerate(raw if columns else ()):
        for place, column in enumerate(columns):
            for entry in ENTRY.finditer(record[column].tobytes()):
                texts = entry[3].split(b"\x14")
                if place == 0 and len(stamps) == number:
                    stamps.append(float(entry[1]))
                for text in filter(None, texts):
                    shown = text.decode("utf-8", "replace").strip()
                    labels.append((float(entry[1]), float(entry[2] or 0), shown))
        if len(labels) > MOST_ANNOTATIONS:
            break
    return stamps, sorted(labels)


def _number(name: str, field: bytes, what: str, kind: type):
    try:
        found = kind(field.decode("ascii").strip(" \0").replace(",", "."))
    except ValueError:
        found = None
    if found is None or found in (float("inf"), float("-inf")) or found != found:
        shown = field.decode("latin-1").strip()
        raise MediaError(name, f"the {what} in its header is no number ({shown!r})", "make the file again")
    return found


def _start(text: str) -> datetime | None:
    """Date and time of a header; years are from 1985 to 2084."""
    try:
        day, month, year, hour, minute, second = (
            int(text[place : place + 2]) for place in (0, 3, 6, 8, 11, 14)
        )
        return datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
    except ValueError:
        return None
