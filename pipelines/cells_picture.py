"""A picture of memory cells at work on a text: what each of them follows, shaded over the text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from encoders.gates import look_inside
from pipelines.errors import DataError, ModelError
from pipelines.model import SequenceModel
from pipelines.reading.inference import for_inference
from pipelines.reading.verbatim import Verbatim, cleaned
from pipelines.text import tokenizer_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 10_000  # symbols that are looked at
APART = 4_000  # symbols from which cells are found on one half of the text and measured on the other
SHOWN = 360  # characters on the picture
COLUMNS, ROWS = 90, 12
LEAST = 0.3  # correlation from which a cell is shown to follow something
FAR = 100  # characters from a beginning that still count
INCHES = 0.11, 0.2  # of a character

SIGNS = {"\n": "\u21b5", "\t": "\u2192"}
CLOSING = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True)
class Followed:
    """What a cell follows.

    Attributes:
        cell: number of it, from 0.
        what: it follows; "" for a cell that is shown because it changes much.
        correlation: of its state, squashed by tanh, with that; nan where it follows nothing known.
    """

    cell: int
    what: str = ""
    correlation: float = float("nan")

    @property
    def title(self) -> str:
        behind = f": {self.what}, r = {self.correlation:.2f}" if self.what else ""
        return f"cell {self.cell}{behind}"


def draw_cells(
    text: str,
    out: str | Path,
    model: SequenceModel,
    layer: int = 1,
    cells: int = 3,
    direction: str = "ahead",
) -> list[Followed]:
    """Draw a text once for each of some memory cells, shaded by what the cell stores at each place.

    For each property of places that the text has (quotation marks, brackets, capitals, the distance from the
    beginning of line, sentence and word; Karpathy et al. 2015), it is the cell whose state has the highest
    correlation with it. A text of 4,000 symbols and more has cells found on its first half and their
    correlation measured on the second, as among hundreds of cells some fit any short text. Behind these come
    the cells that change most.

    Args:
        text: of which 10,000 symbols are looked at, and the first 360 characters or 12 rows drawn.
        out: .png, .svg or .pdf.
        model: one that reads text.
        layer: from 1, the lowest.
        cells: number of further cells, those that change most.
        direction: "ahead" or "back".

    Returns:
        What is drawn, from the top.

    Raises:
        DataError: the text has fewer than two symbols.
        ModelError: the model reads no text.
        ValueError: no such layer or direction, or a negative number of cells.
    """
    import matplotlib.pyplot as plt

    pieces, states = _stored(text, model, layer, direction)
    if cells < 0:
        raise ValueError(f"cells must be 0 or more, not {cells}")
    found = followed(pieces, states)
    often = (-states.std(axis=0)).argsort(kind="stable").tolist()
    seen = {each.cell for each in found}
    found += [Followed(cell) for cell in often if cell not in seen][:cells]
    if not found:
        raise ValueError("no cell follows anything of this text: give a longer text, or cells above 0")

    shown = _places(pieces)
    rows = shown[-1].row + 1
    figure, axes = plt.subplots(
        len(found),
        1,
        figsize=(COLUMNS * INCHES[0] + 0.4, len(found) * (rows * INCHES[1] + 0.45) + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for axis, each in zip(axes[:, 0], found, strict=True):
        _draw_text(axis, shown, states[:, each.cell], rows)
        axis.set_title(each.title, loc="left", fontsize=9)
    way = {"ahead": "forwards", "back": "backwards"}[direction]
    figure.suptitle(
        f"{model.name}, layer {layer} of {model.core.num_layers}, reading {way}: red cells store a positive "
        "value, blue ones a negative one",
        fontsize=9,
    )
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return found


def followed(pieces: list[str], states: np.ndarray) -> list[Followed]:
    """The cell that follows each property best, where one does; see `draw_cells`.

    Args:
        pieces: symbols of a text.
        states: (symbols, cells) of a layer after each of them.
    """
    ends = np.cumsum([len(piece) for piece in pieces])
    half = len(pieces) // 2 if len(pieces) >= APART else 0
    found = []
    for what, values in properties("".join(pieces)).items():
        values = values[np.maximum(ends, 1) - 1]
        first, second = values[: half or None], values[half:]
        if first.std() == 0 or second.std() == 0:
            continue
        cell = int(np.abs(_correlations(states[: half or None], first)).argmax())
        correlation = float(_correlations(states[half:, cell : cell + 1], second)[0])
        if abs(correlation) >= LEAST:
            found.append(Followed(cell, what, correlation))
    return found


def properties(text: str) -> dict[str, np.ndarray]:
    """Properties of each character's place, (characters,) each."""
    quoted, opened = False, []
    inside: dict[str, list[bool]] = {"in quotation marks": [], "in brackets": []}
    for place, symbol in enumerate(text):
        if symbol == "\n" and text[place - 1 : place] == "\n":  # a paragraph ends what was left open
            quoted, opened = False, []
        if symbol in '"\u201c\u201d\u00ab\u00bb\u201e':
            quoted = symbol in "\u201c\u00ab\u201e" or (symbol == '"' and not quoted)
        elif symbol in "([{":
            opened.append(symbol)
        elif symbol in CLOSING and opened[-1:] == [CLOSING[symbol]]:
            opened.pop()
        inside["in quotation marks"].append(quoted)
        inside["in brackets"].append(bool(opened))
    found = {name: np.array(values, float) for name, values in inside.items()}
    found["far from the beginning of the line"] = _since(text, r"\n")
    found["far from the beginning of the sentence"] = _since(text, r"[.!?\u3002\uff01\uff1f]\W")
    found["far from the beginning of the word"] = _since(text, r"\W|_")
    found["capitals"] = np.array([symbol.isupper() for symbol in text], float)
    found["digits"] = np.array([symbol.isdigit() for symbol in text], float)
    return found


def _since(text: str, pattern: str) -> np.ndarray:
    """Characters since the end of the last match, at most `FAR`."""
    starts = np.zeros(len(text), int)
    for match in re.finditer(pattern, text):
        starts[match.end() - 1] = match.end()
    return np.minimum(FAR, np.arange(1, len(text) + 1) - np.maximum.accumulate(starts)).astype(float)


def _correlations(states: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(cells,) Pearson correlations, 0 for cells that do not change."""
    states, values = states - states.mean(axis=0), values - values.mean()
    spread = np.sqrt((states**2).sum(axis=0) * (values**2).sum())
    return values @ states / np.where(spread > 1e-9, spread, np.inf)


def _stored(text: str, model: SequenceModel, layer: int, direction: str) -> tuple[list[str], np.ndarray]:
    """The symbols of a text, and (symbols, cells) of what a layer stores after each, squashed by tanh."""
    if model.vocabulary is None:
        way = "give a model that `triscribe train language`, `text` or `tagging` made"
        raise ModelError(model.name, "reads no text", way)
    model = for_inference(model, "cpu")
    if not 1 <= layer <= model.core.num_layers:
        raise ValueError(f"layer {layer}: the core has layers 1 to {model.core.num_layers}")
    if model.decoder.predicts:
        verbatim, text = Verbatim(model.vocabulary), cleaned(text, model.normalisation)
        ids, starts = verbatim(text)
        pieces = [text[start:end] for start, end in zip(starts[:MOST], starts[1 : MOST + 1], strict=False)]
        inputs, before = torch.tensor([verbatim.first, *ids[:MOST].tolist()]), 1
    else:
        tokenizer = tokenizer_of(model)
        tokens = tokenizer(text)[:MOST]
        words = not any(" " in token.text for token in tokens)
        pieces = [token.text + " " * words for token in tokens]
        inputs, before = tokenizer.inputs(tokens), 0
    if len(pieces) < 2:
        raise DataError("<text>", "has fewer than two symbols", "give a longer text")
    length = torch.tensor([len(inputs)])
    with torch.inference_mode():
        vectors, _ = model.front_end(inputs[None], length)
        both = look_inside(model.core, vectors, length)[layer - 1]
    if direction not in both:
        raise ValueError(f"direction {direction!r}: this core runs {' and '.join(both)}")
    gates = both[direction]._asdict()
    return pieces, gates.get("memory", gates["hidden"])[0, before:].tanh().numpy()


class _Place(NamedTuple):
    """Where a character is drawn, and the number of its symbol."""

    character: str
    row: int
    column: int
    symbol: int


def _places(pieces: list[str]) -> list[_Place]:
    """The characters that are drawn."""
    found, row, column = [], 0, 0
    for number, piece in enumerate(pieces):
        for symbol in piece:
            if column == COLUMNS:
                row, column = row + 1, 0
            found.append(_Place(symbol, row, column, number))
            column += 1
            if symbol == "\n":
                row, column = row + 1, 0
            if len(found) >= SHOWN or row >= ROWS:
                return found
    return found


def _draw_text(axis: Axes, shown: list[_Place], states: np.ndarray, rows: int) -> None:
    """Characters in rows, each on the shade of its symbol; line breaks and tabs as signs."""
    shades = np.full((rows, COLUMNS), np.nan)
    for place in shown:
        shades[place.row, place.column] = states[place.symbol]
        symbol = SIGNS.get(place.character, place.character)
        style = {"ha": "center", "va": "center", "family": "monospace", "fontsize": 8, "parse_math": False}
        axis.text(place.column, place.row, symbol, **style)
    axis.imshow(shades, aspect="auto", cmap="RdBu_r", vmin=-1.3, vmax=1.3, interpolation="nearest")
    axis.set_axis_off()
