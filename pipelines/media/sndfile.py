"""Recordings as libsndfile reads them, with what it says nothing of: data that is missing or left over."""

from __future__ import annotations

import contextlib
import math
import os
import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np

from pipelines.media.part import part_of
from pipelines.media.recording import PIECE, SLACK, TAGS, Audio, mono, resample

CHUNKS = 1000  # of a WAV file that are looked at
EMPTY = 200  # bytes of a recording that holds nothing
PAGES = 300_000  # of an Ogg file that are looked at

ALIKE, LOUD = 0.2, 0.1  # likeness of neighbouring samples, and their mean amplitude

OPENERS = (b"RIFF", b"RF64", b"RIFX", b"FORM", b"fLaC", b"OggS", b".snd", b"NIST_1A", b"caff", b"riff")
"""First bytes of the formats that libsndfile reads. MP3 is left to FFmpeg: without a Xing header, libsndfile
guesses the length from the first frames and silently drops what comes after it."""
BEGINNING = re.compile(rb"(RIFF|RF64|RIFX)....WAVE|FORM....AIF[FC]|fLaC|OggS|caff", re.DOTALL)
"""How recordings begin that follow another in its file."""


def behind_tag(file: BinaryIO, head: bytes) -> int:
    """The position behind an ID3 tag that programs for music put before WAV, AIFF and FLAC files; else 0.

    Args:
        head: the first bytes of the file.
    """
    if not head.startswith(b"ID3") or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:  # seven bits each
        size = size << 7 | byte & 0x7F
    start = 10 + size + (10 if head[5] & 0x10 else 0)  # a footer
    file.seek(start)
    return start if BEGINNING.match(file.read(12)) else 0


def open_sndfile(name: str, opener: Callable, start: int = 0) -> Audio | None:
    """Open the recording that starts at a position with libsndfile, and those that were joined to it; None if
    FFmpeg has to read it."""
    first = _open_one(name, opener, start)
    if first is None:
        return None
    opened, rate = first[0], first[0].sample_rate

    def pieces(fault):
        (one, following), done, joins = first, 0, []
        while True:
            one.notes.clear()
            for piece in one._pieces(fault):
                piece = resample(piece, one.sample_rate, rate)
                done += len(piece)
                yield piece
            audio.notes.extend(one.notes)
            start = following()
            if start is None:
                break
            found = _open_one(name, opener, start)
            if found is None:
                fault(f"the recording that follows at {done / rate:.1f} seconds cannot be read")
                break
            joins.append(done / rate)
            one, following = found
        if len(joins) == 1:
            audio.notes.append(f"another recording follows at {joins[0]:.1f} seconds and was read too")
        elif joins:
            cause = f"{len(joins)} other recordings follow from {joins[0]:.1f} seconds on and were read too"
            audio.notes.append(cause)

    audio = Audio(name, rate, opened.duration, pieces)
    return audio


def _open_one(name: str, opener: Callable, start: int) -> tuple[Audio, Callable[[], int | None]] | None:
    """Open the recording that starts at a position of a file.

    Returns:
        It, and what gives, once it has been read, the position of one that was joined to it, None for none;
        or None if libsndfile cannot read it.
    """
    import soundfile

    @contextlib.contextmanager
    def beginning():
        with opener() as file, part_of(file, start) as part:
            yield part

    with beginning() as file:
        size = file.seek(0, os.SEEK_END)
        share, behind = _share(file)
        rest, behind = _rest(file, behind, size) if behind and share == 1.0 else (None, size)
        if join := _ogg_join(file) or _aiff_join(file) or _caf_join(file):
            rest, behind = "recording", join
        try:
            whole = part_of(file, 0, behind if rest else size)
            with whole as part, soundfile.SoundFile(part) as sound:
                rate, frames, layout = sound.samplerate, sound.frames, sound.format
                raw = {"samplerate": rate, "channels": sound.channels, "subtype": sound.subtype}
                raw |= {"endian": sound.endian, "format": "RAW"}
        except (soundfile.LibsndfileError, TypeError):
            return None  # TypeError, as soundfile takes any file named *.raw for headerless
        if frames in (0, 2**63 - 1):
            return None  # written to a pipe, so the length in the header was never filled in
        promised = frames / rate
        cut = False
        if layout in ("WAV", "WAVEX", "RF64", "AIFF", "W64", "AU"):
            promised, cut = promised / share, promised / share - promised > SLACK
            few = SLACK * rate * behind if rest == "samples" else EMPTY * frames
            if (size - behind) * frames <= few:
                rest = None  # some bytes too many, or a recording of none
        elif layout == "OGG":
            cut = not rest and _ogg_cut(file)

    def read(fault, sound, frames: float) -> Iterator[np.ndarray]:
        done = 0
        while done < frames:
            try:
                piece = sound.read(PIECE, dtype="float32", always_2d=True)  # (samples, channels)
            except soundfile.LibsndfileError:
                fault(f"damaged at {done / rate:.1f} of {frames / rate:.1f} seconds")
                return
            if not len(piece):
                break
            done += len(piece)
            yield mono(piece)
        if frames != math.inf and (frames - done) / rate > SLACK:
            fault(f"ends after {done / rate:.1f} of {frames / rate:.1f} seconds")

    def pieces(fault):
        if cut and promised > frames / rate:
            fault(f"ends after {frames / rate:.1f} of {promised:.1f} seconds")
        elif cut:
            fault(f"breaks off within a packet after {frames / rate:.1f} seconds")
        whole = behind if rest else size
        with beginning() as file, part_of(file, 0, whole) as part, soundfile.SoundFile(part) as sound:
            yield from read(fault, sound, frames)
        if rest == "samples":
            with (
                beginning() as file,
                part_of(file, behind) as part,
                soundfile.SoundFile(part, **raw) as sound,
            ):
                more = read(fault, sound, math.inf)
                first = next(more, np.zeros(0, np.float32))
                if _is_junk(first):
                    audio.notes.append(f"left out: {size - behind} bytes behind its end, which are no sound")
                    return
                audio.notes.append(f"its header says {frames / rate:.1f} seconds; what follows was read too")
                yield first
                yield from more

    def following() -> int | None:
        if layout == "FLAC":  # which states no size of its data: they are searched
            with beginning() as file:
                place = _flac_join(file)
                return place and start + place
        return start + behind if rest == "recording" else None

    audio = Audio(name, rate, promised if not rest else None, pieces)
    return audio, following


def _is_junk(samples: np.ndarray) -> bool:
    """Whether bytes that were read as (samples,) are something else: text or packed data is loud, and its
    neighbours have nothing in common, while sound is one thing at most."""
    if len(samples) < 2:
        return True
    apart = samples - samples.mean()
    likeness = (apart[1:] * apart[:-1]).mean() / max(float(apart.var()), 1e-12)
    return bool(likeness < ALIKE and np.abs(samples).mean() > LOUD)


def _share(file: BinaryIO) -> tuple[float, int | None]:
    """Compare the size of the sample data that a file states with what it contains.

    libsndfile silently shortens a recording to what is there, and silently ignores what follows.

    Returns:
        The share of the sample data that the file contains, 1.0 for a complete one; and the position after
        it, None if the size was never filled in.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head.startswith((b".snd", b"riff")):
        place, size = _long_data(file, head[:4].decode())
        return (min(1.0, max(0, end - place) / size), None) if size else (1.0, None)
    order = ">" if head.startswith((b"RIFX", b"FORM")) else "<"
    if not head.startswith((b"RIFF", b"RIFX", b"RF64", b"FORM")):
        return 1.0, None
    position, long_size = 12, None
    for _ in range(CHUNKS):
        if position + 8 > end:
            break
        file.seek(position)
        kind, size = struct.unpack(order + "4sI", file.read(8))
        position += 8
        if kind == b"ds64":
            long_size = struct.unpack("<QQ", file.read(16))[1]
        elif kind in (b"data", b"SSND"):
            if head.startswith(b"RF64") and size == 0xFFFFFFFF and long_size:
                size = long_size
            # Written to a pipe, where the size cannot be filled in afterwards.
            elif not size or 0x7FFFF000 <= size <= 0x80000000 or size >= 0xFFFFF000:
                return 1.0, None
            behind = position + size + size % 2 if kind == b"data" else None
            return min(1.0, (end - position) / size), behind
        position += size + size % 2
    return 1.0, None


def _long_data(file: BinaryIO, layout: str) -> tuple[int, int]:
    """Position and stated size of the sample data of AU and Wave64 files; size 0 if it is not stated."""
    if layout == ".snd":
        file.seek(4)
        place, size = struct.unpack(">II", file.read(8).ljust(8, b"\0"))
        return place, 0 if size == 0xFFFFFFFF else size
    position = 40
    for _ in range(CHUNKS):
        file.seek(position)
        head = file.read(24)  # a name of 16 bytes, and the size of name, size and content
        size = int.from_bytes(head[16:], "little") - 24
        if len(head) < 24 or size < 0:
            break
        if head.startswith(b"data"):
            return position + 24, size
        position += 24 + -(-size // 8) * 8
    return 0, 0


def _rest(file: BinaryIO, position: int, end: int) -> tuple[str | None, int]:
    """What lies behind the sample data and the other chunks of a WAV file: samples, a recording, or nothing.

    Returns:
        That, and its position.
    """
    for _ in range(CHUNKS):
        if position + 12 > end:
            break
        file.seek(position)
        head = file.read(12)
        if BEGINNING.match(head):
            return "recording", position
        size = int.from_bytes(head[4:8], "little")
        if head.startswith(TAGS):
            break
        if not re.fullmatch(rb"[A-Za-z0-9 _-]{4}", head[:4]) or position + 8 + size > end + 1:
            return "samples", position
        position += 8 + size + size % 2
    return None, position


def _caf_join(file: BinaryIO) -> int | None:
    """The position of the CAF file that follows another."""
    position = 0
    for _ in range(CHUNKS):
        file.seek(position)
        head = file.read(12)
        if head.startswith(b"caff"):
            if position:
                return position
            position = 8
        elif len(head) < 12 or not position or (size := int.from_bytes(head[4:], "big", signed=True)) < 0:
            return None  # -1: it goes on to the end of the file
        else:
            position += 12 + size
    return None


def _ogg_join(file: BinaryIO) -> int | None:
    """The position of the first Ogg stream that begins after another has begun and gone on."""
    position, goes_on = 0, False
    for _ in range(PAGES):
        file.seek(position)
        head = file.read(27)
        if len(head) < 27 or not head.startswith(b"OggS"):
            return None
        begins = bool(head[5] & 2)
        if begins and goes_on:
            return position
        goes_on |= not begins
        sizes = file.read(head[26])
        position += len(head) + len(sizes) + sum(sizes)
    return None


def _aiff_join(file: BinaryIO) -> int | None:
    """The position of the AIFF file that follows another."""
    file.seek(0)
    head = file.read(12)
    if not re.match(rb"FORM....AIF[FC]", head, re.DOTALL):
        return None
    size = int.from_bytes(head[4:8], "big")
    place = 8 + size + size % 2
    file.seek(place)
    return place if re.match(rb"FORM....AIF[FC]", file.read(12), re.DOTALL) else None


def _flac_join(file: BinaryIO) -> int | None:
    """The position of the first FLAC file within another, by its marker and the head of its STREAMINFO."""
    position, tail = 0, b""
    file.seek(0)
    while block := file.read(1 << 20):
        block = tail + block
        found = re.search(rb"fLaC[\x00\x80]\x00\x00\x22", block[0 if position else 1 :])
        if found:
            return position + found.start() + (0 if position else 1)
        tail = block[-7:]
        position += len(block) - len(tail)
    return None


def _ogg_cut(file: BinaryIO) -> bool:
    """Whether an Ogg file ends within a page, which libsndfile silently ignores."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - 2 * 65307)  # twice the longest possible page
    file.seek(start)
    tail = file.read()
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    segments = tail[page + 26] if page + 26 < len(tail) else 255
    sizes = tail[page + 27 : page + 27 + segments]
    return len(sizes) < segments or page + 27 + segments + sum(sizes) > len(tail)
