"""Draw memory cells and gates of the LSTM core over a recording's spectrogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from pipelines.commands.arguments import UsageError, parse


@dataclass(frozen=True)
class Gates:
    """Draw the LSTM's memory cells and gates over a recording's spectrogram."""

    file: Positional[str]
    """A recording, best of a few seconds."""
    out: Path = Path("gates.png")
    """The picture: .png, .svg or .pdf."""
    model: str | None = None
    """Model file or name of a bundled model (default: the bundled one for speech)."""
    layer: int = 1
    """Layer of the core, from 1."""
    cells: int = 60
    """Number of memory cells to show: those whose memory changes most."""
    direction: Literal["ahead", "back"] = "ahead"
    """Direction in which the layer reads."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, _ = parse(Gates, "gates", arguments)
    from pipelines.gates_picture import draw

    try:
        print(draw(command.file, command.out, command.model, command.layer, command.cells, command.direction))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return 0
