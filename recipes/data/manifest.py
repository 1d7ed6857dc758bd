"""A data set as the recipes see it: items (a source + a target), and what was turned away with its reason."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
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


def hold_out(data: Manifest | Sequence[Item], share: float, seed: int = 0) -> tuple[list[Item], list[Item]]:
    """Cut a validation part out of the training items; the same arguments give the same cut.

    Whole groups go to one side where groups are known. Otherwise all items with one text go to one side,
    unless texts repeat so much (spoken commands) that validation would then hold only unseen words.

    Args:
        data: items, or a manifest whose "train" and unassigned items are meant.
        share: wanted share of items in the validation part, above 0 and below 1. Groups are never cut,
            so the share that results can differ.
        seed: which cut.

    Returns:
        (train, valid), both in a fixed order, with `split` set.

    Raises:
        ValueError: `share` is out of range, or there are fewer than two items.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be above 0 and below 1, not {share}")
    items = data.split("train") + data.split(None) if isinstance(data, Manifest) else list(data)
    if len(items) < 2:
        raise ValueError(f"cannot hold out a part of {len(items)} items; at least two are needed")

    units: dict[Hashable, list[int]] = defaultdict(list)
    for index, key in enumerate(_unit_keys(items)):
        units[key].append(index)
    shuffled = list(units.values())
    random.Random(seed).shuffle(shuffled)
    target, held = share * len(items), set()
    for unit in shuffled:
        if abs(len(held) + len(unit) - target) < abs(len(held) - target):
            held.update(unit)
    if not held:
        held.update(min(shuffled, key=len))
    if len(held) == len(items):
        held.difference_update(min(shuffled, key=len))

    train = [replace(item, split="train") for index, item in enumerate(items) if index not in held]
    valid = [replace(item, split="valid") for index, item in enumerate(items) if index in held]
    return train, valid


def _unit_keys(items: list[Item]) -> list[Hashable]:
    """What must stay together: items with equal keys go to the same side; at least two keys differ."""
    texts = {item.target for item in items}
    by_text = 2 * len(texts) > len(items)
    alone = [("text", item.target) if by_text else ("item", index) for index, item in enumerate(items)]
    keys = [
        key if item.group is None else ("group", item.group) for item, key in zip(items, alone, strict=True)
    ]
    for candidate in (keys, alone):
        if len(set(candidate)) > 1:
            return candidate
    return list(range(len(items)))
