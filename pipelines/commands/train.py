"""Train a model on your own data, or fine-tune a bundled one."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pipelines.commands.arguments import UsageError
from pipelines.tasks import recipes, resolve


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code.

    Raises:
        UsageError: there is no such recipe.
    """
    name, *rest = arguments or [""]
    if name in ("-h", "--help", "--help-all"):
        print(usage())
        return 0
    packages = recipes()
    if name not in packages:
        near = difflib.get_close_matches(name.lower(), packages, 1)
        way_out = f"did you mean {near[0]}?" if near else f"choose from {', '.join(packages)}"
        raise UsageError(
            f"no recipe {name!r}; {way_out}" if name else f"name a recipe: {', '.join(packages)}"
        )
    return resolve(f"{packages[name]}.__main__:main")(rest)


def usage() -> str:
    """The help of the command: the recipes and what each learns from."""
    lines = [f"  {name:<13}{resolve(f'{package}:__doc__')}" for name, package in recipes().items()]
    return "\n".join(
        [
            "usage: triscribe train RECIPE --data DIR [OPTIONS]",
            "",
            "Train a model on your own data, or fine-tune a bundled one.",
            "You get a model file and a report.",
            "",
            "recipes:",
            *lines,
            "",
            "`triscribe train RECIPE --help` shows the options of a recipe.",
        ]
    )
