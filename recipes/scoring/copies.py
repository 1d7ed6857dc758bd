"""Files that are in training data and, under another name, in the data that a model is scored on."""

from __future__ import annotations

import filecmp
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from recipes.data.manifest import Item

MOST = 30_000  # files that are compared
ENDS = 4096  # bytes of the beginning and the end of a file by which it is recognised
SHOWN = 3


def told_copies(splits: Mapping[str, Sequence[Item]]) -> str:
    """A warning for each split in which there are copies of training files; empty if there are none."""
    paths = {name: _whole(items) for name, items in splits.items()}
    if sum(map(len, paths.values())) > MOST:
        return ""
    sizes = {_size(path) for name, scored in paths.items() if name != "train" for path in scored}
    learnt: dict[tuple[int, bytes], list[Path]] = {}
    for path in paths.get("train", ()):
        if _size(path) in sizes and (key := _key(path)):
            learnt.setdefault(key, []).append(path)
    lines = []
    for name, scored in paths.items():
        found = [(path, own) for path in scored if name != "train" and (own := _copied(path, learnt))]
        if found:
            count = "1 file is a copy" if len(found) == 1 else f"{len(found):,} files are copies"
            lines.append(f"Warning: in {name}, {count} of files in train, so that scores are too good")
            lines += [f"  {path}  =  {own}" for path, own in found[:SHOWN]]
    return "\n".join(lines)


def _whole(items: Sequence[Item]) -> list[Path]:
    """Files of which an item is the whole, each once."""
    whole = (item for item in items if (item.start, item.end, item.shape, item.index) == (None,) * 4)
    return list(dict.fromkeys(item.path for item in whole if isinstance(item.target, str)))


def _copied(path: Path, learnt: Mapping[tuple[int, bytes], Sequence[Path]]) -> Path | None:
    """The training file that a file is a copy of."""
    alike = learnt.get(_key(path), ()) if learnt else ()
    try:
        return next((own for own in alike if own != path and filecmp.cmp(path, own, shallow=False)), None)
    except OSError:
        return None


def _size(path: Path) -> int:
    """In bytes; 0 for what is no file."""
    return os.path.getsize(path) if os.path.isfile(path) else 0


def _key(path: Path) -> tuple[int, bytes] | None:
    """Size of a file and a digest of its ends; None for an empty one and for what cannot be read."""
    size = _size(path)
    try:
        with open(path, "rb") as file:
            ends = hashlib.sha256(file.read(ENDS))
            file.seek(max(0, size - ENDS))
            ends.update(file.read())
    except OSError:
        return None
    return (size, ends.digest()) if size else None
