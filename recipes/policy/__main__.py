"""The recipe as a command: `triscribe train policy`, or `python -m recipes.policy`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.learning.command import command
from recipes.policy.options import PolicyOptions

OPTIONS = PolicyOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("policy", OPTIONS, recipe, arguments)


def recipe(options: PolicyOptions):
    """The recipe with these options."""
    from recipes.policy.recipe import PolicyRecipe  # which imports torch

    return PolicyRecipe(options)


if __name__ == "__main__":
    raise SystemExit(main())
