"""Name the results in a folder whose correction teaches a model most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tyro.conf import Positional

from pipelines.commands.arguments import UsageError, parse
from pipelines.errors import printable
from pipelines.tasks import TASKS
from pipelines.writers.lines import one_line


@dataclass(frozen=True)
class NextOptions:
    """Name the results in an output folder whose correction teaches a model most.

    These are uncertain, long, unlike each other, and not checked yet.
    """

    out: Positional[Path]
    """Output folder of triscribe."""
    number: int = 50
    """How many results to name, a line each: confidence, file and place, text."""
    task: str | None = None
    """Only results of this task, such as handwriting or speech."""
    json: bool = False
    """Write a JSON object a line."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code.

    Raises:
        UsageError: an option out of range.
        DataError: it is no output folder.
    """
    options, _ = parse(NextOptions, "next", arguments)
    if options.task not in (None, *TASKS):
        raise UsageError(f"no task {options.task!r}; choose from {', '.join(TASKS)}")
    from pipelines.teaching_order import next_to_correct

    try:
        lessons = next_to_correct(options.out, options.number, options.task)
    except ValueError as error:
        raise UsageError(str(error)) from error
    for lesson in lessons:
        if options.json:
            told = asdict(lesson) | {"path": str(lesson.path), "source": str(lesson.source)}
            print(json.dumps(told))
        else:
            page = "" if lesson.number is None else f" page {lesson.number}"
            where = f"{lesson.path}{page} {lesson.unit} {lesson.place + 1}"
            print(printable(f"{lesson.confidence:.2f}  {where}  {one_line(lesson.text)}"))
    return 0
