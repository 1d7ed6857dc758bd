"""The recipe as a command: `triscribe train captioning`, or `python -m recipes.captioning`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.captioning.options import CaptioningOptions
from recipes.learning.command import command

OPTIONS = CaptioningOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("captioning", OPTIONS, recipe, arguments)


def recipe(options: CaptioningOptions):
    """The recipe with these options."""
    from recipes.captioning.recipe import Captioning  # which imports torch

    return Captioning(options)


if __name__ == "__main__":
    raise SystemExit(main())
