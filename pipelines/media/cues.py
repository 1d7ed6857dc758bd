"""Reads subtitles (SubRip, WebVTT): texts with their times."""

from __future__ import annotations

import re
from typing import NamedTuple

_TIME = r"(?:(\d+):)?(\d+):(\d+(?:[.,]\d+)?)"
_TIMES = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}")
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}|[\u200e\u200f]")  # also of Aegisub, and marks of direction
_OTHER = ("WEBVTT", "NOTE", "STYLE", "REGION")  # blocks of WebVTT without a cue


class Cue(NamedTuple):
    """One subtitle: start and end in seconds, and its lines joined by spaces, without markup."""

    start: float
    end: float
    text: str


def read_cues(text: str, empty: bool = False) -> list[Cue]:
    """The cues of subtitles; none where the text is no subtitles.

    Args:
        empty: also those without a text.
    """
    blocks = [block.split("\n") for block in re.split(r"\n\s*\n", re.sub(r"\r\n?", "\n", text.strip()))]
    found, others = [], 0
    for block in blocks:
        timed = next((place for place, line in enumerate(block[:2]) if _TIMES.match(line)), None)
        if timed is None:
            others += not block[0].startswith(_OTHER)
            continue
        times = _TIMES.match(block[timed]).groups()
        said = " ".join(_MARKUP.sub("", " ".join(block[timed + 1 :])).split())
        found.append(Cue(_seconds(*times[:3]), _seconds(*times[3:]), said))
    return [cue for cue in found if cue.text or empty] if not others else []


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return round(int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", ".")), 3)
