"""The recipe as a command: `triscribe train language`, or `python -m recipes.language`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.language.options import LanguageRecipeOptions
from recipes.learning.command import command

OPTIONS = LanguageRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("language", OPTIONS, recipe, arguments)


def recipe(options: LanguageRecipeOptions):
    """The recipe with these options."""
    from recipes.language.recipe import LanguageRecipe  # which imports torch

    return LanguageRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
