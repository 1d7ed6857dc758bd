"""Features computed once and kept on disk, so that every epoch after the first starts at once."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipelines.writers import write_atomically
from recipes.learning.locking import locked
from recipes.learning.progress import followed


class FeatureCache:
    """Arrays of (length, features), end to end in one memory-mapped file.

    The file is made anew when a source, its size or its date, or the settings change. If the process ends
    before all items are computed, the next one computes only the others.

    Args:
        folder: for `features.bin` and its index.
        sources: one key an item, whose first entry is a path, e.g. (path, start, end).
        settings: plain values that the features depend on.
        compute: key -> (length, features) tensor; called once an item.
        dtype: of the numbers in the file.

    Raises:
        DataError: another process is filling the folder.
    """

    def __init__(
        self,
        folder: Path,
        sources: list[tuple],
        settings: dict,
        compute: Callable[[tuple], Tensor],
        dtype: type = np.float16,
    ):
        path, index = folder / "features.bin", folder / "features.json"
        key = _key(sources, {**settings, "dtype": np.dtype(dtype).name})
        with locked(folder):
            if not (index.exists() and path.exists()) or json.loads(index.read_text())["key"] != key:
                index.unlink(
                    missing_ok=True
                )  # an index never stands beside features that it does not describe
                lengths, width = _filled(path, key, sources, compute, dtype)
                with write_atomically(index) as file:
                    json.dump({"key": key, "lengths": lengths, "width": width}, file)
        facts = json.loads(index.read_text())
        self.lengths: list[int] = facts["lengths"]
        self._offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        shape = (int(self._offsets[-1]), facts["width"])
        self._array = np.memmap(path, dtype, "r", shape=shape)

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Tensor:
        """(length, features), 16-bit numbers as float32."""
        part = self._array[self._offsets[index] : self._offsets[index + 1]]
        return torch.from_numpy(part.astype(np.float32 if part.dtype == np.float16 else part.dtype))


def _key(sources: Iterable[tuple], settings: dict) -> str:
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for source in sources:
        facts = Path(source[0]).stat()
        digest.update(repr((*map(str, source), facts.st_size, facts.st_mtime_ns)).encode())
    return digest.hexdigest()


def _filled(
    path: Path, key: str, sources: list[tuple], compute: Callable[[tuple], Tensor], dtype: type
) -> tuple[list[int], int]:
    """Fill the file; the length of each item, and the number of features.

    `features.part` takes the items; `features.part.jsonl` says first for what, then (length, width) of each.
    """
    part, journal = path.with_suffix(".part"), path.with_suffix(".part.jsonl")
    shapes = _finished(part, journal, key, np.dtype(dtype).itemsize)
    if not shapes:
        part.write_bytes(b"")
        journal.write_text(json.dumps(key) + "\n")
    with open(part, "ab") as file, open(journal, "a") as notes:
        for source in followed(sources, "computing features", "item", len(shapes)):
            features = compute(source)
            file.write(features.numpy().astype(dtype).tobytes())
            file.flush()
            shapes.append(tuple(features.shape))
            notes.write(json.dumps(shapes[-1]) + "\n")
            notes.flush()
    os.replace(part, path)
    journal.unlink()
    return [length for length, _ in shapes], shapes[0][1] if shapes else 0


def _finished(part: Path, journal: Path, key: str, size: int) -> list[tuple[int, int]]:
    """The shapes of the items that an earlier process has finished; both files are cut behind them."""
    if not (part.exists() and journal.exists()):
        return []
    noted, *lines = journal.read_text().split("\n")[:-1]  # a line that is not ended is not finished
    if noted != json.dumps(key):
        return []
    written, shapes, end = part.stat().st_size, [], 0
    for length, width in map(json.loads, lines):
        if end + length * width * size > written:
            break
        shapes.append((length, width))
        end += length * width * size
    os.truncate(part, end)
    journal.write_text("\n".join([noted, *(json.dumps(shape) for shape in shapes)]) + "\n")
    return shapes
