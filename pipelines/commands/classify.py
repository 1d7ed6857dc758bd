"""Classify texts or signals: tell their topics, intents, gestures, states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, UsageError, parse
from pipelines.commands.folders import FolderCommand, run_over, use_threads, work_of
from pipelines.reading.settings import TextOptions

GROUPS = (
    Group("texts", TextOptions, ("unit", "column", "encoding", "top", "threshold")),
    Group("computing", TextOptions, ("batch_size", "device", "precision")),
)


@dataclass(frozen=True)
class Classify(FolderCommand):
    """Tell the classes of texts or signals, with a model that training made.

    Models for texts are made by `triscribe train text`, others by `train signals`.

    Text files have a text on each line, tables a column of texts.

    Signals are tables with a row a time step, `.ts` files, EDF, WFDB or sound.

    Files that cannot be read are reported, and the others are still read.
    """

    inputs: Positional[tuple[str, ...]]
    """Text files, tables, folders or patterns."""
    text: str | None = None
    """Classify this text instead of files, - for that of standard input, and print its label, score and
    text."""
    format: str = "txt"
    """Output formats, separated by commas: txt, csv, json, jsonl, html."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Classify, "classify", arguments, GROUPS)
    if command.text is not None:
        return of_text("classify", command, keywords)
    return run_over(command, work_of("classify", command, keywords))


def of_text(name: str, command: FolderCommand, keywords: dict) -> int:
    """Print the result for the text in the option --text of a command; returns its exit code.

    Raises:
        DataError: standard input, for which "-" stands, is no text.
        UsageError: the text is empty, or there are files beside it; or an option is out of range.
    """
    import sys

    import pipelines
    from pipelines.writers import mode, writer

    text = command.text
    if text == "-":
        from pipelines.media.text import decoded

        text = decoded("standard input", sys.stdin.buffer.read(), keywords.get("encoding"))
    if command.inputs or not text.strip():
        raise UsageError("--text takes a text that is not empty, and no files beside it")
    try:
        use_threads(command.threads)
        found = getattr(pipelines, name)(text, command.model, **keywords)
        chosen = writer(command.format, type(found))
    except ValueError as error:
        raise UsageError(str(error)) from error
    if "b" in mode(chosen):
        raise UsageError(f"--text prints, and {command.format} is no text; give a file instead")
    chosen.write(found, sys.stdout)
    return 0
