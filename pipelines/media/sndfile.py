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

OPENERS = (b"RIFF", b"RF64", b"RIFX", b"FORM", b"fLaC", b"OggS", b".snd", b"NIST_1A", b"caff", b"riff")
"""First bytes of the formats that libsndfile reads. MP3 is left to FFmpeg: without a Xing header, libsndfile
guesses the length from the first frames and silently drops what comes after it."""


def open_sndfile(name: str, opener: Callable) -> Audio | None:
    """Open a recording with libsndfile; None if FFmpeg has to read it."""
    import soundfile

    with opener() as file:
        size = file.seek(0, os.SEEK_END)
        share, behind = _share(file)
        rest, behind = _rest(file, behind, size) if behind and share == 1.0 else (None, size)
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
        if layout in ("WAV", "WAVEX", "RF64", "AIFF"):
            promised, cut = promised / share, promised / share - promised > SLACK
            if (size - behind) * frames <= SLACK * rate * behind:
                rest = None  # some bytes too many
        elif layout == "OGG":
            cut = _ogg_cut(file)

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
        with opener() as file, part_of(file, 0, whole) as part, soundfile.SoundFile(part) as sound:
            yield from read(fault, sound, frames)
        if rest == "samples":
            audio.notes.append(f"its header says {frames / rate:.1f} seconds; what follows was read too")
            with opener() as file, part_of(file, behind) as part, soundfile.SoundFile(part, **raw) as sound:
                yield from read(fault, sound, math.inf)
        elif rest == "recording":
            audio.notes.append(f"another recording follows at {frames / rate:.1f} seconds and was read too")
            with opener() as file, part_of(file, behind) as part:
                following = open_sndfile(name, lambda: contextlib.nullcontext(part))
                if following is None:
                    fault(f"the recording that follows at {frames / rate:.1f} seconds cannot be read")
                else:
                    for piece in following._pieces(fault):
                        yield resample(piece, following.sample_rate, rate)

    audio = Audio(name, rate, promised if not rest else None, pieces)
    return audio


def _share(file: BinaryIO) -> tuple[float, int | None]:
    """Compare the size of the sample data that a WAV or AIFF file states with what it contains.

    libsndfile silently shortens a recording to what is there, and silently ignores what follows.

    Returns:
        The share of the sample data that the file contains, 1.0 for a complete one; and the position after
        it, None if the size was never filled in.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
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
        if re.match(rb"(RIFF|RF64)....WAVE", head, re.DOTALL):
            return "recording", position
        size = int.from_bytes(head[4:8], "little")
        if head.startswith(TAGS):
            break
        if not re.fullmatch(rb"[A-Za-z0-9 _-]{4}", head[:4]) or position + 8 + size > end + 1:
            return "samples", position
        position += 8 + size + size % 2
    return None, position


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
