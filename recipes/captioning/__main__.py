"""The recipe as a command: `triscribe train captioning`, or `python -m recipes.captioning`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.captioning.options import CaptioningOptions
from recipes.learning.command import command


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("captioning", CaptioningOptions, _recipe, arguments)


def _recipe(options: CaptioningOptions):
    from recipes.captioning.recipe import Captioning  # which imports torch

    return Captioning(options)


if __name__ == "__main__":
    raise SystemExit(main())
