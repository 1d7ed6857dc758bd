"""The recipe as a command: `triscribe train risk`, or `python -m recipes.risk`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.risk.options import RiskRecipeOptions

OPTIONS = RiskRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("risk", OPTIONS, recipe, arguments)


def recipe(options: RiskRecipeOptions):
    """The recipe with these options."""
    from recipes.risk.recipe import RiskRecipe  # which imports torch

    return RiskRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
