"""Describe pictures and videos in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.commands.transcribe import COMPUTING
from pipelines.reading.settings import CaptionOptions

GROUPS = (
    Group("decoding", CaptionOptions, ("width", "length_power", "coverage", "longest")),
    Group("video", CaptionOptions, ("window", "change", "strict")),
    Group("computing", CaptionOptions, COMPUTING),
)


@dataclass(frozen=True)
class CaptionCommand(FolderCommand):
    """Describe pictures and videos in sentences.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Pictures, videos, folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, json, coco, coco-dataset, srt, vtt, png."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(CaptionCommand, "caption", arguments, GROUPS)
    return run_over(command, work_of("caption", command, keywords))
