"""Watches folders into which a scanner or recorder puts files, and tells which of them are whole.

The folders are looked at now and then, since network file systems tell nobody of changes. Only changes of
size and time of change count, not the time itself, which may differ between machines.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from pipelines.batch.journal import state_of
from pipelines.batch.plan import collect
from pipelines.errors import MediaError

PAUSE = 1.0  # seconds between two looks
SETTLED = 5.0
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".filepart", ".download")
"""Endings that programs give to files which they have not written to the end."""


class Watcher:
    """Finds files that have not changed for a while and were not found in this state before.

    Args:
        inputs: files, folders and patterns.
        settled: seconds for which size and time of change must stay the same.
    """

    def __init__(self, inputs: Iterable[str | Path], settled: float = SETTLED):
        if not settled >= 0:
            raise ValueError(f"settle must be 0 seconds or more, not {settled}")
        self.inputs, self.settled = list(inputs), settled
        self._since: dict[Path, tuple[list[int] | None, float]] = {}
        self._found: dict[Path, list[int] | None] = {}

    def look(self) -> list[Path]:
        """Files to read now, in the order of the inputs. Empty files and those half written are left."""
        now, there = time.monotonic(), {}
        for each in self.inputs:
            try:
                paths = collect([each], lambda path: not path.name.lower().endswith(UNFINISHED))
            except (MediaError, OSError):  # nothing there yet, or not any more
                continue
            for path in paths:
                there[path] = state_of(path)
        self._since = {
            path: self._since[path] if self._since.get(path, (None, 0.0))[0] == state else (state, now)
            for path, state in there.items()
        }
        whole = [
            path
            for path, (state, since) in self._since.items()
            if state and state[0] and now - since >= self.settled and self._found.get(path) != state
        ]
        self._found |= {path: there[path] for path in whole}
        return whole
