"""The recipe as a command: `triscribe train tagging`, or `python -m recipes.tagging`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.tagging.options import TaggingRecipeOptions

OPTIONS = TaggingRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("tagging", OPTIONS, recipe, arguments)


def recipe(options: TaggingRecipeOptions):
    """The recipe with these options."""
    from recipes.tagging.recipe import TaggingRecipe  # which imports torch

    return TaggingRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
