"""The recipe as a command: `triscribe train annotate`, or `python -m recipes.annotate`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.annotate.options import AnnotationRecipeOptions
from recipes.learning.command import command

OPTIONS = AnnotationRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("annotate", OPTIONS, recipe, arguments)


def recipe(options: AnnotationRecipeOptions):
    """The recipe with these options."""
    from recipes.annotate.recipe import AnnotationRecipe  # which imports torch

    return AnnotationRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
