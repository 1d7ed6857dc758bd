"""The recipe as a command: `triscribe train asr`, or `python -m recipes.asr`."""

from __future__ import annotations

from collections.abc import Sequence

from recipes.asr.options import AsrOptions
from recipes.learning.command import command

OPTIONS = AsrOptions


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the arguments say; returns the exit code."""
    return command("asr", OPTIONS, recipe, arguments)


def recipe(options: AsrOptions):
    """The recipe with these options."""
    from recipes.asr.recipe import Asr  # which imports torch

    return Asr(options)


if __name__ == "__main__":
    raise SystemExit(main())
