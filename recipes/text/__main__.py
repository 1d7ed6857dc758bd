"""The recipe as a command: `triscribe train text`, or `python -m recipes.text`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.text.options import TextRecipeOptions

OPTIONS = TextRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("text", OPTIONS, recipe, arguments)


def recipe(options: TextRecipeOptions):
    """The recipe with these options."""
    from recipes.text.recipe import TextRecipe  # which imports torch

    return TextRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
