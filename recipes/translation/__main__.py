"""The recipe as a command: `triscribe train translation`, or `python -m recipes.translation`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.translation.options import TranslationRecipeOptions

OPTIONS = TranslationRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("translation", OPTIONS, recipe, arguments)


def recipe(options: TranslationRecipeOptions):
    """The recipe with these options."""
    from recipes.translation.recipe import TranslationRecipe  # which imports torch

    return TranslationRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
