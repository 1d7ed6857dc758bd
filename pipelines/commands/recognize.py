"""Read handwriting, or name what happens in videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from pipelines.commands.arguments import Group, UsageError, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.commands.transcribe import COMPUTING, DECODING
from pipelines.reading.settings import RecognitionOptions, SearchOptions

GROUPS = (
    Group("layout", RecognitionOptions, ("layout", "rotate", "pages", "dpi")),
    Group("decoding", RecognitionOptions, DECODING),
    Group("video", RecognitionOptions, ("window", "switch", "top", "strict")),
    Group("computing", RecognitionOptions, COMPUTING),
)


@dataclass(frozen=True)
class Recognize(FolderCommand):
    """Read handwriting in images, PDF files and ink, or recognise actions in videos.

    Only videos are read with an action model, or if the first input is a video.

    Files that cannot be read are reported, and the others are still read.

    The pages of a PDF or TIFF become numbered files in a folder of its name.
    """

    inputs: Positional[tuple[str, ...]]
    """Images of lines or pages, PDF documents, ink, videos, folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, json, page, alto, hocr; for videos txt, json, csv,
    activitynet, mp4, png."""
    page: Path | None = None
    """Also write an HTML page with the images and their text (not for videos)."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Recognize, "recognize", arguments, GROUPS)
    work = work_of("recognize", command, keywords)
    if work.title == "Actions":
        plain = SearchOptions()
        given = [name for name in DECODING if keywords[name] not in (getattr(plain, name), "")]
        if given:
            flags = ", ".join("--" + name.replace("_", "-") for name in given)
            raise UsageError(f"{flags}: for handwriting, not for videos")
        if command.page:
            raise UsageError("--page: for handwriting, not for videos; give -f png or mp4")
    return run_over(command, work, command.page)
