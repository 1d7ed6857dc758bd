"""Tell how surprising texts are to a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.classify import of_text
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import LanguageOptions

GROUPS = (
    Group("texts", LanguageOptions, ("unit", "encoding")),
    Group("computing", LanguageOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Score(FolderCommand):
    """Tell how surprising texts are to a model of `triscribe train language`.

    Of each text: bits a character, and perplexity. Of each symbol: surprisal.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Text files, folders or patterns."""
    text: str | None = None
    """Score this text instead of files, - for that of standard input, and print bits a character, perplexity,
    characters and the text."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, jsonl, html."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Score, "score", arguments, GROUPS)
    if command.text is not None:
        return of_text("score", command, keywords)
    return run_over(command, work_of("score", command, keywords))
