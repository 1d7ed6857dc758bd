"""The recipe as a command: `triscribe train signals`, or `python -m recipes.signals`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.signals.options import SignalRecipeOptions

OPTIONS = SignalRecipeOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("signals", OPTIONS, recipe, arguments)


def recipe(options: SignalRecipeOptions):
    """The recipe with these options."""
    from recipes.signals.recipe import SignalRecipe  # which imports torch

    return SignalRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
