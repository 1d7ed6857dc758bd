"""Features computed once and kept on disk, so that every epoch after the first starts at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from pipelines.writers import write_atomically


class FeatureCache:
    """Arrays of (length, features), end to end in one memory-mapped file.

    The file is made anew when any source, its size or its date, or the settings change.

    Args:
        folder: where `features.bin` and its index live.
        sources: one key an item, e.g. (path, start, end).
        settings: plain values that the features depend on.
        compute: key -> (length, features) tensor; called once an item.
        dtype: of the numbers in the file.
    """

    def __init__(
        self,
        folder: Path,
        sources: list[tuple],
        settings: dict,
        compute: Callable[[tuple], Tensor],
        dtype: type = np.float16,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        path, index = folder / "features.bin", folder / "features.json"
        key = self._key(sources, {**settings, "dtype": np.dtype(dtype).name})
        if not (index.exists() and path.exists()) or json.loads(index.read_text())["key"] != key:
            index.unlink(missing_ok=True)  # an index never stands beside features that it does not describe
            lengths, width = self._fill(path, sources, compute, dtype)
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

    @staticmethod
    def _key(sources: Iterable[tuple], settings: dict) -> str:
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for source in sources:
            facts = Path(source[0]).stat()
            digest.update(repr((*map(str, source), facts.st_size, facts.st_mtime_ns)).encode())
        return digest.hexdigest()

    @staticmethod
    def _fill(
        path: Path, sources: list[tuple], compute: Callable[[tuple], Tensor], dtype: type
    ) -> tuple[list[int], int]:
        lengths, width = [], 0
        with write_atomically(path, "wb") as file:
            for source in tqdm(sources, "features", leave=False, disable=None):
                features = compute(source)
                lengths.append(len(features))
                width = features.size(1)
                file.write(features.numpy().astype(dtype).tobytes())
        return lengths, width
