"""The results of a run as one web page to read, listen to, look at and check."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pipelines.results import Page, Segment, Transcript, Word
from pipelines.writers.atomic import write_atomically
from pipelines.writers.markup import clock, data_uri, render
from pipelines.writers.pictures import Album, Mark, Picture
from pipelines.writers.timing import timed_words

TEMPLATE = Path(__file__).parent / "templates" / "page.html"
EMBEDDED = 2_000_000  # bytes of the largest recording that is embedded in the page
PAGE = 30_000_000  # bytes of all embedded recordings, and again of all images
SURE, UNSURE = 0.9, 0.7  # confidence from which a word has no mark, and a weak one

MEDIA_TYPES = {
    ".aac": "audio/aac", ".aif": "audio/aiff", ".aiff": "audio/aiff", ".flac": "audio/flac",
    ".m4a": "audio/mp4", ".mkv": "video/x-matroska", ".mov": "video/mp4", ".mp3": "audio/mpeg",
    ".mp4": "video/mp4", ".oga": "audio/ogg", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".wav": "audio/wav", ".webm": "video/webm",
}  # fmt: skip
"""By file ending. Not from `mimetypes`, whose answer depends on the machine."""


@dataclass(frozen=True)
class Entry:
    """One file of a run.

    Attributes:
        source: the recording, image, PDF or ink.
        result: None if the file failed.
        error: why it failed, one line.
        outputs: the files written for it.
        reference: the true text, if known.
    """

    source: Path
    result: Transcript | Page | None
    error: str | None
    outputs: tuple[Path, ...] = ()
    reference: str | None = None


def write_results_page(path: str | Path, entries: Iterable[Entry], title: str = "Results") -> Path:
    """Write one page with a player or a picture, and the text, for each result.

    Words are marked by confidence. Short recordings are embedded, others and the outputs are linked relative
    to the page; words follow the player, and a click on a word plays it. Images are embedded at a smaller
    size with the outlines of their lines; pointing at a word highlights its place. Ink is drawn with a
    colour for each character.

    Args:
        path: the HTML file; replaced atomically.
        entries: the results in the order to show; failed ones are moved to the end.
        title: of the page.

    Returns:
        The path written.
    """
    path = Path(path)
    entries = sorted(entries, key=lambda entry: entry.result is None)
    results = [entry.result for entry in entries if entry.result]
    page = render(
        TEMPLATE,
        title=title,
        entries=list(zip(entries, _players(entries, path), _pictures(entries), strict=True)),
        link=lambda target: _link(target, path),
        format_name=_format_name,
        extent=_extent,
        amounts=_amounts(results),
        failed=len(entries) - len(results),
        models=sorted({result.model for result in results}),
        has_sound=any(isinstance(result, Transcript) for result in results),
        has_pictures=any(isinstance(result, Page) for result in results),
        spoken=_spoken,
        doubt=_doubt,
        percent=lambda share: f"{100 * share:.0f} %",
        date=datetime.date.today().isoformat(),
        sure=SURE,
        unsure=UNSURE,
    )
    with write_atomically(path) as file:
        file.write(page)
    return path


def _players(entries: Sequence[Entry], page: Path) -> list[str]:
    """The address of the player of each entry, "" if there is nothing to play."""
    addresses, room = [], PAGE
    for entry in entries:
        size = _size(entry.source) if isinstance(entry.result, Transcript) else None
        media_type = MEDIA_TYPES.get(entry.source.suffix.lower())
        if size is None:
            addresses.append("")
        elif media_type and size < min(EMBEDDED, room):
            addresses.append(data_uri(media_type, entry.source.read_bytes()))
            room -= size
        else:
            addresses.append(_link(entry.source, page))
    return addresses


def _pictures(entries: Sequence[Entry]) -> list[Picture | None]:
    """The picture of each entry, None if its result is no page."""
    album = Album(room=PAGE)
    return [
        album.picture(entry.result, entry.source) if isinstance(entry.result, Page) else None
        for entry in entries
    ]


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _format_name(output: Path) -> str:
    """What the link to an output is called: its ending, or the name of a layout format."""
    name = output.name.lower()
    if name.endswith(".alto.xml"):
        return "ALTO"
    return "PAGE" if name.endswith(".xml") else output.suffix[1:] or output.name


def _link(target: Path, page: Path) -> str:
    """The address of a file relative to the page."""
    return quote(os.fsencode(os.path.relpath(target, page.parent).replace(os.sep, "/")))


def _amounts(results: Sequence[Transcript | Page]) -> list[str]:
    """The total duration of recordings and number of lines."""
    pages = [result for result in results if isinstance(result, Page)]
    seconds = [result.duration for result in results if isinstance(result, Transcript)]
    amounts = [f"{sum(seconds) / 60:.1f} minutes of audio"] if seconds else []
    return [*amounts, _counted(sum(len(page.lines) for page in pages), "line")] if pages else amounts


def _extent(result: Transcript | Page) -> str:
    """The duration or number of lines of a result, and its number in its file."""
    if isinstance(result, Transcript):
        return _duration(result.duration)
    number = f"number {result.number}, " if result.number is not None else ""
    return number + _counted(len(result.lines), "line")


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)


def _spoken(segment: Segment) -> tuple[Word, ...]:
    """The words with their times; none for a line of a known text that is not in the audio."""
    return timed_words(segment) if segment.found else ()


def _doubt(word: Word | Mark) -> str:
    """The CSS class for the confidence of a word."""
    return "sure" if word.confidence >= SURE else "unsure" if word.confidence >= UNSURE else "doubtful"
