"""Tag texts: label each token, or find names, dates and places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, parse
from pipelines.commands.classify import of_text
from pipelines.commands.folders import FolderCommand, run_over, work_of
from pipelines.reading.settings import TaggingOptions

GROUPS = (
    Group("texts", TaggingOptions, ("unit", "column", "encoding")),
    Group("computing", TaggingOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Tag(FolderCommand):
    """Label the tokens of texts, with a model that `triscribe train tagging` made.

    Text files have a text on each line, tables a column of texts.

    Files in CoNLL or CoNLL-U keep their tokens.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Text files, tables, files in CoNLL, folders or patterns."""
    text: str | None = None
    """Tag this text instead of files, - for that of standard input, and print its tokens with their
    labels."""
    format: str = "txt"
    """Output formats, separated by commas: txt, conll, conllu, csv, json, jsonl, html."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Tag, "tag", arguments, GROUPS)
    if command.text is not None:
        return of_text("tag", command, keywords)
    return run_over(command, work_of("tag", command, keywords))
