"""A data set as the recipes see it: items (a source + a target), and what was turned away with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.layout.lines import LineShape

Target = str | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Item:
    """What a recipe learns from: a source, which is a file or a part of one, and a target.

    Attributes:
        path: the media file.
        target: what the model is to give for it: a text, with runs of white space made one space; the
            name of a class; a sequence of labels, one for each token; or a sequence of numbers.
        split: "train", "valid" or "test"; None when the data set does not say.
        group: speaker or writer, where known.
        start, end: seconds, when the item is a part of a longer recording; None is the file's start or end.
        duration: seconds of this item, where known.
        shape: of the item's line, when the image is one of a page.
        line_distance: of that page, in pixels, for cutting the line.
        index: of the item in what `read_ink` gives for its file, or of the sentence about its image, from 0.
    """

    path: Path
    target: Target
    split: str | None = None
    group: str | None = None
    start: float | None = None
    end: float | None = None
    duration: float | None = None
    shape: LineShape | None = None
    line_distance: float | None = None
    index: int | None = None


@dataclass(frozen=True)
class Rejected:
    """A file, or a line as `file:number`, that did not become an item, and why."""

    path: str
    reason: str


@dataclass
class Manifest:
    """All items of a data set, what was rejected, the layout's name and the folder it was read from."""

    items: list[Item]
    rejected: list[Rejected]
    layout: str
    root: Path

    def split(self, name: str | None) -> list[Item]:
        """The items of "train", "valid", "test" or None (not assigned), in the data set's order."""
        return [item for item in self.items if item.split == name]
