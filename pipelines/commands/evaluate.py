"""Score any model on any data of its task, with a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from pipelines.commands.arguments import parse
from pipelines.tasks import resolve


@dataclass(frozen=True)
class EvaluateOptions:
    """Score any model on any data of its task, and write the report of its recipe.

    Nothing is trained. Scores come with 95 % intervals.
    """

    model: Positional[str]
    """A model file or the name of a bundled model."""
    data: tuple[Path, ...] = ()
    """Folders of media and texts, as `triscribe train` takes them. Without any, the data that the recipe
    trains on by default."""
    split: Literal["test", "valid", "train", "all"] = "test"
    """The part of the data to score. If the data has no such split, another one is scored, and a sentence
    says so."""
    out: Path | None = None
    """Folder for report.html and the manifest of the items."""
    layout: str | None = None
    """Layout of the data; detected if not given."""
    threads: int = 0
    """CPU threads; 0 leaves the choice to torch."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    options, _ = parse(EvaluateOptions, "evaluate", arguments)
    import torch

    if options.threads:
        torch.set_num_threads(options.threads)
    evaluate = resolve("recipes.learning.evaluation:evaluate")
    evaluate(options.model, options.data, options.split, options.out, options.layout)
    return 0
