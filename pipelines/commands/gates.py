"""Draw memory cells and gates of the LSTM core over a recording or a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from pipelines.commands.arguments import UsageError, parse


@dataclass(frozen=True)
class Gates:
    """Draw the LSTM's memory cells and gates over a recording, or cells over a text."""

    file: Positional[str | None] = None
    """A recording, best of a few seconds; with a model that reads text, a text file."""
    text: str | None = None
    """A text instead of a file."""
    out: Path = Path("gates.png")
    """The picture: .png, .svg or .pdf."""
    model: str | None = None
    """Model file or name of a bundled model (default: the bundled one for speech; with --text, for
    language)."""
    layer: int = 1
    """Layer of the core, from 1."""
    cells: int | None = None
    """Number of memory cells to show, those whose memory changes most: by default 60; over a text 3, beside
    those that follow quotation marks, brackets, lines and the like."""
    direction: Literal["ahead", "back"] = "ahead"
    """Direction in which the layer reads."""


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit code."""
    command, _ = parse(Gates, "gates", arguments)
    if (command.file is None) == (command.text is None):
        raise UsageError("name a recording or a text file, or give --text")
    try:
        _draw(command)
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(command.out)
    return 0


def _draw(command: Gates) -> None:
    from pipelines.model import load
    from pipelines.reading.batches import model_for

    model = load(command.model) if command.model else None
    chosen = {} if command.cells is None else {"cells": command.cells}
    options = chosen | {"layer": command.layer, "direction": command.direction}
    if command.text is not None or (model and model.vocabulary is not None):
        from pipelines.cells_picture import draw_cells
        from pipelines.media.text import read_text

        text = read_text(Path(command.file)) if command.text is None else command.text
        found = draw_cells(text, command.out, model or model_for("language", None), **options)
        print("\n".join(each.title for each in found if each.what))
    else:
        from pipelines.gates_picture import draw

        draw(command.file, command.out, model, **options)
