"""The recipe as a command: `triscribe train handwriting`, or `python -m recipes.handwriting`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.handwriting.options import HandwritingOptions
from recipes.learning.command import command

OPTIONS = HandwritingOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("handwriting", OPTIONS, recipe, arguments)


def recipe(options: HandwritingOptions):
    """The recipe with these options."""
    from recipes.handwriting.recipe import Handwriting  # which imports torch

    return Handwriting(options)


if __name__ == "__main__":
    raise SystemExit(main())
