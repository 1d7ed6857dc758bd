"""Write on behind the beginning of a text."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import Group, UsageError, parse
from pipelines.commands.folders import use_threads
from pipelines.reading.settings import GenerationOptions

GROUPS = (Group("writing", GenerationOptions, ("length", "temperature", "top_p", "seed", "device")),)


@dataclass(frozen=True)
class Generate:
    """Write on behind the beginning of a text, with a model of `train language`.

    The text is printed as it is written. The same seed gives the same text.
    """

    prompt: Positional[str] = ""
    """The beginning of the text."""
    model: str | None = None
    """Model file or name of a bundled model (default: the bundled one for the task)."""
    threads: int = 0
    """Number of CPU threads; 0 leaves the choice to torch."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, keywords = parse(Generate, "generate", arguments, GROUPS)
    try:
        use_threads(command.threads)
        GenerationOptions.of(keywords)
    except ValueError as error:
        raise UsageError(str(error)) from error
    from pipelines.generation import generate, unknown_in
    from pipelines.reading.batches import model_for
    from pipelines.writers.lines import printable

    model = model_for("language", command.model)
    strange = " ".join(map(repr, unknown_in(command.prompt, model)))
    if strange:
        print(f"triscribe: {model.name} does not know {strange} of the prompt", file=sys.stderr)
    print(printable(command.prompt), end="", flush=True)
    for piece in generate(command.prompt, model, stream=True, **keywords):
        print(piece, end="", flush=True)
    print()
    return 0
