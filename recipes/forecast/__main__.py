"""The recipe as a command: `triscribe train forecast`, or `python -m recipes.forecast`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.forecast.options import ForecastRecipeOptions
from recipes.learning.command import command

OPTIONS = ForecastRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("forecast", OPTIONS, recipe, arguments)


def recipe(options: ForecastRecipeOptions):
    """The recipe with these options."""
    from recipes.forecast.recipe import ForecastRecipe  # which imports torch

    return ForecastRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
