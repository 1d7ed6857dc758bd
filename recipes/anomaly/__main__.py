"""The recipe as a command: `triscribe train anomaly`, or `python -m recipes.anomaly`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.anomaly.options import AnomalyRecipeOptions
from recipes.learning.command import command

OPTIONS = AnomalyRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("anomaly", OPTIONS, recipe, arguments)


def recipe(options: AnomalyRecipeOptions):
    """The recipe with these options."""
    from recipes.anomaly.recipe import AnomalyRecipe  # which imports torch

    return AnomalyRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
