"""Train a model on your own data, or fine-tune a bundled one."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from pipelines.commands.arguments import UsageError
from pipelines.tasks import recipes


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code.

    Raises:
        UsageError: there is no such recipe.
    """
    names = ", ".join(recipes())
    name, *rest = arguments or [""]
    if name in ("-h", "--help"):
        print(f"usage: triscribe train RECIPE [OPTIONS]\n\nrecipes: {names}\n")
        print("`triscribe train RECIPE --help` shows the options of a recipe.")
        return 0
    if name not in recipes():
        raise UsageError(f"no recipe {name!r}; choose from {names}" if name else f"name a recipe: {names}")
    return import_module(f"recipes.{name}.recipe").main(rest)
