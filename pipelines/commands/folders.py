"""What commands share that take files and folders and write a tree of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from pipelines.commands.arguments import UsageError
from pipelines.commands.interruption import interruptible

if TYPE_CHECKING:
    from pipelines.batch.work import Work


@dataclass(frozen=True)
class FolderCommand:
    """Options of every command that reads files and folders."""

    inputs: Positional[tuple[str, ...]]
    """Files, folders and patterns."""
    out: Path = Path(".")
    """Output folder; it mirrors the tree of the inputs."""
    format: str = "txt"
    """Output formats, separated by commas."""
    model: str | None = None
    """Model file or name of a bundled model (default: the bundled one for the task)."""
    skip_existing: bool = False
    """Skip inputs whose outputs exist and are up to date."""
    overwrite: bool = False
    """Also replace existing files that triscribe did not make."""
    threads: int = 0
    """Number of CPU threads; 0 leaves the choice to torch."""


def work_of(name: str, command: FolderCommand, keywords: dict) -> Work:
    """What a command does with its inputs.

    Args:
        name: of the public function, as the table of tasks has it.
        command: its own options.
        keywords: options of the public function.

    Raises:
        UsageError: no inputs, or an option out of range.
    """
    from pipelines.batch.work import Work
    from pipelines.reading.sources import rows_of
    from pipelines.tasks import resolve

    if not command.inputs:
        raise UsageError("name at least one file, folder or pattern")
    try:
        options = resolve(rows_of(name)[0].options).of(keywords)
        return Work(name, command.model, options, command.inputs)
    except ValueError as error:
        raise UsageError(str(error)) from error


def run_over(
    command: FolderCommand, work: Work, page: Path | None = None, writing: dict | None = None
) -> int:
    """Read all inputs of a command and write the results; returns the exit code.

    Args:
        command: its own options.
        work: what to do with each input.
        page: an HTML page over all results.
        writing: options of the writers.

    Raises:
        UsageError: an option out of range.
    """
    from pipelines.batch.report import Report
    from pipelines.batch.runner import Run

    try:
        use_threads(command.threads)
        formats = dict.fromkeys(work.tasks, chosen_formats(command.format, work.kind))
        run = Run(work, command.out, formats, command.skip_existing, command.overwrite, options=writing)
    except ValueError as error:
        raise UsageError(str(error)) from error
    with interruptible():
        return Report(run, work, page)(command.inputs)


def chosen_formats(text: str, kind: type) -> list[str]:
    """The formats that a user names for a type of result, each once.

    Raises:
        ValueError: it names none, or one that does not exist.
    """
    from pipelines.writers import formats, writer

    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not names:
        raise ValueError("--format names no format")
    for name in names:
        writer(name, kind)
    return list({formats(kind)[name]: name for name in names}.values())  # some have several names


def use_threads(count: int) -> None:
    """Have torch use so many CPU threads; 0 leaves the choice to it.

    Raises:
        ValueError: a negative number.
    """
    if count < 0:
        raise ValueError("--threads must be 0 or more")
    if count:
        import torch

        torch.set_num_threads(count)
