"""A batch of transcripts as one web page to read, hear and check."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipelines.results import Segment, Transcript, Word
from pipelines.writers.atomic import write_atomically
from pipelines.writers.markup import clock, data_uri, render
from pipelines.writers.timing import timed_words

TEMPLATE = Path(__file__).parent / "templates" / "page.html"
EMBEDDED = 2_000_000  # bytes of a recording up to which the page holds it
PAGE = 30_000_000  # bytes of all recordings that the page holds
SURE, UNSURE = 0.9, 0.7  # word confidences from which a word has no mark, and a weak one

MEDIA_TYPES = {
    ".aac": "audio/aac", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".flac": "audio/flac",
    ".m4a": "audio/mp4", ".mkv": "video/x-matroska", ".mov": "video/mp4", ".mp3": "audio/mpeg",
    ".mp4": "video/mp4", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".wav": "audio/wav", ".webm": "video/webm",
}  # fmt: skip
"""By file ending. Not from `mimetypes`, whose answer depends on the machine."""


@dataclass(frozen=True)
class Entry:
    """One file of a batch run.

    Attributes:
        source: the recording.
        transcript: what came out, None where it failed.
        error: why it failed, one line.
        outputs: the files written for it.
        reference: what is really said, where known.
    """

    source: Path
    transcript: Transcript | None
    error: str | None
    outputs: tuple[Path, ...] = ()
    reference: str | None = None


def write_transcripts_page(path: str | Path, entries: Iterable[Entry], title: str = "Transcripts") -> Path:
    """Write one page with a player and a transcript for each file.

    Short recordings are held by the page, others and the outputs are linked relative to it. Words are
    marked by confidence, follow the player, and take it to their time when clicked.

    Args:
        path: the HTML file; whatever was there is replaced atomically.
        entries: the files in the order to show; failed ones come last.
        title: of the page.

    Returns:
        The path written.
    """
    path = Path(path)
    entries = sorted(entries, key=lambda entry: entry.transcript is None)
    transcripts = [entry.transcript for entry in entries if entry.transcript]
    page = render(
        TEMPLATE,
        title=title,
        entries=list(zip(entries, _players(entries, path), strict=True)),
        link=lambda target: _link(target, path),
        duration=_duration,
        seconds=sum(transcript.duration for transcript in transcripts),
        failed=len(entries) - len(transcripts),
        models=sorted({transcript.model for transcript in transcripts}),
        spoken=_spoken,
        doubt=_doubt,
        sure=SURE,
        unsure=UNSURE,
    )
    with write_atomically(path) as file:
        file.write(page)
    return path


def _players(entries: Sequence[Entry], page: Path) -> list[str]:
    """For each entry the address for its player, or "" where there is nothing to play."""
    addresses, room = [], PAGE
    for entry in entries:
        size = entry.source.stat().st_size if entry.transcript and entry.source.is_file() else None
        media_type = MEDIA_TYPES.get(entry.source.suffix.lower())
        if size is None:
            addresses.append("")
        elif media_type and size < min(EMBEDDED, room):
            addresses.append(data_uri(media_type, entry.source.read_bytes()))
            room -= size
        else:
            addresses.append(_link(entry.source, page))
    return addresses


def _link(target: Path, page: Path) -> str:
    """The address of a file as seen from the page."""
    return quote(os.fsencode(os.path.relpath(target, page.parent).replace(os.sep, "/")))


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def _spoken(segment: Segment) -> tuple[Word, ...]:
    """The words to show with their times; none for a line of a known text that is not in the audio."""
    return timed_words(segment) if segment.found else ()


def _doubt(word: Word) -> str:
    """The class of its mark."""
    return "sure" if word.confidence >= SURE else "unsure" if word.confidence >= UNSURE else "doubtful"
