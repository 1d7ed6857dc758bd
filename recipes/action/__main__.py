"""The recipe as a command: `triscribe train action`, or `python -m recipes.action`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.action.options import ActionOptions
from recipes.learning.command import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("action", ActionOptions, _recipe, arguments)


def _recipe(options: ActionOptions):
    from recipes.action.recipe import Action  # which imports torch

    return Action(options)


if __name__ == "__main__":
    raise SystemExit(main())
