"""Show the header of a model file: sizes, alphabet, training and scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tyro.conf import Positional

from pipelines.commands.arguments import parse


@dataclass(frozen=True)
class Info:
    """Show what a model file says about itself, as JSON."""

    model: Positional[str]
    """A model file or the name of a bundled model."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, _ = parse(Info, "info", arguments)
    import json

    from pipelines.model import load
    from pipelines.model_file import read_header

    header = read_header(command.model)
    network = load(command.model)
    listed = isinstance(header["alphabet"], list)
    header["alphabet"] = "".join(header["alphabet"]) if listed else repr(network.alphabet)
    if network.vocabulary is not None:
        header["vocabulary"] = repr(network.vocabulary)
    if network.language:
        header["language_model"]["words"] = len(network.language.words)
    print(f"{network.name}: {network.parameters_count:,} parameters")
    print(json.dumps(header, indent=2, ensure_ascii=False))
    return 0
