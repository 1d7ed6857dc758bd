"""Transcribe speech: recordings in, text with times and confidences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import SpeechOptions
from pipelines.writers.subtitles import Subtitles

CUES = ("max_chars", "max_lines", "max_words", "max_seconds", "min_seconds", "max_gap")
DECODING = (
    "language_model",
    "language_weight",
    "hotwords",
    "hotword_weight",
    "lexicon",
    "lexicon_cost",
    "width",
    "alternatives",
)
COMPUTING = ("batch_size", "device", "precision")
GROUPS = (
    Group("segmentation", SpeechOptions, ("longest", "min_confidence", "track", "strict")),
    Group("decoding", SpeechOptions, DECODING),
    Group("subtitle", Subtitles, CUES),
    Group("computing", SpeechOptions, COMPUTING),
)


@dataclass(frozen=True)
class Transcribe(FolderCommand):
    """Transcribe recordings and the audio tracks of videos.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Recordings, videos, folders or patterns."""
    format: str = "txt"
    """Output formats, separated by commas: txt, json, srt, vtt, tsv, ctm, textgrid."""
    page: Path | None = None
    """Also write an HTML page with players and all transcripts."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Transcribe, "transcribe", arguments, GROUPS)
    cues = {name: keywords.pop(name) for name in CUES}
    work = work_of("transcribe", command, keywords)
    return run_over(command, work, command.page, cues)
