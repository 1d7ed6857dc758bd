"""Reads and writes WFDB annotation files in MIT format, such as `.atr`; see annot(5), wfdb.io."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pipelines.errors import MediaError

LARGEST = 100_000_000  # bytes
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
SYMBOLS = (
    " ", "N", "L", "R", "a", "V", "F", "J", "A", "S", "E", "j", "/", "Q", "~", "[15]", "|", "[17]", "s", "T",
    "*", "D", '"', "=", "p", "B", "^", "t", "+", "u", "?", "!", "[", "]", "e", "n", "@", "x", "f", "(",
    ")", "r",
)  # fmt: skip
"""Symbols of the codes from 0, as `ecgcodes.h` has them."""
NOTE, RHYTHM = '"', "+"
RESOLUTION = re.compile(r"## time resolution: ([\d.]+)")


@dataclass(frozen=True)
class Mark:
    """One annotation.

    Attributes:
        sample: at which it is, at the rate of the annotations.
        symbol: one of `SYMBOLS`.
        text: of notes, and of changes of the rhythm.
        channel: number of the channel that it is about, from 0.
    """

    sample: int
    symbol: str
    text: str = ""
    channel: int = 0


def read_marks(path: str | Path) -> tuple[list[Mark], float | None]:
    """The annotations of a file in order, and their rate if it is said; else it is that of the record.

    Raises:
        MediaError: it cannot be read, or is damaged.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise MediaError(path, f"cannot be read ({error.strerror})", "check the path and the file") from error
    if len(data) > LARGEST:
        raise MediaError(path, "is too large for annotations", "give an annotation file")
    words = np.frombuffer(data[: len(data) // 2 * 2], "<u2").tolist()
    marks: list[list] = []
    place = time = channel = 0
    rate = None
    while place < len(words):
        code, value = words[place] >> 10, words[place] & 0x3FF
        place += 1
        if code == 0 and value == 0:
            break
        if code == SKIP:
            if place + 2 > len(words):
                raise MediaError(path, "breaks off", "copy it again")
            time += int(np.int32(np.uint32(words[place] << 16 | words[place + 1])))
            place += 2
        elif code == CHN:
            channel = value
            if marks:
                marks[-1][3] = value
        elif code == AUX:
            text = data[2 * place : 2 * place + value]
            if len(text) < value:
                raise MediaError(path, "breaks off", "copy it again")
            place += (value + 1) // 2
            if marks:
                marks[-1][2] = text.decode("utf-8", "replace").rstrip("\0")
        elif code not in (NUM, SUB):
            time += value
            if code >= len(SYMBOLS) or time < -1:
                raise MediaError(path, f"is no annotation file (code {code})", "give one in MIT format")
            if code:  # 0 only moves the time
                marks.append([time, SYMBOLS[code], "", channel])
    notes = [RESOLUTION.match(text) for _, symbol, text, _ in marks if symbol == NOTE]
    rate = next((float(match[1]) for match in notes if match), None)
    found = [Mark(*mark) for mark in marks if not RESOLUTION.match(mark[2])]
    return found, rate


def write_marks(marks: Iterable[Mark], rate: float, file: BinaryIO) -> None:
    """Write annotations, in order of time, to a binary file.

    Args:
        rate: of their samples, in hertz; written as a note that WFDB software understands.
    """
    text = f"## time resolution: {rate:.15g}"
    before, channel = 0, 0
    for mark in (Mark(0, NOTE, text), *marks):
        step = mark.sample - before
        if not 0 <= step < 1 << 10:
            file.write(struct.pack("<HHH", SKIP << 10, (step >> 16) & 0xFFFF, step & 0xFFFF))
            step = 0
        file.write(struct.pack("<H", SYMBOLS.index(mark.symbol) << 10 | step))
        if mark.channel != channel:
            file.write(struct.pack("<H", CHN << 10 | mark.channel))
            channel = mark.channel
        if mark.text:
            held = mark.text.encode("utf-8")[:1022]
            file.write(struct.pack("<H", AUX << 10 | len(held)) + held + b"\0" * (len(held) % 2))
        before = mark.sample
    file.write(b"\0\0")
