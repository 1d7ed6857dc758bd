"""A recipe as a command. Importing this module does not import torch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from pipelines.errors import TriscribeError
from recipes.learning.arguments import parse
from recipes.learning.memory import keep_memory
from recipes.learning.options import RunOptions


def command(
    name: str,
    kind: type[RunOptions],
    recipe: Callable[[RunOptions], object],
    arguments: Sequence[str] | None = None,
) -> int:
    """Train as the command line says.

    Args:
        name: of the recipe.
        kind: its options.
        recipe: makes, of options, what has a method `run`.
        arguments: those behind `triscribe train NAME`; of this process if not given.

    Returns:
        The exit code: 0 if all went well, 1 if training failed, 2 for wrong usage.
    """
    try:
        options = parse(kind, name, arguments)
    except (TriscribeError, ValueError) as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 2
    try:
        keep_memory()
        recipe(options).run()
    except TriscribeError as error:
        print(f"triscribe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        message = str(stop) or "interrupted; the same command goes on from what is finished"
        print(f"triscribe: {message}", file=sys.stderr)
        return getattr(stop, "code", 130)
    return 0
