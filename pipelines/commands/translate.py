"""Translate texts, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.classify import of_text
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import TranslationOptions

GROUPS = (
    Group("texts", TranslationOptions, ("column", "encoding")),
    Group("search", TranslationOptions, ("width", "length_power", "coverage", "alternatives")),
    Group("computing", TranslationOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Translate(FolderCommand):
    """Translate texts, with a model that `triscribe train translation` made.

    Lines of text files are kept; tables are read by their column of texts.

    Files that cannot be read are reported, and the others are still translated.
    """

    inputs: Positional[tuple[str, ...]]
    """Text files, tables, folders or patterns."""
    text: str | None = None
    """Translate this text instead of files, - for that of standard input, and print its translation."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, jsonl, html, png."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Translate, "translate", arguments, GROUPS)
    if command.text is not None:
        return of_text("translate", command, keywords)
    return run_over(command, work_of("translate", command, keywords))
