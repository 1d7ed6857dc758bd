"""The recipe as a command: `triscribe train action`, or `python -m recipes.action`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.action.options import ActionOptions
from recipes.learning.command import command

OPTIONS = ActionOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("action", OPTIONS, recipe, arguments)


def recipe(options: ActionOptions):
    """The recipe with these options."""
    from recipes.action.recipe import Action  # which imports torch

    return Action(options)


if __name__ == "__main__":
    raise SystemExit(main())
