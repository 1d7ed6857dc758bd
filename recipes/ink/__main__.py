"""The recipe as a command: `triscribe train ink`, or `python -m recipes.ink`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.ink.options import InkOptions
from recipes.learning.command import command

OPTIONS = InkOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("ink", OPTIONS, recipe, arguments)


def recipe(options: InkOptions):
    """The recipe with these options."""
    from recipes.ink.recipe import InkRecipe  # which imports torch

    return InkRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
