"""Reads WFDB records (PhysioNet): a header and its signal files. Their annotations: `wfdb_annotations`.

Formats: 16, 24, 32, 61, 80, 160, 212, 310, 311 and FLAC (508, 516, 524); records of several segments. See
https://wfdb.io/documentation (header(5), signal(5)).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

import numpy as np

from pipelines.errors import DataError, MediaError
from pipelines.media.blocks import reader_of
from pipelines.media.signals import MOST_CHANNELS, StoredSignal, unique
from pipelines.media.text import read_text

LARGEST_HEADER = 10_000_000  # bytes
FLAC = {508: 8, 516: 16, 524: 24}
BITS = {16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12, 310: 10.67, 311: 10.67, **FLAC}
MISSING = {16: -(1 << 15), 24: -(1 << 23), 32: -(1 << 31), 61: -(1 << 15), 80: -(1 << 7), 160: -(1 << 15)}
MISSING |= {212: -(1 << 11), 310: -(1 << 9), 311: -(1 << 9), 508: -(1 << 7), 516: -(1 << 15), 524: -(1 << 23)}
FORMAT = re.compile(r"(\d+)(?:x(\d+))?(?::(\d+))?(?:\+(\d+))?")
GAIN = re.compile(r"(-?[\d.]+(?:[eE][-+]?\d+)?)(?:\((-?\d+)\))?(?:/(\S+))?")
NAME = re.compile(r"[\w~-][\w.~-]*")


@dataclass(frozen=True)
class Header:
    """The first line of a header, and those that follow it.

    Attributes:
        rate: frames a second.
        length: number of frames; None where it is not said.
        segments: whether the lines are those of segments.
    """

    path: str
    rate: float
    length: int | None
    start: datetime | None
    segments: bool
    lines: tuple[list[str], ...]


@dataclass(frozen=True)
class _Channel:
    file: str
    format: int
    count: int  # samples a frame
    offset: int
    gain: float
    baseline: int
    unit: str
    label: str


def open_wfdb(name: str, strict: bool = True) -> StoredSignal:
    """Open a record by its header.

    Args:
        name: path of the header, `.hea`.
        strict: whether a record whose signal file breaks off is refused; without, what there is is read.

    Raises:
        MediaError: the header is damaged, or a signal file is missing or of another format.
    """
    header = read_header(name)
    return _segments(header, strict) if header.segments else _record(header, strict)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def read_header(name: str) -> Header:
    """Read a header file.

    Raises:
        MediaError: it is none.
    """
    try:
        text = read_text(name, LARGEST_HEADER)
    except DataError as error:
        raise MediaError(name, error.cause, error.way_out) from error
    lines = [line.split() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    first = lines[0] if lines else []
    try:
        record, _, segments = first[0].partition("/")
        count = int(first[1])
        # header(5): a rate of 250 where none is given; behind a slash, the frequency of a counter.
        rate = float(first[2].partition("/")[0]) if len(first) > 2 else 250.0
        length = int(first[3]) if len(first) > 3 else None
        promised = int(segments) if segments else count
        fits = 0 < rate < 1e9 and 0 < count <= MOST_CHANNELS and promised > 0
        if not fits or (length is not None and length < 0):
            raise ValueError
    except (IndexError, ValueError):
        raise MediaError(name, "its first lines are not those of a WFDB header", "make it again") from None
    if len(lines) - 1 < promised or (not segments and len(lines) - 1 > promised):
        what = "segment" if segments else "signal"
        cause = f"states {_number(promised, what)} and describes {_number(len(lines) - 1, what)}"
        raise MediaError(name, cause, "correct its first line, or make it again")
    return Header(
        name, rate, length or None, _start(first[4:6]), bool(segments), tuple(lines[1 : promised + 1])
    )


def _record(header: Header, strict: bool) -> StoredSignal:
    name = header.path
    channels = [_channel(name, line, place) for place, line in enumerate(header.lines, start=1)]
    parts = [
        list(group) for _, group in groupby(channels, key=lambda each: (each.file, each.format, each.offset))
    ]
    decoders = [_decoder(name, part) for part in parts]
    blocks = min(length for _, length in decoders)
    notes = []
    if header.length and blocks < header.length:
        cause = f"its signals end after {blocks:,} of {header.length:,} samples"
        if strict:
            raise MediaError(
                name, cause, "copy the signal file again, or have what there is read (--lenient)"
            )
        notes.append(cause)
    if any(":" in line[1] for line in header.lines):
        notes.append("the skew between its channels is not evened out")
    blocks = min(blocks, header.length or blocks)
    if not blocks:
        raise MediaError(name, "holds no samples", "copy its signal file again")

    def decode(first: int, last: int) -> list[np.ndarray]:
        return [samples for read, _ in decoders for samples in read(first, last)]

    counts = [channel.count for channel in channels]
    read, length = reader_of(counts, blocks, decode)
    return StoredSignal(
        read,
        length,
        unique([channel.label for channel in channels]),
        header.rate * max(counts),
        tuple(channel.unit for channel in channels),
        header.start,
        name,
        tuple(notes),
        medical=True,
    )


def _segments(header: Header, strict: bool) -> StoredSignal:
    """The records that follow each other, of which all may have other channels; ~ is a gap."""
    found: list[tuple[int, int, StoredSignal | None]] = []
    place = 0
    for line in header.lines:
        if len(line) < 2 or not line[1].isdigit() or not NAME.fullmatch(line[0]):
            raise MediaError(header.path, f"its segment {line[0]!r} is none", "make the header again")
        length, segment = int(line[1]), None
        if line[0] != "~" and length:
            path = os.path.join(os.path.dirname(header.path), f"{line[0]}.hea")
            inner = read_header(path)
            if inner.segments or inner.rate != header.rate:
                raise MediaError(path, "is no segment of this record", "make the header again")
            segment = _record(inner, strict)
            if len(segment) < length or segment.rate != header.rate:
                raise MediaError(path, f"has not {length:,} samples at {header.rate:g} Hz", "copy it again")
        found.append((place, place + length, segment))
        place += length
    names = dict.fromkeys(name for _, _, segment in found if segment for name in segment.channels)
    if not names:
        raise MediaError(header.path, "has only empty segments", "copy the record again")
    columns = {name: column for column, name in enumerate(names)}
    units = {
        name: unit
        for _, _, each in found
        if each
        for name, unit in zip(each.channels, each.units, strict=True)
    }

    def read(first: int, last: int) -> np.ndarray:
        values = np.full((last - first, len(columns)), np.nan, dtype=np.float32)
        for start, end, segment in found:
            low, high = max(first, start), min(last, end)
            if segment and low < high:
                places = [columns[name] for name in segment.channels]
                values[low - first : high - first, places] = segment.read(low - start, high - start)
        return values

    unit_of = tuple(units[name] for name in names)
    facts = tuple(names), header.rate, unit_of, header.start, header.path
    return StoredSignal(read, place, *facts, medical=True)


def _channel(name: str, line: list[str], place: int) -> _Channel:
    form = FORMAT.fullmatch(line[1]) if len(line) > 1 else None
    gain = GAIN.fullmatch(line[2]) if len(line) > 2 else None
    if not form or not NAME.fullmatch(line[0]) or (len(line) > 2 and not gain):
        raise MediaError(name, f"the line of its signal {place} is damaged", "make the header again")
    kind, count, offset = int(form[1]), int(form[2] or 1), int(form[4] or 0)
    if kind not in BITS:
        known = ", ".join(map(str, BITS))
        raise MediaError(name, f"signal {place} has format {kind}", f"convert it to one of {known} (xform)")
    if not 0 < count < 10_000:
        raise MediaError(name, f"signal {place} has {count} samples a frame", "make the header again")
    try:
        factor = float(gain[1]) if gain else 0.0
        zero = int(line[4]) if len(line) > 4 else 0
    except ValueError:
        raise MediaError(
            name, f"the line of its signal {place} is damaged", "make the header again"
        ) from None
    baseline = int(gain[2]) if gain and gain[2] else zero
    unit = (gain and gain[3]) or "mV"
    return _Channel(line[0], kind, count, offset, factor or 200.0, baseline, unit, " ".join(line[8:]))


def _decoder(name: str, channels: list[_Channel]) -> tuple[Callable[[int, int], list[np.ndarray]], int]:
    """What decodes frames of one signal file, and how many it has."""
    path = os.path.join(os.path.dirname(name), channels[0].file)
    if not os.path.isfile(path):
        raise MediaError(name, f"its signal file {channels[0].file} is missing", "copy it beside the header")
    kind, width = channels[0].format, sum(channel.count for channel in channels)
    if kind in FLAC:
        raw, length = _flac(path, kind, width)
    else:
        raw, length = _packed(path, kind, width, channels[0].offset)
    offsets = np.cumsum([0, *(channel.count for channel in channels)])

    def decode(first: int, last: int) -> list[np.ndarray]:
        frames = raw(first, last)
        found = []
        for place, channel in enumerate(channels):
            digital = frames[:, offsets[place] : offsets[place + 1]].reshape(-1)
            values = (digital.astype(np.float32) - np.float32(channel.baseline)) / np.float32(channel.gain)
            values[digital == MISSING[kind]] = np.nan
            found.append(values)
        return found

    return decode, length


def _packed(path: str, kind: int, width: int, offset: int) -> tuple[Callable[[int, int], np.ndarray], int]:
    """Reader of (frames, width) integers, and how many frames there are."""
    size = max(0, os.path.getsize(path) - offset)
    # Samples that share bytes: (samples, bytes) of a group.
    group, taken = {212: (2, 3), 310: (3, 4), 311: (3, 4)}.get(kind, (1, int(BITS[kind]) // 8))
    rest = {0: 0}
    if kind == 212:
        rest[2] = 1
    length = (size // taken * group + rest.get(size % taken, 0)) // width

    def read(first: int, last: int) -> np.ndarray:
        begin, end = first * width, last * width
        low, high = begin // group, -(-end // group)
        with open(path, "rb") as file:
            file.seek(offset + low * taken)
            data = file.read((high - low) * taken)
        data = np.frombuffer(data.ljust((high - low) * taken, b"\0"), np.uint8)
        samples = _unpacked(data, kind)
        return samples[begin - low * group : end - low * group].reshape(-1, width)

    return read, length


def _unpacked(data: np.ndarray, kind: int) -> np.ndarray:
    if kind == 16:
        return data.view("<i2").astype(np.int32)
    if kind == 61:
        return data.view(">i2").astype(np.int32)
    if kind == 160:
        return data.view("<u2").astype(np.int32) - 32768
    if kind == 80:
        return data.astype(np.int32) - 128
    if kind == 32:
        return data.view("<i4")
    if kind == 24:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = data.reshape(-1, 3)
        return padded.reshape(-1).view("<i4") >> 8
    if kind == 212:
        one, two, three = data.reshape(-1, 3).astype(np.int32).T
        found = np.stack([one | (two & 0x0F) << 8, three | (two & 0xF0) << 4], axis=1).reshape(-1)
        return (found ^ 0x800) - 0x800
    words = data.view("<u4").astype(np.int64)
    if kind == 310:
        low, high = words & 0xFFFF, words >> 16
        third = (low >> 11) & 0x1F | ((high >> 11) & 0x1F) << 5
        found = np.stack([(low >> 1) & 0x3FF, (high >> 1) & 0x3FF, third], axis=1).reshape(-1)
    else:
        found = np.stack([words & 0x3FF, words >> 10 & 0x3FF, words >> 20 & 0x3FF], axis=1).reshape(-1)
    return ((found ^ 0x200) - 0x200).astype(np.int32)


def _flac(path: str, kind: int, width: int) -> tuple[Callable[[int, int], np.ndarray], int]:
    import soundfile

    damaged = MediaError(path, "cannot be read as the FLAC file that its header says it is", "copy it again")
    try:
        with soundfile.SoundFile(path) as sound:
            channels, length = sound.channels, sound.frames
    except (soundfile.LibsndfileError, TypeError) as error:
        raise damaged from error
    if channels != width or not 0 < length < 1 << 62:
        cause = f"has {channels} channels, and its header says {width}"
        raise MediaError(path, cause, "copy the header and the signal file of one record")

    def read(first: int, last: int) -> np.ndarray:
        found = np.zeros((0, width), np.int32)
        with contextlib.suppress(soundfile.LibsndfileError), soundfile.SoundFile(path) as sound:
            sound.seek(first)
            found = sound.read(last - first, dtype="int32", always_2d=True) >> (32 - FLAC[kind])
        if len(found) < last - first:
            raise damaged
        return found

    return read, length


def _start(fields: list[str]) -> datetime | None:
    """Time of day and date, as in `12:30:05 24/12/2020`; None without the date."""
    for layout in ("%H:%M:%S.%f %d/%m/%Y", "%H:%M:%S %d/%m/%Y", "%H:%M %d/%m/%Y"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(" ".join(fields), layout)
    return None
