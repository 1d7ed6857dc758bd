"""Manifests: a data set as items (source and target), with what was rejected and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pipelines.layout.lines import LineShape

Target = str | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class PageView:
    """How recognition has looked at a page, so that its lines are cut out as they were read.

    Attributes:
        size: width and height in pixels of the page that places of lines are on.
        number: of the page in its document, from 1; None for an image.
        turn: degrees clockwise by which the page was turned to be read: 0, 90, 180 or 270.
        found: whether lines were looked for, in which case light writing on dark paper is inverted.
        dpi: at which the page of a PDF was drawn, pixels per inch; None where that was left to the reader.
    """

    size: tuple[int, int]
    number: int | None = None
    turn: int = 0
    found: bool = False
    dpi: float | None = None


@dataclass(frozen=True)
class Item:
    """What a recipe learns from: a source, which is a file or a part of one, and a target.

    Attributes:
        path: the media file.
        target: what the model is to predict: a text with single spaces, empty where nobody speaks; the name
            of a class; a sequence of labels, one per token; or a sequence of numbers.
        split: "train", "valid" or "test"; None if the data set does not say.
        group: speaker, writer or source, if known.
        start, end: seconds, if the item is a part of a recording; None for the start or end of the file.
        duration: length of the item in seconds, if known.
        shape: position of the line, if the image is of a page.
        line_distance: line distance of that page in pixels, for cutting the line out.
        index: index of the item in the result of `read_ink`, or of the sentence about its image, from 0.
        view: of the page, where the line was recognised before; its shape is on the page as it lies.
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
    view: PageView | None = None


@dataclass(frozen=True)
class Rejected:
    """A file, or a line as `file:number`, that could not become an item, and the reason."""

    path: str
    reason: str


@dataclass
class Manifest:
    """All items of a data set, the rejected ones, the name of the layout, and the folder.

    Attributes:
        unchecked: items of an output folder of triscribe whose targets no person has checked.
    """

    items: list[Item]
    rejected: list[Rejected]
    layout: str
    root: Path
    unchecked: list[Item] = field(default_factory=list)

    def split(self, name: str | None) -> list[Item]:
        """The items of "train", "valid", "test" or None (unassigned), in the order of the data set."""
        return [item for item in self.items if item.split == name]
