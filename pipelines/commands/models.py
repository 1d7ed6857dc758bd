"""List the bundled models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.commands.arguments import parse


@dataclass(frozen=True)
class Models:
    """List the models that come with the package, with their data, licence and scores."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    parse(Models, "models", arguments)
    from pipelines.model_file import bundled, read_header
    from pipelines.tasks import TASKS

    defaults = {row.default for row in TASKS.values()}
    for path in bundled():
        header = read_header(path)
        facts = header["training"]
        default = ", the default" if path.stem in defaults else ""
        print(f"{path.stem}  ({header['task']}{default}, {path.stat().st_size / 1e6:.1f} MB)")
        data, licence = facts.get("data", "unknown data"), facts.get("licence", "unknown")
        print(f"    trained on {data}, licence {licence}")
        for split, scores in header["metrics"].items():
            print(f"    {split}: " + ", ".join(f"{name} {value}" for name, value in scores.items()))
    return 0
